//! The Python module `sensors._native`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_pyarrow::ToPyArrow;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

use crate::decoder;
use crate::limits::Limits;
use crate::protocol::mqtt::PacketType;
use crate::python_ring::Ring;
use crate::source::{Item, OpenError, Source};
use crate::tables;
use crate::words::Words;

create_exception!(
    sensors._native,
    CaptureError,
    PyException,
    "The input is not a readable capture. `args`: (message, byte_offset or None)."
);

create_exception!(
    sensors._native,
    DecoderFault,
    PyException,
    "The decoder failed on its own account, whatever the capture holds. `args`: (message, frame number)."
);

/// One capture, read once from start to end.
#[pyclass(module = "sensors._native")]
struct Decoder {
    source: Source,
    decoder: decoder::Decoder,
    ended: bool,
    /// The frame at which the decoder failed: a bug of ours, after which nothing it holds can be trusted.
    failed_at: Option<u64>,
}

#[pymethods]
impl Decoder {
    /// Open the capture (pcap, pcapng, gzip or zstd of either). Raises CaptureError, OSError.
    #[new]
    fn new(py: Python<'_>, path: PathBuf, limits: &Bound<'_, PyMapping>) -> PyResult<Self> {
        Self::start(limits, || py.detach(|| Source::open(&path)))
    }

    /// Read captures one after the other; with `follow`, for as long as they may grow. Raises as the constructor.
    #[staticmethod]
    fn of_files(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        follow: bool,
        limits: &Bound<'_, PyMapping>,
    ) -> PyResult<Self> {
        Self::start(limits, || py.detach(|| Source::files(paths, follow)))
    }

    /// Read a capture from standard input. Raises as the constructor.
    #[staticmethod]
    fn of_stdin(py: Python<'_>, limits: &Bound<'_, PyMapping>) -> PyResult<Self> {
        Self::start(limits, || py.detach(|| Source::from_stream(Box::new(std::io::stdin()), 0)))
    }

    /// Listen to an interface's ring, which no other decoder has. Raises ValueError.
    #[staticmethod]
    fn of_ring(ring: &Ring, limits: &Bound<'_, PyMapping>) -> PyResult<Self> {
        let mut decoder = Self::start(limits, || {
            let taken = ring.take().ok_or_else(|| std::io::Error::from_raw_os_error(libc::EBUSY))?;
            Ok(Source::ring(taken))
        })?;
        decoder.decoder.number_flows_in(ring.number(), ring.rings());
        Ok(decoder)
    }

    /// One capture more, read after all others; False where there are no files.
    fn add(&mut self, path: PathBuf) -> bool {
        self.source.add(path)
    }

    /// Wait for nothing more: what has come is decoded, then it ends.
    fn stop(&mut self) {
        self.source.stop();
    }

    /// Whether the last call stopped because there was nothing more for now.
    fn idle(&self) -> bool {
        self.decoder.is_idle()
    }

