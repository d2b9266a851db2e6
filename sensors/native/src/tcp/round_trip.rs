//! Round trips from data and the acknowledgements that cover it.

use super::handshake::elapsed;

/// Segments whose acknowledgement is awaited, for each side; more in flight lose their samples, oldest first.
const AWAITED: usize = 8;

/// How old the other half of a path sample may be.
const HALF_AGE_LIMIT_NS: u64 = 60_000_000_000;

#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    end: u64,
    ts: i64,
}

/// Times of segments that were sent once and are not acknowledged yet.
#[derive(Debug, Default)]
pub struct Awaited {
    sent: [Sent; AWAITED],
    first: u8,
    count: u8,
}

impl Awaited {
    #[inline]
    pub fn push(&mut self, end: u64, ts: i64) {
        if usize::from(self.count) == AWAITED {
            self.first = (self.first + 1) % AWAITED as u8;
            self.count -= 1;
        }
        let slot = usize::from(self.first + self.count) % AWAITED;
        self.sent[slot] = Sent { end, ts };
        self.count += 1;
    }

    /// Karn's rule, strictly: after a repeat no acknowledgement says what it answers, nor when the segments
    /// behind the hole could have been acknowledged. Fewer samples, none of them too high.
    #[inline]
    pub fn forget(&mut self) {
        self.count = 0;
    }

    /// The age of the newest segment that `acknowledged` covers, if any; what is covered is forgotten.
    #[inline]
    pub fn cover(&mut self, acknowledged: u64, now: i64) -> Option<u64> {
        let mut newest = None;
        while self.count > 0 {
            let sent = self.sent[usize::from(self.first)];
            if sent.end > acknowledged {
                break;
            }
            newest = Some(sent.ts);
            self.first = (self.first + 1) % AWAITED as u8;
            self.count -= 1;
        }
        elapsed(newest?, now)
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

    /// A new half from `side`; the whole path, where it is the server's and the client's is fresh enough.
    #[inline]
    pub fn half(&mut self, side: usize, by_server: Option<bool>, ns: u64, ts: i64) -> Option<u64> {
        self.latest[side] = Some(Half { ns, ts });
        if by_server != Some(true) {
            return None;
        }
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
