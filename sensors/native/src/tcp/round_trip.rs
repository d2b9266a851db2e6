//! Round trips from data and the acknowledgements that cover it.

use std::collections::VecDeque;

use super::MaybeNs;
use super::handshake::elapsed;

/// Segments whose acknowledgement is awaited, for each side; more in flight lose their samples, oldest first.
const AWAITED: usize = 16;

/// How old the other half of a path sample may be.
const HALF_AGE_LIMIT_NS: u64 = 60_000_000_000;

/// A segment that is not acknowledged for so long would have been sent again (RFC 6298, 2): the ACK came in time and
/// the capture missed it. Paths slower than this give no samples.
const ACK_AGE_LIMIT_NS: u64 = 3_000_000_000;

/// Its place in the stream is kept by the low half of the count: what is in flight is nearer than half of that.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    ts: i64,
    start: u32,
    end: u32,
}

/// What an acknowledgement covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Since the newest segment that it covers.
    pub age_ns: u64,
    /// Bytes that it covers.
    pub bytes: u64,
}

/// The time of the oldest segment that was sent once and is not acknowledged yet: most streams have no other in flight.
#[derive(Debug, Default)]
pub struct Awaited {
    oldest: Sent,
}

/// Those behind it, in the order in which they were sent.
#[derive(Debug, Default)]
pub struct Later(VecDeque<Sent>);

impl Later {
    /// Takes one more; the first of them, where there is no room for another.
    pub fn push(&mut self, sent: Sent) -> Option<Sent> {
        self.0.push_back(sent);
        if self.0.len() >= AWAITED { self.0.pop_front() } else { None }
    }

    pub fn pop(&mut self) -> Option<Sent> {
        self.0.pop_front()
    }

    pub fn forget(&mut self) {
        self.0.clear();
    }
}

impl Awaited {
    /// True while one is in flight, which has at least a byte; where none is, the oldest is empty.
    #[inline]
    fn is_waiting(&self) -> bool {
        self.oldest.start != self.oldest.end
    }

    /// A segment was sent, of at least a byte; it again, where an older one is in flight.
    #[inline]
    pub fn push(&mut self, start: u64, end: u64, ts: i64) -> Option<Sent> {
        let sent = Sent { ts, start: start as u32, end: end as u32 };
        if self.is_waiting() {
            return Some(sent);
        }
        self.oldest = sent;
        None
    }

    /// The oldest is given up for the next one.
    pub fn go_on_with(&mut self, next: Sent) {
        self.oldest = next;
    }

    /// Karn's rule, strictly: after a repeat no acknowledgement says what it answers, nor when the segments
    /// behind the hole could have been acknowledged. Fewer samples, none of them too high.
    #[inline]
    pub fn forget(&mut self) {
        self.oldest = Sent::default();
    }

    /// What `acknowledged` covers, where that tells a round trip; what is covered is forgotten, and `next` gives the one
    /// behind it.
    #[inline]
    pub fn cover(
        &mut self,
        acknowledged: u64,
        now: i64,
        mut next: impl FnMut() -> Option<Sent>,
    ) -> Option<Covered> {
        let first = self.oldest.start;
        let mut newest = None;
        while self.is_waiting() && self.oldest.end.wrapping_sub(acknowledged as u32) as i32 <= 0 {
            newest = Some(self.oldest);
            self.oldest = next().unwrap_or_default();
        }
        let newest = newest?;
        let age_ns = elapsed(newest.ts, now).filter(|age| *age <= ACK_AGE_LIMIT_NS)?;
        Some(Covered { age_ns, bytes: u64::from(newest.end.wrapping_sub(first)) })
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Half {
    ns: MaybeNs,
    ts: i64,
}

/// Both sides of the tap, put together.
#[derive(Debug, Default)]
#[repr(C)]
pub struct PathEstimate {
    latest: [Half; 2],
    minimum: MaybeNs,
}

impl PathEstimate {
    #[cfg(test)]
    pub const FIRST_READ: usize = std::mem::offset_of!(Self, minimum);

    #[inline]
    pub fn minimum_ns(&self) -> Option<u64> {
        self.minimum.get()
    }

    /// The handshake's sum; `side` is the client.
    pub fn handshake(&mut self, side: usize, client_half_ns: u64, sum_ns: u64, ts: i64) {
        self.latest[side] = Half { ns: Some(client_half_ns).into(), ts };
        self.lower(sum_ns);
    }

    /// A new half from `side`; the whole path, where the other half is fresh enough.
    ///
    /// Only halves that no delayed ACK can be in are given here: a host may sit on the ACK of a single segment for
    /// up to half a second, but has to acknowledge every second full-sized one at once (RFC 9293, 3.8.6.3).
    pub fn half(&mut self, side: usize, ns: u64, ts: i64) -> Option<u64> {
        self.latest[side] = Half { ns: Some(ns).into(), ts };
        let other = self.latest[1 - side];
        let other_ns = other.ns.get()?;
        if other.ts.abs_diff(ts) > HALF_AGE_LIMIT_NS {
            return None;
        }
        let sum = ns.saturating_add(other_ns);
        self.lower(sum);
        Some(sum)
    }

    fn lower(&mut self, ns: u64) {
        self.minimum = Some(self.minimum_ns().map_or(ns, |minimum| minimum.min(ns))).into();
    }
}
