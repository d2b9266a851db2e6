//! Frames in; a bounded series of pcapng files, the newest traffic, out: evidence that can be looked at again.
//!
//! Files are named by the UTC time of their first frame and the interface. What a file holds is whole blocks at any moment, so that a
//! crash leaves a readable file that lacks at most the last second. Where writing fails (a full disk), the traffic
//! is still decoded: it is only not recorded, and counted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Record;
use super::pcapng_blocks::{Interface, packet_block, section_blocks, statistics_block};
use super::ring::Counters;

/// Bytes gathered before they are written: large enough that the system call disappears beside the decoding.
const CHUNK: usize = 512 << 10;

/// After a failure, how long nothing is written.
const RETRY: Duration = Duration::from_secs(5);

/// Records the frames of one ring. Rings of one interface share the files, each as an interface of its own.
pub struct Recorder {
    series: Arc<Mutex<Series>>,
    counters: Arc<Counters>,
    ring: usize,
    chunk: Vec<u8>,
    frames: u64,
    first_ts: i64,
    dropped: u64,
}

/// What a series of files looks like.
#[derive(Clone, Debug)]
pub struct Plan {
    pub folder: PathBuf,
    /// The longest that a file becomes.
    pub file_bytes: u64,
    /// The most files that are kept.
    pub files: usize,
}

/// The files of one interface.
pub struct Series {
    plan: Plan,
    interface: Interface,
    rings: Vec<Shared>,
    file: Option<Open>,
    failing_since: Option<Instant>,
}

/// What the series knows of a ring.
#[derive(Clone, Default)]
struct Shared {
    /// The number of its next frame.
    next_frame: u64,
    /// Dropped since the file began.
    dropped: u64,
}

struct Open {
    file: File,
    length: u64,
}

impl Series {
    pub fn new(plan: Plan, interface: Interface, rings: usize) -> Arc<Mutex<Self>> {
        let rings = vec![Shared { next_frame: 1, dropped: 0 }; rings];
        Arc::new(Mutex::new(Self { plan, interface, rings, file: None, failing_since: None }))
    }

