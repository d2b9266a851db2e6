//! A message that comes in parts, put together within limits.

use super::MESSAGE_KEPT;
use crate::protocol::Output;

/// The parts so far.
#[derive(Debug, Default)]
pub struct Assembly {
    kept: Vec<u8>,
    length: usize,
    booked: u64,
}

impl Assembly {
    /// Appends a part; what has no room is left out, its length is counted.
    pub fn push(&mut self, part: &[u8], out: &mut Output<'_>) {
        let free = out.limits.operation_bytes.saturating_sub(out.counts.operation_bytes_kept);
        let free = usize::try_from(free).unwrap_or(usize::MAX);
        let wanted = part.len().min(MESSAGE_KEPT.saturating_sub(self.kept.len()));
        // Only what stands without a hole before it may be kept.
        let kept = if self.kept.len() == self.length { wanted.min(free) } else { 0 };
        out.counts.operation_messages_cut += u64::from(kept < wanted);
        self.kept.extend_from_slice(&part[..kept]);
        self.length = self.length.saturating_add(part.len());
        self.booked += kept as u64;
        out.counts.operation_bytes_kept += kept as u64;
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Gives up the parts so far; their room is given back with the next message.
    pub fn forget(&mut self) {
        self.kept = Vec::new();
        self.length = 0;
    }

    /// The message and its whole length; the next one begins.
    pub fn take(&mut self, out: &mut Output<'_>) -> (Vec<u8>, usize) {
        let booked = std::mem::take(&mut self.booked);
        out.counts.operation_bytes_kept = out.counts.operation_bytes_kept.saturating_sub(booked);
        (std::mem::take(&mut self.kept), std::mem::take(&mut self.length))
    }
}
