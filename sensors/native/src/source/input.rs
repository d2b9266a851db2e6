//! A file, or gzip of one, as a stream with a window that can be looked into.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::OpenError;

/// Bytes asked for at once: large enough that the system call disappears beside the decoding.
const CHUNK: usize = 1 << 20;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A stream of bytes with a bounded look-ahead.
pub struct Input {
    stream: Box<dyn Read + Send + Sync>,
    window: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the (decompressed) capture before the window's start.
    offset: u64,
    ended: bool,
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
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(OpenError::NotACapture(super::NotACapture {
                message: "a folder, not a capture: name a file in it".into(),
                offset: None,
            }));
        }
        Self::from_stream(Box::new(file), about.len())
    }

    /// Reads from any stream; gzip is known by its magic, never by a file's name.
    pub fn from_stream(stream: Box<dyn Read + Send + Sync>, length: u64) -> Result<Self, OpenError> {
        let consumed = Arc::new(AtomicU64::new(0));
        let mut stream: Box<dyn Read + Send + Sync> =
            Box::new(Counted { inner: stream, count: consumed.clone() });
        let mut magic = Vec::with_capacity(2);
        stream.by_ref().take(2).read_to_end(&mut magic)?;
        let compressed = magic == GZIP;
        stream = Box::new(io::Cursor::new(magic).chain(stream));
        if compressed {
            stream = Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(1 << 16, stream)));
        }
        Ok(Self {
            stream,
            window: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            error: None,
            compressed,
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

    /// Moves on by `count` bytes however many; false where the stream ends before.
    pub fn skip(&mut self, mut count: u64) -> bool {
        while count > 0 {
            let step = self.window(CHUNK.min(usize::try_from(count).unwrap_or(CHUNK))).len();
            if step == 0 {
                return false;
            }
            self.advance(step);
            count -= step as u64;
        }
        true
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
        (self.consumed.load(Ordering::Relaxed) - ahead, self.length)
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
        while self.end < count {
            match self.stream.read(&mut self.window[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
