//! Ports used again: which segments open another flow, and what becomes of those that only seem to.

use super::talk::Talk;
use super::{Flow, Shared};
use crate::anomaly::{AnomalyKind, At};
use crate::limits::Limits;
use crate::tcp::{Challenger, Listener, Reuse};
use crate::transport::{Segment, flag};

impl Flow {
    /// Whether a segment belongs to this flow or to another one on the same ports.
    #[inline(always)]
    pub fn judge(&self, side: usize, segment: &Segment<'_>, ts: i64, limits: &Limits) -> Reuse {
        let Some(tcp) = &self.tcp else { return Reuse::None };
        if !segment.has(flag::SYN) && !tcp.is_challenged() {
            return Reuse::None;
        }
        let silence_ns = ts.saturating_sub(self.core.last.ts);
        let quiet = u64::try_from(silence_ns).unwrap_or(0) / 1_000_000_000 >= limits.tcp_closed_idle_s;
        tcp.judge(side, segment, quiet)
    }

    /// Whether a segment's numbers go on from this connection's; none where there is nothing to tell by.
    pub fn goes_on(&self, side: usize, segment: &Segment<'_>) -> Option<bool> {
        self.tcp.as_ref()?.goes_on(side, segment)
    }

    /// Keeps a SYN apart until somebody answers it; the one that it takes the place of was this flow's, which is told
    /// by true where that is its first packet of the minute.
    pub fn challenge(
        &mut self,
        side: usize,
        segment: &Segment<'_>,
        wire_bytes: u32,
        at: At,
        shared: &mut Shared,
    ) -> bool {
        let before = self.tcp.as_mut().and_then(|tcp| tcp.challenge(side, segment, wire_bytes, at));
        before.is_some_and(|before| self.refuse(&before, shared))
    }

    /// Takes the segment that another flow begins with: apart from `segment`, which every packet goes through in place.
    #[inline(never)]
    pub fn first_segment(&mut self, segment: &Segment<'_>, at: At, shared: &mut Shared) {
        self.segment(0, segment, at, shared);
    }

    /// The challenger that was answered: another flow begins with it.
    pub fn take_challenger(&mut self) -> Option<Challenger> {
        self.tcp.as_mut()?.take_challenger()
    }

    /// Nobody answered the challenger in time, or ever.
    pub(super) fn forget_challenger(&mut self, end: bool, shared: &mut Shared) {
        let now = (!end).then_some(self.core.last.ts);
        let unanswered = self.tcp.as_mut().and_then(|tcp| tcp.take_unanswered(now));
        if let Some(challenger) = unanswered {
            self.refuse(&challenger, shared);
        }
    }

    fn refuse(&mut self, challenger: &Challenger, shared: &mut Shared) -> bool {
        let Challenger { side, at, times, sequence, .. } = *challenger;
        let first = self.count(side, times, challenger.wire_bytes.saturating_mul(times), 0, at);
        Talk { core: &mut self.core, shared }.anomaly(AnomalyKind::SynInConnection, at, &|| {
            format!(
                "a SYN with number {sequence} in a connection that goes on: forged, or of a host that forgot"
            )
        });
        first
    }
}
