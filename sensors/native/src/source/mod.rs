//! Captures in; frames with their time, lengths and interface out.
//!
//! A capture is read once, in order, through one bounded buffer. No number in the file decides an
//! allocation: a record longer than `RECORD_LIMIT` ends the capture with an anomaly instead.

mod input;
mod pcap;
mod pcapng;

use std::fmt;
use std::io::Read;
use std::path::Path;

pub use input::Input;

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
    /// Gzip around the capture.
    pub compressed: bool,
    /// Snapshot length of the (first) interface.
    pub snaplen: u32,
    /// Interfaces declared.
    pub interfaces: u32,
}

enum Format {
    Pcap(pcap::Pcap),
    Pcapng(pcapng::Pcapng),
}

/// An open capture.
pub struct Source {
    input: Input,
    format: Format,
}

impl Source {
    /// Opens a capture file.
    ///
    /// # Errors
    /// `NotACapture` for what is no capture; `io::Error` for what the system does not let us read.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::start(Input::open(path)?)
    }

    /// Reads a capture from any stream of `length` bytes.
    ///
    /// # Errors
    /// As `open`.
    pub fn from_stream(stream: Box<dyn Read + Send + Sync>, length: u64) -> Result<Self, OpenError> {
        Self::start(Input::from_stream(stream, length)?)
    }

    fn start(mut input: Input) -> Result<Self, OpenError> {
        let head = input.peek(4)?;
        if head.is_empty() {
            return Err(OpenError::NotACapture(NotACapture {
                message: "the file is empty: a capture starts with a file header".into(),
                offset: Some(0),
            }));
        }
        let format = if head == pcapng::SECTION {
            Format::Pcapng(pcapng::Pcapng::start(&mut input)?)
        } else if pcap::is_magic(head) {
            Format::Pcap(pcap::Pcap::start(&mut input)?)
        } else {
            return Err(OpenError::NotACapture(NotACapture {
                message: format!(
                    "not a capture: it starts with {}, which is neither pcap, pcapng nor gzip of either",
                    hex(head)
                ),
                offset: Some(0),
            }));
        };
        Ok(Self { input, format })
    }

    /// The next frame, drop count, or the end. After the end: the end again.
    #[inline]
    pub fn next_item(&mut self) -> Item<'_> {
        match &mut self.format {
            Format::Pcap(pcap) => pcap.next_item(&mut self.input),
            Format::Pcapng(pcapng) => pcapng.next_item(&mut self.input),
        }
    }

    /// Shows up to `most` frames that come next, with their link types, as far as they are in memory. Nothing is
    /// consumed: what `next_item` gives stays the same.
    pub fn look_ahead<'a>(&'a self, most: usize, each: impl FnMut(u16, &'a [u8])) {
        let ahead = self.input.ahead();
        match &self.format {
            Format::Pcap(pcap) => pcap.look_ahead(ahead, most, each),
            Format::Pcapng(pcapng) => pcapng.look_ahead(ahead, most, each),
        }
    }

    /// What the capture says of itself so far.
    pub fn description(&self) -> Description {
        let mut description = match &self.format {
            Format::Pcap(pcap) => pcap.description(),
            Format::Pcapng(pcapng) => pcapng.description(),
        };
        description.compressed = self.input.compressed();
        description
    }

    /// (bytes of the file consumed, bytes of the file in all).
    pub fn position(&self) -> (u64, u64) {
        self.input.position()
    }
}

/// Why a capture could not be opened.
#[derive(Debug)]
pub enum OpenError {
    NotACapture(NotACapture),
    Io(std::io::Error),
}

impl From<std::io::Error> for OpenError {
    fn from(error: std::io::Error) -> Self {
        OpenError::Io(error)
    }
}

impl OpenError {
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
