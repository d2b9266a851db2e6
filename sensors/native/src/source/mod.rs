//! Captures in; frames with their time, lengths and interface out.
//!
//! A capture is read once, in order, through one bounded buffer. No number in the file decides an
//! allocation: a record longer than `RECORD_LIMIT` ends the capture with an anomaly instead.
//! This is the only place of the engine that reads a clock, and only while it listens to an interface.

mod captures;
mod input;
mod pcap;
mod pcapng;
mod pcapng_blocks;
mod recorder;
pub mod ring;
mod tail;
mod zstd;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use captures::Part;
pub use input::Input;
pub use pcapng_blocks::Interface;
pub use recorder::{Plan, Recorder, Series};

use captures::Captures;
use ring::Ring;

/// The longest frame that is read. Wireshark draws the same line (WTAP_MAX_PACKET_SIZE_STANDARD).
pub const RECORD_LIMIT: usize = 262_144;

/// One frame of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Nanoseconds since the Unix epoch.
    pub ts: i64,
    /// Length on the wire, in bytes; at least the captured length.
    pub wire_length: u32,
    /// LINKTYPE_ number.
    pub link_type: u16,
    /// Interface of the capture, 0 in pcap files.
    pub interface: u16,
    /// The captured bytes.
    pub data: &'a [u8],
}

/// What the reader comes to next.
#[derive(Debug)]
pub enum Item<'a> {
    Frame(Record<'a>),
    /// The capture's own count of what it lost since the last one, for an interface.
    Dropped {
        interface: u16,
        packets: u64,
    },
    /// A capture ended early; what comes after it, if anything, goes on.
    Flaw(Flaw),
    /// One capture has ended and another one may begin: nothing to do.
    Between,
    /// No frame, and by the clock of the frames it is this time, in nanoseconds.
    Quiet(i64),
    /// Nothing more for now: a good moment to hand over what there is.
    Pause,
    /// The end: where the capture is whole, `flaw` is none.
    End(Option<Flaw>),
}

/// Why a capture ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub kind: FlawKind,
    /// Byte of the (decompressed) capture.
    pub offset: u64,
    pub detail: String,
    /// The file, where there are several.
    pub file: Option<PathBuf>,
}

impl Flaw {
    pub fn new(kind: FlawKind, offset: u64, detail: impl Into<String>) -> Self {
        Self { kind, offset, detail: detail.into(), file: None }
    }

    fn of(self, file: Option<&Path>) -> Self {
        Self { file: file.map(Path::to_owned), ..self }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.display())?;
        }
        if self.kind == FlawKind::InterfaceLost {
            return f.write_str(&self.detail);
        }
        write!(f, "byte {}: {}", self.offset, self.detail)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlawKind {
    /// The file ends inside a record.
    Cut,
    /// A record says it is longer than any frame can be.
    RecordLength,
    /// A block contradicts itself.
    BadBlock,
    /// The file could not be read further: a damaged gzip stream, a failing disk.
    Unreadable,
    /// The interface went down or vanished.
    InterfaceLost,
}

/// Why a file is not a capture at all.
#[derive(Debug)]
pub struct NotACapture {
    pub message: String,
    pub offset: Option<u64>,
}

impl fmt::Display for NotACapture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What a capture says of itself.
#[derive(Clone, Debug, Default)]
pub struct Description {
    /// "pcap" or "pcapng".
    pub format: &'static str,
    /// "little" or "big".
    pub byte_order: &'static str,
    /// Nanoseconds of one tick of the (first) interface, 0 where finer.
    pub ts_resolution_ns: u64,
    /// Gzip or zstd around the capture.
    pub compressed: bool,
    /// Snapshot length of the (first) interface.
    pub snaplen: u32,
    /// Interfaces declared.
    pub interfaces: u32,
}

enum Kind {
    Captures(Box<Captures>),
    Ring(Box<Ring>),
}

/// Where frames come from.
pub struct Source(Kind);

