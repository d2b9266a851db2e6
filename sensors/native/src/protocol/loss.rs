//! Requests that may have been lost before the tap: an answer to one of them looks like one that nobody asked for.

use crate::anomaly::At;

/// Not lost yet, or lost at a time that the next message will tell.
const NEVER: i64 = i64::MIN;
const JUST_NOW: i64 = i64::MAX;

/// When bytes of one side were last known to be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss(i64);

impl Default for Loss {
    fn default() -> Self {
        Self(NEVER)
    }
}

impl Loss {
    /// Bytes are missing before the next message, or the stream was joined in its middle.
    pub fn note(&mut self) {
        self.0 = JUST_NOW;
    }

    /// A message is read, of either side: what was lost before it was lost by now.
    #[inline]
    pub fn pass(&mut self, at: At) {
        if self.0 == JUST_NOW {
            self.0 = at.ts;
        }
    }

    /// True while a request that was lost could still wait for its answer.
    pub fn explains(&self, at: At, patience_s: u64) -> bool {
        let patience_ns = patience_s.saturating_mul(1_000_000_000);
        self.0 != NEVER && (self.0 == JUST_NOW || at.ts.abs_diff(self.0) <= patience_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> At {
        At { ts: seconds * 1_000_000_000, frame: 1 }
    }

    #[test]
    fn a_loss_explains_for_as_long_as_a_request_waits() {
        let mut loss = Loss::default();
        loss.pass(at(1));
        assert!(!loss.explains(at(1), 60));
        loss.note();
        assert!(loss.explains(at(5), 60));
        loss.pass(at(10));
        loss.pass(at(20));
        assert!(loss.explains(at(70), 60));
        assert!(!loss.explains(at(71), 60));
    }
}
