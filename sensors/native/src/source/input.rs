//! A file, plain or packed, as a stream with a window that can be looked into.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::OpenError;
use super::tail::{Following, Tail};
use super::zstd::{self, Zstd};

/// Bytes asked for at once: large enough that the system call disappears beside the decoding, small enough that what was
/// read is still in the processor's second cache, beside the flows, when it is looked at.
const CHUNK: usize = 1 << 16;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Bytes of a packed file that are read at once.
const PACKED_CHUNK: usize = 1 << 16;

/// A stream of bytes with a bounded look-ahead.
pub struct Input {
    stream: Box<dyn Read + Send + Sync>,
    window: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the (decompressed) capture before the window's start.
    offset: u64,
    ended: bool,
    /// The last read met the end of a file that is followed: more may come.
    waits: bool,
    following: Following,
    error: Option<String>,
    compressed: bool,
    consumed: Arc<AtomicU64>,
    length: u64,
}

/// Counts the bytes that are read from a file.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Input {
    /// Opens a file; a folder is refused in words, since reading one fails in none.
    ///
    /// While the file is followed, its end is only where it is waited at: see `waits`.
    pub fn open(path: &Path, follow: bool) -> Result<Self, OpenError> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(OpenError::NotACapture(super::NotACapture {
                message: "a folder, not a capture: name a file in it".into(),
                offset: None,
            }));
        }
        let following = Following::new(follow);
        let tail = Tail { file, following: following.clone() };
        Self::start(Box::new(tail), about.len(), following)
    }

    /// Reads from any stream; a packed one is known by its magic, never by a file's name.
    pub fn from_stream(stream: Box<dyn Read + Send + Sync>, length: u64) -> Result<Self, OpenError> {
        Self::start(stream, length, Following::default())
    }

    fn start(
        stream: Box<dyn Read + Send + Sync>,
        length: u64,
        following: Following,
    ) -> Result<Self, OpenError> {
        let consumed = Arc::new(AtomicU64::new(0));
        let mut stream: Box<dyn Read + Send + Sync> =
            Box::new(Counted { inner: stream, count: consumed.clone() });
        let mut magic = Vec::with_capacity(4);
        stream.by_ref().take(4).read_to_end(&mut magic)?;
        let (is_gzip, is_zstd) = (magic.starts_with(&GZIP), magic == zstd::MAGIC);
        stream = Box::new(io::Cursor::new(magic).chain(stream));
        if is_gzip {
            stream = Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(PACKED_CHUNK, stream)));
        } else if is_zstd {
            // Half a block cannot be taken up again: a growing zstd file is read as far as it goes.
            following.stop();
            stream = Box::new(Zstd::new(io::BufReader::with_capacity(PACKED_CHUNK, stream)));
        }
        Ok(Self {
            stream,
            window: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            waits: false,
            following,
            error: None,
            compressed: is_gzip || is_zstd,
            consumed,
            length,
        })
    }

    /// The next `count` bytes, or as many as there are. `count` is bounded by the callers.
    #[inline]
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count && !self.ended {
            self.fill(count)?;
        }
        let available = count.min(self.end - self.start);
        Ok(&self.window[self.start..self.start + available])
    }

    /// As `peek`, but a failing read ends the stream; `error` then tells why.
    #[inline]
    pub fn window(&mut self, count: usize) -> &[u8] {
        if self.end - self.start < count && !self.ended {
            if let Err(error) = self.fill(count) {
                self.error = Some(error.to_string());
                self.ended = true;
            }
        }
        let available = count.min(self.end - self.start);
        &self.window[self.start..self.start + available]
    }

    /// Bytes that were looked at with `window` and are still there, without reading on.
    #[inline]
    pub fn held(&self, from: usize, count: usize) -> &[u8] {
        &self.window[self.start - from..self.start - from + count]
    }

    /// What is in the window already: bytes that come next.
    #[inline]
    pub fn ahead(&self) -> &[u8] {
        &self.window[self.start..self.end]
    }

    /// Moves on by `count` bytes that `window` has shown.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Moves on by `count` bytes, or as many as come; how many that were.
    pub fn skip(&mut self, count: u64) -> u64 {
        let step = self.window(CHUNK.min(usize::try_from(count).unwrap_or(CHUNK))).len();
        self.advance(step);
        step as u64
    }

    /// True where the last look came to the end of a file that is followed: what is missing may still come.
    #[inline]
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// From now on the end of the file is its end.
    pub fn stop_following(&mut self) {
        self.following.stop();
        self.waits = false;
    }

    /// Bytes of the file that were read, however many of them are still to be unpacked or looked at.
    pub fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }

    /// Offset in the (decompressed) capture.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Why reading failed, where it did.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    pub fn compressed(&self) -> bool {
        self.compressed
    }

    /// (bytes of the file consumed, bytes of the file in all).
    pub fn position(&self) -> (u64, u64) {
        let ahead = if self.compressed { 0 } else { (self.end - self.start) as u64 };
        (self.consumed().saturating_sub(ahead), self.length)
    }

    #[cold]
    fn fill(&mut self, count: usize) -> io::Result<()> {
        self.window.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let wanted = count.max(CHUNK);
        if self.window.len() < wanted {
            self.window.resize(wanted, 0);
        }
        self.waits = false;
        while self.end < count {
            match self.stream.read(&mut self.window[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waits = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
