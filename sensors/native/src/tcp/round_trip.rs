//! Round trips from data and the acknowledgements that cover it.

use super::handshake::elapsed;

/// Segments whose acknowledgement is awaited, for each side; more in flight lose their samples, oldest first.
const AWAITED: usize = 4;

/// How old the other half of a path sample may be.
const HALF_AGE_LIMIT_NS: u64 = 60_000_000_000;

/// A segment that is not acknowledged for so long would have been sent again (RFC 6298, 2): the ACK came in time and
/// the capture missed it. Paths slower than this give no samples.
const ACK_AGE_LIMIT_NS: u64 = 3_000_000_000;

#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    start: u64,
    end: u64,
    ts: i64,
}

/// What an acknowledgement covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Since the newest segment that it covers.
    pub age_ns: u64,
    /// Bytes that it covers.
    pub bytes: u64,
}

/// Times of segments that were sent once and are not acknowledged yet.
#[derive(Debug, Default)]
pub struct Awaited {
    sent: [Sent; AWAITED],
    first: u8,
    count: u8,
}

impl Awaited {
    /// Reads a little of every line of it.
    #[inline]
    pub fn glance(&self) -> u64 {
        self.sent.iter().fold(0, |sum, sent| sum ^ sent.end)
    }

    #[inline]
    pub fn push(&mut self, start: u64, end: u64, ts: i64) {
        if usize::from(self.count) == AWAITED {
            self.first = (self.first + 1) % AWAITED as u8;
            self.count -= 1;
        }
        let slot = usize::from(self.first + self.count) % AWAITED;
        self.sent[slot] = Sent { start, end, ts };
        self.count += 1;
    }

    /// Karn's rule, strictly: after a repeat no acknowledgement says what it answers, nor when the segments
    /// behind the hole could have been acknowledged. Fewer samples, none of them too high.
    #[inline]
    pub fn forget(&mut self) {
        self.count = 0;
    }

    /// What `acknowledged` covers, where that tells a round trip; what is covered is forgotten.
    #[inline]
    pub fn cover(&mut self, acknowledged: u64, now: i64) -> Option<Covered> {
        let mut newest = None;
        let mut start = None;
        while self.count > 0 {
            let sent = self.sent[usize::from(self.first)];
            if sent.end > acknowledged {
                break;
            }
            start.get_or_insert(sent.start);
            newest = Some(sent);
            self.first = (self.first + 1) % AWAITED as u8;
            self.count -= 1;
        }
        let newest = newest?;
        let age_ns = elapsed(newest.ts, now).filter(|age| *age <= ACK_AGE_LIMIT_NS)?;
        Some(Covered { age_ns, bytes: newest.end - start? })
    }
}

#[derive(Clone, Copy, Debug)]
struct Half {
    ns: u64,
    ts: i64,
}

/// Both sides of the tap, put together.
#[derive(Debug, Default)]
pub struct PathEstimate {
    latest: [Option<Half>; 2],
    minimum_ns: Option<u64>,
}

impl PathEstimate {
    pub fn minimum_ns(&self) -> Option<u64> {
        self.minimum_ns
    }

    /// The handshake's sum; `side` is the client.
    pub fn handshake(&mut self, side: usize, client_half_ns: u64, sum_ns: u64, ts: i64) {
        self.latest[side] = Some(Half { ns: client_half_ns, ts });
        self.lower(sum_ns);
    }

    /// A new half from `side`; the whole path, where the other half is fresh enough.
    ///
    /// Only halves that no delayed ACK can be in are given here: a host may sit on the ACK of a single segment for
    /// up to half a second, but has to acknowledge every second full-sized one at once (RFC 9293, 3.8.6.3).
    pub fn half(&mut self, side: usize, ns: u64, ts: i64) -> Option<u64> {
        self.latest[side] = Some(Half { ns, ts });
        let other = self.latest[1 - side]?;
        if other.ts.abs_diff(ts) > HALF_AGE_LIMIT_NS {
            return None;
        }
        let sum = ns.saturating_add(other.ns);
        self.lower(sum);
        Some(sum)
    }

    fn lower(&mut self, ns: u64) {
        self.minimum_ns = Some(self.minimum_ns.map_or(ns, |minimum| minimum.min(ns)));
    }
}
