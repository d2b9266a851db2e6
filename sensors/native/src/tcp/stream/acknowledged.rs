//! Acknowledgements in; round trips, and what the capture must have missed, out.
//!
//! An acknowledgement of bytes that nobody saw says that the capture lost them. One forged number would say it of a
//! gigabyte: what goes further than the peer's window can reach is a doubt, which is believed once others go on from
//! it, and is an anomaly once the numbers go on below it. Direction of error: after a capture's blackout longer than
//! a window, up to two acknowledgements' worth of loss is counted late.

use super::{Covered, Stream, Turn, WINDOW_LIMIT, segments_of};
use crate::anomaly::{AnomalyKind, At};
use crate::tcp::{Held, Listener};

/// Doubtful acknowledgements in a row, each going on from the last, after which they are believed.
const DOUBTS_BELIEVED: u8 = 3;

/// A hole that nothing has filled for so long will not be filled: the longest time after which hosts send again is
/// more, but few rows should wait for it (RFC 6298, 2.5).
const HOLE_AGE_LIMIT_NS: u64 = 30_000_000_000;

/// An acknowledgement of more than was seen and than a window holds.
#[derive(Debug)]
pub struct Doubt {
    place: u64,
    times: u8,
    at: At,
}

impl Stream {
    /// The peer acknowledges; a round trip, where this covers a segment that was sent once.
    #[inline(always)]
    pub fn acknowledged(
        &mut self,
        turn: &Turn<'_>,
        number: u32,
        first: &mut u32,
        held: &mut Held,
        out: &mut impl Listener,
    ) -> Option<Covered> {
        if !self.known {
            self.one_sided(turn, number, out);
            return None;
        }
        let place = self.place(number);
        if (place > self.highest || self.has_doubt())
            && !self.is_believed(turn, place, self.highest.max(self.acknowledged), out)
        {
            return None;
        }
        if place <= self.acknowledged {
            return None;
        }
        self.pass_keepalive(place, first);
        self.acknowledged = place;
        if self.has_pieces() && place > self.next {
            // The peer has what is missing here: it is the capture that lost it.
            self.give_up(turn, place.min(self.highest), held, out);
        }
        let Self { awaited, disorder, .. } = self;
        awaited.cover(place, turn.at.ts, || disorder.as_mut()?.later.pop())
    }

    /// Whether an acknowledgement can be true where `known` is the end of all that was sent or acknowledged.
    #[cold]
    fn is_believed(&mut self, turn: &Turn<'_>, place: u64, known: u64, out: &mut impl Listener) -> bool {
        // A segment of the least size, so that a closed window does not make doubts of single bytes.
        let window = turn.window.max(u64::from(turn.mss));
        let doubt = self.disorder.as_mut().and_then(|disorder| disorder.doubt.take());
        if place <= known.saturating_add(window) {
            if let Some(doubt) = doubt.filter(|doubt| place < doubt.place) {
                refute(&doubt, known, out);
            }
            return true;
        }
        if place > known + WINDOW_LIMIT {
            refute(&Doubt { place, times: 1, at: turn.at }, known, out);
            self.disorder().doubt = doubt;
            return false;
        }
        let times = match doubt {
            Some(doubt) if doubt.place <= place && place <= doubt.place.saturating_add(window) => {
                doubt.times.saturating_add(1)
            }
            Some(other) => {
                // Of a side that cannot be seen only a number that goes back says that one was wrong.
                if self.known || place < other.place {
                    refute(&other, known, out);
                }
                1
            }
            None => 1,
        };
        if times >= DOUBTS_BELIEVED {
            return true;
        }
        self.disorder().doubt = Some(Doubt { place, times, at: turn.at });
        false
    }

    /// Acknowledgements of a side that was never seen: what they cover was lost by the capture.
    fn one_sided(&mut self, turn: &Turn<'_>, number: u32, out: &mut impl Listener) {
        if self.acknowledged == 0 {
            self.acknowledged = 1 << 32 | u64::from(number);
            return;
        }
        let ahead = number.wrapping_sub(self.acknowledged as u32) as i32;
        let place = self.acknowledged.wrapping_add_signed(i64::from(ahead));
        let in_window = place <= self.acknowledged.saturating_add(turn.window) && !self.has_doubt();
        if !in_window && !self.is_believed(turn, place, self.acknowledged, out) || place <= self.acknowledged
        {
            return;
        }
        let missing = place - self.acknowledged;
        self.acknowledged = place;
        out.missed(turn.side, segments_of(missing, turn.mss), missing);
    }

    /// Counts what the peer has acknowledged but nobody saw, and gives up holes that stay; at the end, every hole.
    pub fn settle(&mut self, turn: &Turn<'_>, end: bool, held: &mut Held, out: &mut impl Listener) {
        if end {
            let doubt = self.disorder.as_mut().and_then(|disorder| disorder.doubt.take());
            // Nothing speaks against the last word about a side that cannot be seen.
            if let Some(doubt) = doubt.filter(|_| self.known) {
                refute(&doubt, self.highest, out);
            }
        }
        if !self.known {
            return;
        }
        if self.acknowledged > self.next && self.has_pieces() {
            self.give_up(turn, self.acknowledged.min(self.highest), held, out);
        }
        if self.acknowledged > self.next {
            // The stream stays where it is: nothing but the peer's word says that more was sent, and one forged
            // acknowledgement must not hide what is sent later.
            let until = self.without_fin(self.acknowledged);
            let missing = self.count_unseen(turn.side, until, turn.mss, out);
            if missing > 0 {
                self.await_none();
                out.gap(turn.side, missing, turn.at);
            }
        }
        if end && self.has_pieces() {
            self.give_up(turn, self.highest, held, out);
        } else {
            self.give_up_old_holes(turn, held, out);
        }
    }

    /// Where the peer is not seen, nobody acknowledges what was missed: time alone ends the wait.
    pub(super) fn give_up_old_holes(&mut self, turn: &Turn<'_>, held: &mut Held, out: &mut impl Listener) {
        while let Some(first) = self.pieces().first() {
            if first.at.ts.saturating_add(HOLE_AGE_LIMIT_NS as i64) > turn.at.ts {
                return;
            }
            let start = first.start;
            self.give_up(turn, start, held, out);
        }
    }
}

#[cold]
fn refute(doubt: &Doubt, known: u64, out: &mut impl Listener) {
    let (number, seen) = (doubt.place as u32, known as u32);
    out.anomaly(AnomalyKind::AckOutOfWindow, doubt.at, &|| {
        format!("acknowledges {number}, seen up to {seen}")
    });
}
