//! Capture files in their order; the frames of all of them, as if they were one, out.
//!
//! A followed series does not end with its last file: it waits for more bytes, or for another file. A file that was
//! replaced (its name is another file's now) is read to its end, then the new one from its start.

use std::collections::VecDeque;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::{Description, Flaw, FlawKind, Input, Item, NotACapture, OpenError, hex, pcap, pcapng};

/// Files of a series that are remembered with the number of their first frame: the newest.
const PARTS_REMEMBERED: usize = 4_096;

enum Format {
    Pcap(pcap::Pcap),
    Pcapng(pcapng::Pcapng),
}

/// One open capture.
struct Capture {
    input: Input,
    format: Format,
}

impl Capture {
    fn start(mut input: Input) -> Result<Self, OpenError> {
        let head = input.peek(4)?;
        let format = if head == pcapng::SECTION {
            Format::Pcapng(pcapng::Pcapng::start(&mut input)?)
        } else if pcap::is_magic(head) {
            Format::Pcap(pcap::Pcap::start(&mut input)?)
        } else {
            let (is_empty, shown, is_short) = (head.is_empty(), hex(head), head.len() < 4);
            if is_short && input.waits() {
                return Err(OpenError::NotYet);
            }
            let message = if is_empty {
                "the file is empty: a capture starts with a file header".into()
            } else {
                format!(
                    "not a capture: it starts with {shown}, which is neither pcap, pcapng nor gzip or zstd of either"
                )
            };
            return Err(OpenError::NotACapture(NotACapture { message, offset: Some(0) }));
        };
        Ok(Self { input, format })
    }

    #[inline]
    fn next_item(&mut self) -> Item<'_> {
        match &mut self.format {
            Format::Pcap(pcap) => pcap.next_item(&mut self.input),
            Format::Pcapng(pcapng) => pcapng.next_item(&mut self.input),
        }
    }

    fn description(&self) -> Description {
        let mut description = match &self.format {
            Format::Pcap(pcap) => pcap.description(),
            Format::Pcapng(pcapng) => pcapng.description(),
        };
        description.compressed = self.input.compressed();
        description
    }
}

/// A file of the series, and the number of its first frame in the whole series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub path: PathBuf,
    pub first_frame: u64,
}

/// What the next call has to do before it reads on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    ReadOn,
    /// The file's end was met; it may still be growing.
    LookAgain,
    /// The file has ended.
    NextFile,
}

/// Captures that are read one after the other.
pub struct Captures {
    current: Option<Capture>,
    path: Option<PathBuf>,
    /// Device and number of the open file: the name may come to mean another one.
    identity: (u64, u64),
    queue: VecDeque<PathBuf>,
    follow: bool,
    turn: Turn,
    frames: u64,
    parts: VecDeque<Part>,
    /// One of many, or of a file that others may follow: what is told of it names it.
    is_series: bool,
    read_bytes: u64,
    read_files_bytes: u64,
    last: Description,
}

impl Captures {
    /// Opens the first of these files; the others when it is their turn.
    pub fn open(paths: Vec<PathBuf>, follow: bool) -> Result<Self, OpenError> {
        let mut captures = Self::empty(follow);
        captures.is_series = follow || paths.len() > 1;
        captures.queue = paths.into();
        match captures.open_next() {
            Ok(()) => Ok(captures),
            Err(OpenError::NotYet) if follow => Ok(captures),
            Err(error) => Err(error),
        }
    }

    /// One capture from any stream of `length` bytes.
    pub fn from_stream(stream: Box<dyn Read + Send + Sync>, length: u64) -> Result<Self, OpenError> {
        let capture = Capture::start(Input::from_stream(stream, length)?)?;
        let last = capture.description();
        Ok(Self { current: Some(capture), last, turn: Turn::ReadOn, ..Self::empty(false) })
    }

    fn empty(follow: bool) -> Self {
        Self {
            current: None,
            path: None,
            identity: (0, 0),
            queue: VecDeque::new(),
            follow,
            turn: Turn::NextFile,
            frames: 0,
            parts: VecDeque::new(),
            is_series: false,
            read_bytes: 0,
            read_files_bytes: 0,
            last: Description::default(),
        }
    }

    /// One file more, read after all others.
    pub fn add(&mut self, path: PathBuf) {
        self.is_series = true;
        self.queue.push_back(path);
    }

    /// Follows no longer: what is there is read, then the series ends.
    pub fn stop_following(&mut self) {
        self.follow = false;
        if let Some(capture) = &mut self.current {
            capture.input.stop_following();
        }
    }