impl Source {
    /// Opens a capture file.
    ///
    /// # Errors
    /// `NotACapture` for what is no capture; `io::Error` for what the system does not let us read.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::files(vec![path.to_owned()], false)
    }

    /// Reads capture files one after the other; with `follow`, for as long as they may still grow.
    ///
    /// # Errors
    /// As `open`, of the first file. What is wrong with another one is a `Flaw` when its turn comes.
    pub fn files(paths: Vec<PathBuf>, follow: bool) -> Result<Self, OpenError> {
        Captures::open(paths, follow).map(|captures| Self(Kind::Captures(Box::new(captures))))
    }

    /// Reads a capture from any stream of `length` bytes.
    ///
    /// # Errors
    /// As `open`.
    pub fn from_stream(stream: Box<dyn Read + Send + Sync>, length: u64) -> Result<Self, OpenError> {
        Captures::from_stream(stream, length).map(|captures| Self(Kind::Captures(Box::new(captures))))
    }

    /// Listens to an interface.
    pub fn ring(ring: Ring) -> Self {
        Self(Kind::Ring(Box::new(ring)))
    }

    /// The next frame, drop count, pause or the end. After the end: the end again.
    #[inline]
    pub fn next_item(&mut self) -> Item<'_> {
        match &mut self.0 {
            Kind::Captures(captures) => captures.next_item(),
            Kind::Ring(ring) => ring.next_item(),
        }
    }

    /// One file more, read after all others; false where this source has no files.
    pub fn add(&mut self, path: PathBuf) -> bool {
        match &mut self.0 {
            Kind::Captures(captures) => {
                captures.add(path);
                true
            }
            Kind::Ring(_) => false,
        }
    }

    /// Waits for nothing more: what has come is given, then the end.
    pub fn stop(&mut self) {
        match &mut self.0 {
            Kind::Captures(captures) => captures.stop_following(),
            Kind::Ring(ring) => ring.counters().stop(),
        }
    }

    /// Shows up to `most` frames that come next, with their link types, as far as they are in memory. Nothing is
    /// consumed: what `next_item` gives stays the same.
    pub fn look_ahead<'a>(&'a self, most: usize, each: impl FnMut(u16, &'a [u8])) {
        match &self.0 {
            Kind::Captures(captures) => captures.look_ahead(most, each),
            Kind::Ring(ring) => ring.look_ahead(most, each),
        }
    }

    /// What the capture says of itself so far.
    pub fn description(&self) -> Description {
        match &self.0 {
            Kind::Captures(captures) => captures.description(),
            Kind::Ring(ring) => ring.description(),
        }
    }

    /// The files read so far, each with the number of its first frame.
    pub fn parts(&self) -> Vec<Part> {
        match &self.0 {
            Kind::Captures(captures) => captures.parts().cloned().collect(),
            Kind::Ring(_) => Vec::new(),
        }
    }

    /// (bytes consumed, bytes in all): of the files opened so far; an interface has none.
    pub fn position(&self) -> (u64, u64) {
        match &self.0 {
            Kind::Captures(captures) => captures.position(),
            Kind::Ring(_) => (0, 0),
        }
    }
}

/// Why a capture could not be opened.
#[derive(Debug)]
pub enum OpenError {
    NotACapture(NotACapture),
    Io(std::io::Error),
    /// The bytes so far are no whole header, and more may come: of a file that is followed, a stream that waits.
    NotYet,
}

impl From<std::io::Error> for OpenError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::WouldBlock => OpenError::NotYet,
            _ => OpenError::Io(error),
        }
    }
}

impl OpenError {
    /// True where a followed file has only to be waited for.
    fn may_become_a_capture(&self) -> bool {
        match self {
            OpenError::NotYet => true,
            // A writer makes the file first and the header then; a rotation leaves a moment without a file.
            OpenError::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
            OpenError::NotACapture(_) => false,
        }
    }

    fn not(message: impl Into<String>, offset: u64) -> Self {
        OpenError::NotACapture(NotACapture { message: message.into(), offset: Some(offset) })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Both byte orders of a capture file, one way to read numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn name(self) -> &'static str {
        match self {
            Order::Little => "little",
            Order::Big => "big",
        }
    }

    #[inline]
    fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let raw = [bytes[at], bytes[at + 1]];
        match self {
            Order::Little => u16::from_le_bytes(raw),
            Order::Big => u16::from_be_bytes(raw),
        }
    }

    #[inline]
    fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let raw = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        match self {
            Order::Little => u32::from_le_bytes(raw),
            Order::Big => u32::from_be_bytes(raw),
        }
    }

    fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let (low, high) = match self {
            Order::Little => (self.u32(bytes, at), self.u32(bytes, at + 4)),
            Order::Big => (self.u32(bytes, at + 4), self.u32(bytes, at)),
        };
        u64::from(high) << 32 | u64::from(low)
    }
}
