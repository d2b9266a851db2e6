//! The Python face of an interface's ring.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::source::ring::{self, Counters, Options, RingError};
use crate::source::{Interface, Plan, Recorder, Series};

/// One ring of a network interface: all of its packets, or its share of the flows.
#[pyclass(module = "sensors._native", frozen)]
pub struct Ring {
    ring: Mutex<Option<ring::Ring>>,
    counters: Arc<Counters>,
    number: u32,
    rings: u32,
    link_type: u16,
}

impl Ring {
    /// The ring itself, for the one who reads it.
    pub fn take(&self) -> Option<ring::Ring> {
        self.held().take()
    }

    /// Its number among the rings of the interface, from 0.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many rings the interface has.
    pub fn rings(&self) -> u32 {
        self.rings
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<ring::Ring>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Ring {
    /// Open an interface: `rings` rings that share its flows. No packet comes before `start`.
    ///
    /// `record` is (folder, bytes of a file, files): a recording that is kept within them. Raises OSError, ValueError.
    #[staticmethod]
    #[pyo3(signature = (interface, *, rings, ring_bytes, snaplen, promiscuous, wait, record))]
    fn open(
        interface: String,
        rings: usize,
        ring_bytes: usize,
        snaplen: u32,
        promiscuous: bool,
        wait: bool,
        record: Option<(PathBuf, u64, usize)>,
    ) -> PyResult<Vec<Self>> {
        let options = Options { interface, ring_bytes, snaplen, promiscuous, wait };
        let mut opened = ring::Ring::open(&options, rings).map_err(refusal)?;
        if let (Some((folder, file_bytes, files)), Some(first)) = (record, opened.first()) {
            let plan = Plan { folder, file_bytes, files };
            let about = Interface { name: options.interface, link_type: first.link_type(), snaplen };
            let series = Series::new(plan, about, opened.len());
            for (number, ring) in opened.iter_mut().enumerate() {
                ring.record(Recorder::new(series.clone(), number, ring.counters()));
            }
        }
        let rings = u32::try_from(opened.len()).unwrap_or(u32::MAX);
        let wrapped = opened.into_iter().zip(0..).map(|(ring, number)| Self {
            counters: ring.counters(),
            link_type: ring.link_type(),
            ring: Mutex::new(Some(ring)),
            number,
            rings,
        });
        Ok(wrapped.collect())
    }

    /// From now on packets come. Raises OSError, and ValueError once a decoder has the ring.
    fn start(&self) -> PyResult<()> {
        let held = self.held();
        let ring = held.as_ref().ok_or_else(|| PyValueError::new_err("the ring is being read"))?;
        Ok(ring.start()?)
    }

    /// Ask it to end: what has come is still given. May be called from any thread.
    fn stop(&self) {
        self.counters.stop();
    }

    /// Counts since the start, by name; up to date within a second.
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        for (name, count) in self.counters.all() {
            counts.set_item(name, count)?;
        }
        Ok(counts)
    }

    /// What goes wrong at the moment (a recording that cannot be written), in words; empty: nothing.
    fn trouble(&self) -> String {
        self.counters.trouble()
    }

    /// Why listening ended though nobody asked for it, in words; empty: it did not.
    fn lost(&self) -> String {
        self.counters.lost()
    }

    /// LINKTYPE_ of its frames.
    #[getter]
    fn link_type(&self) -> u16 {
        self.link_type
    }
}

fn refusal(error: RingError) -> PyErr {
    match error {
        RingError::Io(doing, error) => {
            let message = format!("{doing}: {error}");
            match error.raw_os_error() {
                Some(number) => PyOSError::new_err((number, message)),
                None => PyOSError::new_err(message),
            }
        }
        RingError::LinkType(kind) => {
            PyValueError::new_err(format!("frames of its kind ({kind}) are not read"))
        }
    }
}
