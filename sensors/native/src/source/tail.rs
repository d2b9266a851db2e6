//! A file that may still be growing: its end is "nothing yet" for as long as it is followed.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the end of a file is waited at. Shared by who reads it and who decides.
#[derive(Clone, Debug, Default)]
pub struct Following(Arc<AtomicBool>);

impl Following {
    pub fn new(following: bool) -> Self {
        Self(Arc::new(AtomicBool::new(following)))
    }

    /// From now on the file's end is its end.
    pub fn stop(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Reads a file; at its end `WouldBlock` while it is followed, and nothing afterwards.
pub struct Tail {
    pub file: File,
    pub following: Following,
}

impl Read for Tail {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // Asked before the read: what was written before following stopped is read after it did.
        let following = self.following.is_on();
        let read = self.file.read(into)?;
        if read == 0 && following && !into.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(read)
    }
}