    /// Decode up to `max_packets` more frames: table name -> rows; None at the end.
    fn next_batches<'py>(
        &mut self,
        py: Python<'py>,
        max_packets: u64,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        if let Some(frame) = self.failed_at {
            return Err(failure(frame));
        }
        if self.ended {
            return Ok(None);
        }
        if self.decoder.numbers_are_used_up() {
            return Err(PyValueError::new_err("the numbers of flows are used up"));
        }
        let (source, decoder) = (&mut self.source, &mut self.decoder);
        let outcome = py.detach(|| {
            catch_unwind(AssertUnwindSafe(|| {
                let goes_on = decoder.run(source, max_packets.max(1));
                (goes_on, decoder.take())
            }))
        });
        let Ok((goes_on, batches)) = outcome else { return Err(self.fail()) };
        self.ended = !goes_on;
        let rows = rows_of(py, batches)?;
        if self.ended && rows.is_empty() {
            return Ok(None);
        }
        Ok(Some(rows))
    }

    /// Whether the numbers of flows are used up: `begin_anew` comes next.
    fn used_up(&self) -> bool {
        !self.ended && self.decoder.numbers_are_used_up()
    }

    /// End all that is open and number flows anew: the rows of what ended. Raises DecoderFault.
    fn begin_anew<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let decoder = &mut self.decoder;
        let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(|| decoder.begin_anew())));
        let Ok(batches) = outcome else { return Err(self.fail()) };
        rows_of(py, batches)
    }

    /// (bytes of the file consumed, bytes of the file in all).
    fn position(&self) -> (u64, u64) {
        self.source.position()
    }

    /// What is known of the whole capture so far: format, link types, frames, encapsulations, flaws.
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let about = self.source.description();
        let seen = self.decoder.summary();
        let counts = self.decoder.counts();
        let summary = PyDict::new(py);
        summary.set_item("format", about.format)?;
        summary.set_item("byte_order", about.byte_order)?;
        summary.set_item("ts_resolution", resolution(about.ts_resolution_ns))?;
        summary.set_item("compressed", about.compressed)?;
        summary.set_item("snaplen", about.snaplen)?;
        summary.set_item("interfaces", about.interfaces)?;
        // A pcap file has no interfaces to tell apart.
        let interfaces_seen = if about.format == "pcap" { 0 } else { seen.interfaces_seen.len() };
        summary.set_item("interfaces_seen", interfaces_seen)?;
        summary.set_item("frames", seen.frames)?;
        let link_types = PyDict::new(py);
        for (link_type, frames) in &seen.link_types {
            link_types.set_item(link_type_name(*link_type), frames)?;
        }
        summary.set_item("link_types", link_types)?;
        summary.set_item("encapsulations", counted(py, &seen.tallies.encapsulations())?)?;
        summary.set_item("protocols", counted(py, &seen.tallies.protocols())?)?;
        summary.set_item("max_vlan_tags", seen.max_vlan_tags)?;
        summary.set_item("truncated_frames", seen.truncated_frames)?;
        summary.set_item("time_goes_back", seen.time_goes_back)?;
        summary.set_item("malformed_frames", seen.malformed_frames)?;
        summary.set_item("unread_frames", seen.unread_frames)?;
        summary.set_item("fragments", seen.fragments)?;
        summary.set_item("incomplete_packets", seen.incomplete_packets)?;
        summary.set_item("duplicates", seen.duplicates)?;
        summary.set_item("dropped_packets", seen.dropped_packets)?;
        summary.set_item("evicted_flows", seen.evicted_flows)?;
        summary.set_item("cut_at_byte", seen.cut_at_byte)?;
        summary.set_item("first_ts_ns", seen.first_ts)?;
        summary.set_item("last_ts_ns", seen.last_ts)?;
        summary.set_item("modbus_messages", counts.modbus_messages)?;
        summary.set_item("modbus_frames_multi_pdu", counts.modbus_frames_multi_pdu)?;
        summary.set_item("modbus_bad_protocol_id", counts.modbus_bad_protocol_id)?;
        summary.set_item("modbus_skipped_bytes", counts.modbus_skipped_bytes)?;
        summary.set_item("opcua_messages", counts.opcua_messages)?;
        summary.set_item("opcua_frames_multi_pdu", counts.opcua_frames_multi_pdu)?;
        summary.set_item("opcua_skipped_bytes", counts.opcua_skipped_bytes)?;
        summary.set_item("opcua_given_up", counts.opcua_given_up)?;
        let packets = PyDict::new(py);
        for (word, count) in PacketType::WORDS.iter().zip(counts.mqtt_packets) {
            if count > 0 {
                packets.set_item(word, count)?;
            }
        }
        summary.set_item("mqtt_packets", packets)?;
        summary.set_item("mqtt_frames_multi_packet", counts.mqtt_frames_multi_packet)?;
        summary.set_item("mqtt_skipped_bytes", counts.mqtt_skipped_bytes)?;
        summary.set_item("mqtt_not_held", counts.mqtt_not_held + self.decoder.names_not_kept())?;
        let captures = PyDict::new(py);
        for part in self.source.parts() {
            captures.set_item(part.path.to_string_lossy(), part.first_frame)?;
        }
        summary.set_item("captures", captures)?;
        Ok(summary)
    }
}