    /// Writes some whole blocks of one ring.
    fn write(&mut self, ring: usize, chunk: &Chunk<'_>, counters: &Counters) {
        let failing = self.failing_since.is_some_and(|since| since.elapsed() < RETRY);
        let outcome = if failing { None } else { Some(self.try_write(ring, chunk, counters)) };
        if let Some(shared) = self.rings.get_mut(ring) {
            shared.next_frame += chunk.frames;
        }
        match outcome {
            Some(Ok(())) => {
                counters.recorded_packets.fetch_add(chunk.frames, std::sync::atomic::Ordering::Relaxed);
                if self.failing_since.take().is_some() {
                    counters.set_trouble("");
                }
            }
            Some(Err(error)) => {
                self.failing_since = Some(Instant::now());
                let folder = self.plan.folder.display();
                counters.set_trouble(&format!("{folder}: recording paused: {error}"));
                counters.unrecorded_packets.fetch_add(chunk.frames, std::sync::atomic::Ordering::Relaxed);
            }
            None => {
                counters.unrecorded_packets.fetch_add(chunk.frames, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    fn try_write(&mut self, ring: usize, chunk: &Chunk<'_>, counters: &Counters) -> io::Result<()> {
        let length = chunk.bytes.len() as u64;
        if self.file.as_ref().is_some_and(|open| open.length + length > self.plan.file_bytes) {
            self.file = None;
        }
        if self.file.is_none() {
            self.file = Some(self.begin(chunk.first_ts, counters)?);
        }
        let mut told = Vec::new();
        if let Some(shared) = self.rings.get_mut(ring).filter(|_| chunk.dropped > 0) {
            shared.dropped += chunk.dropped;
            statistics_block(&mut told, ring as u32, chunk.last_ts, shared.dropped);
        }
        let Some(open) = &mut self.file else { return Ok(()) };
        let written = open.file.write_all(chunk.bytes).and_then(|()| open.file.write_all(&told));
        match written {
            Ok(()) => open.length += length + told.len() as u64,
            Err(_) => {
                // Half a block is no use to anybody; the next try begins a file of its own.
                let _ = open.file.set_len(open.length);
                self.file = None;
            }
        }
        written
    }

    /// Begins a file, once there is room for it among the others.
    fn begin(&mut self, first_ts: i64, counters: &Counters) -> io::Result<Open> {
        let removed = self.make_room()?;
        counters.removed_files.fetch_add(removed, std::sync::atomic::Ordering::Relaxed);
        let mut head = Vec::new();
        let first_frames: Vec<u64> = self.rings.iter().map(|ring| ring.next_frame).collect();
        section_blocks(&mut head, &self.interface, &first_frames);
        let (mut file, path) = create(&self.plan.folder, first_ts, &self.interface.name)?;
        if let Err(error) = file.write_all(&head) {
            let _ = fs::remove_file(path);
            return Err(error);
        }
        for ring in &mut self.rings {
            ring.dropped = 0;
        }
        counters.recorded_files.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(Open { file, length: head.len() as u64 })
    }

    /// Removes the oldest files, of earlier runs too, until one more may be made. Only names that are ours count.
    fn make_room(&self) -> io::Result<u64> {
        let mut names: Vec<_> = fs::read_dir(&self.plan.folder)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| is_ours(name, &self.interface.name))
            .collect();
        names.sort_unstable();
        let surplus = (names.len() + 1).saturating_sub(self.plan.files.max(1));
        let mut removed = 0;
        for name in names.iter().take(surplus) {
            fs::remove_file(self.plan.folder.join(name))?;
            removed += 1;
        }
        Ok(removed)
    }
}

/// Whole blocks of one ring.
struct Chunk<'a> {
    bytes: &'a [u8],
    frames: u64,
    first_ts: i64,
    last_ts: i64,
    dropped: u64,
}

impl Recorder {
    pub fn new(series: Arc<Mutex<Series>>, ring: usize, counters: Arc<Counters>) -> Self {
        let chunk = Vec::with_capacity(CHUNK + (64 << 10));
        Self { series, counters, ring, chunk, frames: 0, first_ts: 0, dropped: 0 }
    }

    /// Takes one frame.
    #[inline]
    pub fn frame(&mut self, record: &Record<'_>) {
        if self.frames == 0 {
            self.first_ts = record.ts;
        }
        packet_block(&mut self.chunk, self.ring as u32, record);
        self.frames += 1;
        if self.chunk.len() >= CHUNK {
            self.write(record.ts);
        }
    }

    /// So many packets were dropped by the kernel.
    pub fn dropped(&mut self, packets: u64) {
        self.dropped += packets;
    }

    /// Writes what is gathered.
    pub fn flush(&mut self) {
        // Drops without a frame wait for the next one: a file is named by its first.
        if self.frames > 0 {
            self.write(self.first_ts);
        }
    }

    /// Writes what is gathered, and the file is done.
    pub fn close(&mut self) {
        self.flush();
    }

    fn write(&mut self, last_ts: i64) {
        let chunk = Chunk {
            bytes: &self.chunk,
            frames: self.frames,
            first_ts: self.first_ts,
            last_ts,
            dropped: self.dropped,
        };
        self.series.lock().unwrap_or_else(PoisonError::into_inner).write(self.ring, &chunk, &self.counters);
        self.chunk.clear();
        self.frames = 0;
        self.dropped = 0;
    }
}

/// A new file for a frame of this time: `20261122T064124.123456Z-span0.pcapng`.
fn create(folder: &Path, ts: i64, interface: &str) -> io::Result<(File, PathBuf)> {
    let mut micros = ts.max(0) / 1_000;
    loop {
        // The kernel lets no slash into an interface's name.
        let path = folder.join(format!("{}-{interface}.pcapng", utc(micros)));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            // Two files of one microsecond: the clock was set back, or the first one failed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => micros += 1,
            Err(error) => return Err(error),
            Ok(file) => return Ok((file, path)),
        }
    }
}

/// A time as it stands in names: their order is that of time.
fn utc(micros: i64) -> String {
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{micros:06}Z")
}

/// True for the names that `create` makes for this interface, and for no other.
fn is_ours(name: &str, interface: &str) -> bool {
    let Some(time) = name.strip_suffix(&format!("-{interface}.pcapng")) else { return false };
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "00000000T000000.000000Z"
}

/// Day, month and year of a day since 1970-01-01, by the proleptic Gregorian calendar.
fn date(days: i64) -> (i64, i64, i64) {
    // Counted in years that begin in March, so that the leap day is the last of its year; eras have 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_first_frames_time() {
        assert_eq!(utc(1_795_327_200_000_001), "20261122T060000.000001Z");
        assert_eq!(utc(951_782_399_999_999), "20000228T235959.999999Z");
        assert_eq!(utc(951_782_400_000_000), "20000229T000000.000000Z");
        assert_eq!(utc(0), "19700101T000000.000000Z");
    }

    #[test]
    fn only_names_of_this_shape_and_interface_are_removed() {
        assert!(is_ours("20261122T060000.000001Z-span0.pcapng", "span0"));
        assert!(!is_ours("20261122T060000.000001Z-span1.pcapng", "span0"));
        assert!(!is_ours("20261122T060000.000001Z-span0.pcapng.bak", "span0"));
        assert!(!is_ours("evidence-span0.pcapng", "span0"));
    }
}