    /// The next frame, drop count, flaw, pause or the end. After the end: the end again.
    #[inline]
    pub fn next_item(&mut self) -> Item<'_> {
        if self.turn != Turn::ReadOn {
            if let Some(item) = self.turn_over() {
                return item;
            }
        }
        let Some(capture) = &mut self.current else { return Item::Between };
        match capture.next_item() {
            Item::Frame(record) => {
                self.frames += 1;
                Item::Frame(record)
            }
            Item::End(flaw) => {
                self.turn = Turn::NextFile;
                match flaw {
                    Some(flaw) if self.is_series => Item::Flaw(flaw.of(self.path.as_deref())),
                    Some(flaw) => Item::Flaw(flaw),
                    None => Item::Between,
                }
            }
            Item::Pause => {
                self.turn = Turn::LookAgain;
                Item::Pause
            }
            other => other,
        }
    }

    /// Shows up to `most` frames of the open file that come next, as far as they are in memory.
    pub fn look_ahead<'a>(&'a self, most: usize, each: impl FnMut(u16, &'a [u8])) {
        let Some(capture) = &self.current else { return };
        let ahead = capture.input.ahead();
        match &capture.format {
            Format::Pcap(pcap) => pcap.look_ahead(ahead, most, each),
            Format::Pcapng(pcapng) => pcapng.look_ahead(ahead, most, each),
        }
    }

    /// What has to be done before reading on; none where there is nothing to say of it.
    #[cold]
    fn turn_over(&mut self) -> Option<Item<'static>> {
        match self.turn {
            Turn::ReadOn => None,
            Turn::LookAgain => {
                self.turn = Turn::ReadOn;
                self.look_again()
            }
            Turn::NextFile => {
                self.close();
                match self.open_next() {
                    Ok(()) => None,
                    Err(OpenError::NotYet) => Some(Item::Pause),
                    Err(error) => Some(Item::Flaw(unopened(&error).of(self.path.as_deref()))),
                }
            }
        }
        .or_else(|| self.is_over().then_some(Item::End(None)))
    }

    fn is_over(&self) -> bool {
        self.current.is_none() && self.queue.is_empty() && !self.follow
    }

    /// The end of a followed file was met: was it replaced, cut, or is another one waiting?
    fn look_again(&mut self) -> Option<Item<'static>> {
        let (Some(capture), Some(path)) = (&mut self.current, &self.path) else { return None };
        let consumed = capture.input.consumed();
        match fs::metadata(path) {
            Ok(about) if (about.dev(), about.ino()) != self.identity => {
                // Everything that was written to the old file was written before the new one had its name.
                capture.input.stop_following();
                self.queue.push_front(path.clone());
            }
            Ok(about) if about.len() < consumed => {
                let length = about.len();
                let detail = format!("the file was cut to {length} bytes: it is read from its start again");
                let flaw = Flaw::new(FlawKind::Cut, consumed, detail).of(Some(path));
                self.queue.push_front(path.clone());
                self.turn = Turn::NextFile;
                return Some(Item::Flaw(flaw));
            }
            _ if !self.queue.is_empty() => capture.input.stop_following(),
            // Still there and no longer than it was, or gone and nobody else's name yet.
            _ => {}
        }
        None
    }

    fn close(&mut self) {
        if let Some(capture) = self.current.take() {
            self.last = capture.description();
            let (read, length) = capture.input.position();
            self.read_bytes += read;
            self.read_files_bytes += length.max(read);
        }
    }

    /// Opens the next file of the queue. `NotYet`: there is none yet, or it has no whole header yet.
    fn open_next(&mut self) -> Result<(), OpenError> {
        let Some(path) = self.queue.pop_front() else {
            return if self.follow { Err(OpenError::NotYet) } else { Ok(()) };
        };
        let opened = fs::metadata(&path).map_err(OpenError::from).and_then(|about| {
            let capture = Capture::start(Input::open(&path, self.follow)?)?;
            Ok((capture, (about.dev(), about.ino())))
        });
        match opened {
            Ok((capture, identity)) => {
                self.last = capture.description();
                self.current = Some(capture);
                self.identity = identity;
                self.turn = Turn::ReadOn;
                if self.parts.len() == PARTS_REMEMBERED {
                    self.parts.pop_front();
                }
                self.parts.push_back(Part { path: path.clone(), first_frame: self.frames + 1 });
                self.path = Some(path);
                Ok(())
            }
            // Another file after it means that nobody writes this one any more.
            Err(error) if error.may_become_a_capture() && self.follow && self.queue.is_empty() => {
                self.queue.push_front(path);
                Err(OpenError::NotYet)
            }
            Err(error) => {
                self.path = Some(path);
                Err(error)
            }
        }
    }

    /// What the capture that is open, or was open last, says of itself.
    pub fn description(&self) -> Description {
        self.current.as_ref().map_or_else(|| self.last.clone(), Capture::description)
    }

    /// (bytes of the files consumed, bytes of the files opened so far).
    pub fn position(&self) -> (u64, u64) {
        let (read, length) = self.current.as_ref().map_or((0, 0), |capture| capture.input.position());
        (self.read_bytes + read, self.read_files_bytes + length)
    }

    /// The files read so far, oldest first; of very many the newest.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter()
    }
}

/// Why a file of a series is missing from it.
fn unopened(error: &OpenError) -> Flaw {
    let (offset, detail) = match error {
        OpenError::Io(error) => (0, error.to_string()),
        OpenError::NotACapture(not) => (not.offset.unwrap_or(0), not.message.clone()),
        OpenError::NotYet => (0, "the file has no whole header".into()),
    };
    Flaw::new(FlawKind::Unreadable, offset, detail)
}