impl Decoder {
    fn start(
        limits: &Bound<'_, PyMapping>,
        open: impl FnOnce() -> Result<Source, OpenError>,
    ) -> PyResult<Self> {
        let mut chosen = Limits::default();
        for item in limits.items()?.iter() {
            let (name, value): (String, u64) = item.extract()?;
            chosen.set(&name, value).map_err(PyValueError::new_err)?;
        }
        let source = open().map_err(refusal)?;
        Ok(Self { source, decoder: decoder::Decoder::new(chosen), ended: false, failed_at: None })
    }
}

impl Decoder {
    /// The decoder has failed for good.
    #[cold]
    fn fail(&mut self) -> PyErr {
        let frame = self.decoder.frame_number();
        self.failed_at = Some(frame);
        failure(frame)
    }
}

fn rows_of<'py>(py: Python<'py>, batches: Vec<(&'static str, RecordBatch)>) -> PyResult<Bound<'py, PyDict>> {
    let rows = PyDict::new(py);
    for (name, batch) in batches {
        rows.set_item(name, batch.to_pyarrow(py)?)?;
    }
    Ok(rows)
}

fn refusal(error: OpenError) -> PyErr {
    match error {
        // What the system did not say, a damaged compression did.
        OpenError::Io(error) if error.raw_os_error().is_none() => {
            CaptureError::new_err((format!("it cannot be unpacked: {error}"), None::<u64>))
        }
        OpenError::Io(error) => PyErr::from(error),
        OpenError::NotACapture(not) => CaptureError::new_err((not.message, not.offset)),
        OpenError::NotYet => CaptureError::new_err(("no whole header has come yet", None::<u64>)),
    }
}

/// The time of a capture's first frame, in nanoseconds since the epoch; none without a frame. Raises as Decoder.
#[pyfunction]
fn first_frame_ns(py: Python<'_>, path: PathBuf) -> PyResult<Option<i64>> {
    py.detach(|| {
        let mut source = Source::open(&path)?;
        loop {
            match source.next_item() {
                Item::Frame(record) => return Ok(Some(record.ts)),
                Item::End(_) => return Ok(None),
                _ => {}
            }
        }
    })
    .map_err(refusal)
}

fn failure(frame: u64) -> PyErr {
    let message = format!("the decoder failed at frame {frame}");
    DecoderFault::new_err((message, frame))
}

fn counted<'py>(py: Python<'py>, counts: &[(&'static str, u64)]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, count) in counts {
        dict.set_item(name, count)?;
    }
    Ok(dict)
}

fn resolution(tick_ns: u64) -> String {
    match tick_ns {
        1 => "ns".into(),
        1_000 => "us".into(),
        1_000_000 => "ms".into(),
        1_000_000_000 => "s".into(),
        0 => "finer than ns".into(),
        other => format!("{other} ns"),
    }
}

fn link_type_name(link_type: u16) -> String {
    match link_type {
        0 => "null".into(),
        1 => "ethernet".into(),
        12 | 14 | 101 => "raw".into(),
        108 => "loop".into(),
        113 => "linux_sll".into(),
        228 => "ipv4".into(),
        229 => "ipv6".into(),
        276 => "linux_sll2".into(),
        other => format!("linktype_{other}"),
    }
}

/// The Arrow schema of every table the engine builds.
#[pyfunction]
fn schemas(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let all = PyDict::new(py);
    for (name, schema) in tables::schemas() {
        all.set_item(name, schema.to_pyarrow(py)?)?;
    }
    Ok(all)
}

/// Every limit that a Decoder takes: name -> (default, meaning).
#[pyfunction]
fn limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let all = PyDict::new(py);
    for (name, default, doc) in Limits::ALL {
        all.set_item(name, (default, doc.trim()))?;
    }
    Ok(all)
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{CaptureError, Decoder, DecoderFault, first_frame_ns, limits, schemas};
    #[pymodule_export]
    use crate::python_ring::Ring;
}
