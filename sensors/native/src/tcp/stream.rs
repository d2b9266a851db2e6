//! One direction of a connection: what was seen, what is missing, what was seen twice.

mod acknowledged;
mod disorder;
mod repeats;

use disorder::{Disorder, PIECE_BYTES, Piece};

use super::round_trip::{Awaited, Covered, Sent};
use super::{Held, Listener};
use crate::anomaly::{AnomalyKind, At};
use crate::limits::Reassembly;
use crate::transport::{Segment, SynOptions, flag};

/// The largest window that scaling allows (RFC 7323, 2.3): a number further away belongs to no segment in flight.
const WINDOW_LIMIT: u64 = 1 << 30;

/// How far from the end of what was seen a number may be in flight where no window is known: a MiB.
const NEAR: u64 = 1 << 20;

/// Where the path's minimum round trip is not known, a hole filled sooner than this is disorder, not loss.
const DEFAULT_MINIMUM_NS: u64 = 3_000_000;

/// The largest shift of a window (RFC 7323, 2.3), and the one that is supposed where no SYN told it: Linux's for its
/// default buffers.
const SHIFT_LIMIT: u8 = 14;
const DEFAULT_SHIFT: u8 = 7;

/// Segment size where no SYN told it: Ethernet's 1500 bytes without IPv4 and TCP headers.
const DEFAULT_MSS: u16 = 1460;

/// Strays in a row, each continuing the last, after which they are the stream.
const STRAYS_BELIEVED: u8 = 3;

/// What the taking of one segment needs to know beside the segment.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// Who sent the data concerned.
    pub side: usize,
    pub at: At,
    /// Largest segment of that side: what its peer announced.
    pub mss: u16,
    /// The path's minimum round trip.
    pub minimum_ns: Option<u64>,
    /// The peer takes nothing at the moment.
    pub window_closed: bool,
    /// The most that the peer ever took at once.
    pub window: u64,
    pub limits: &'a Reassembly,
}

/// One side's stream. Every segment reads what is in place here; what few streams need is apart.
#[derive(Debug)]
pub struct Stream {
    /// The stream's next byte. Sequence numbers are counted on past 2^32 and start above it.
    next: u64,
    /// The end of all that was seen.
    highest: u64,
    /// The end of all that the peer has acknowledged.
    acknowledged: u64,
    awaited: Awaited,
    /// What few streams have: disorder, and segments in flight behind the first.
    disorder: Option<Box<Disorder>>,
    /// What this side told the peer about its segments, and whether it takes any now.
    mss: u16,
    /// The largest window that it announced, and how far its numbers are shifted (RFC 7323, 2).
    window_most: u16,
    window_shift: u8,
    window_closed: bool,
    known: bool,
    /// All that was seen is one segment without payload, which may have been a keepalive.
    joined_empty: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            next: 0,
            highest: 0,
            acknowledged: 0,
            awaited: Awaited::default(),
            disorder: None,
            mss: DEFAULT_MSS,
            window_most: 0,
            window_shift: DEFAULT_SHIFT,
            window_closed: false,
            known: false,
            joined_empty: false,
        }
    }
}

/// Segments of at most `mss` bytes that make `length`.
fn segments_of(length: u64, mss: u16) -> u32 {
    u32::try_from(length.div_ceil(u64::from(mss.max(1)))).unwrap_or(u32::MAX)
}

impl Stream {
    /// Where `glance` reads.
    #[cfg(test)]
    pub const GLANCED: usize = std::mem::offset_of!(Self, next);

    /// Reads a little of it.
    #[inline(always)]
    pub fn glance(&self) -> u64 {
        self.next
    }

    pub fn is_known(&self) -> bool {
        self.known
    }

    /// True for a number that may be in flight about now.
    pub fn is_near(&self, sequence: u32) -> bool {
        self.place(sequence).abs_diff(self.highest) <= NEAR
    }

    pub fn window_closed(&self) -> bool {
        self.window_closed
    }

    /// Takes what this side announces; true where it closes its window now.
    #[inline]
    pub fn announce_window(&mut self, window: u16) -> bool {
        let was_closed = std::mem::replace(&mut self.window_closed, window == 0);
        self.window_most = self.window_most.max(window);
        window == 0 && !was_closed
    }

    /// The most that the peer may have in flight.
    #[inline]
    pub fn window(&self) -> u64 {
        u64::from(self.window_most) << self.window_shift
    }

    /// The options of this side's SYN.
    pub fn announce(&mut self, options: SynOptions) {
        // Below 64 the option is hostile or broken, and would make thousands of segments of one.
        self.mss = options.mss.unwrap_or(536).max(64);
        self.window_shift = options.window_shift.unwrap_or(0).min(SHIFT_LIMIT);
    }

    pub fn mss(&self) -> u16 {
        self.mss
    }

    pub fn is_unsettled(&self) -> bool {
        self.has_pieces() || self.has_doubt() || self.is_behind()
    }

    /// True while a hole is open.
    #[inline]
    fn has_pieces(&self) -> bool {
        self.disorder.as_ref().is_some_and(|disorder| !disorder.pieces.is_empty())
    }

    #[inline]
    fn has_doubt(&self) -> bool {
        self.disorder.as_ref().is_some_and(|disorder| disorder.doubt.is_some())
    }

    /// What is kept of the disorder, from the first of it on.
    fn disorder(&mut self) -> &mut Disorder {
        self.disorder.get_or_insert_default()
    }

    /// The pieces behind holes.
    fn pieces(&self) -> &[Piece] {
        self.disorder.as_ref().map_or(&[], |disorder| &disorder.pieces)
    }

    /// True where the peer has more of this stream than was seen.
    #[inline]
    pub fn is_behind(&self) -> bool {
        self.known && self.acknowledged > self.next
    }

    /// A SYN: the stream starts behind it. `first` is the connection's, of this stream.
    pub fn open(&mut self, sequence: u32, first: &mut u32) {
        if !self.known {
            *first = sequence;
            self.begin(sequence.wrapping_add(1));
        }
    }

    fn begin(&mut self, sequence: u32) {
        self.known = true;
        self.next = 1 << 32 | u64::from(sequence);
        self.highest = self.next;
        // Acknowledgements may have come before the first byte: they are on the count that starts here.
        let earlier = std::mem::replace(&mut self.acknowledged, self.next);
        if earlier != 0 {
            let place = self.place(earlier as u32);
            if place > self.next && place - self.next < WINDOW_LIMIT {
                self.acknowledged = place;
            }
        }
    }

    /// A segment was sent whose acknowledgement is awaited.
    #[inline]
    fn await_answer(&mut self, start: u64, end: u64, ts: i64) {
        if let Some(sent) = self.awaited.push(start, end, ts) {
            self.await_later(sent);
        }
    }

    #[cold]
    fn await_later(&mut self, sent: Sent) {
        let later = &mut self.disorder().later;
        if let Some(next) = later.push(sent) {
            self.awaited.go_on_with(next);
        }
    }

    /// No acknowledgement that comes tells a round trip of what was sent up to now.
    #[inline]
    fn await_none(&mut self) {
        self.awaited.forget();
        if let Some(disorder) = &mut self.disorder {
            disorder.later.forget();
        }
    }

    /// A sequence number on the unbounded count, the nearest to what comes next (RFC 9293, 3.4).
    #[inline]
    fn place(&self, sequence: u32) -> u64 {
        let ahead = sequence.wrapping_sub(self.next as u32) as i32;
        self.next.wrapping_add_signed(i64::from(ahead))
    }

    /// Takes a segment's bytes.
    #[inline(always)]
    pub fn data(
        &mut self,
        turn: &Turn<'_>,
        segment: &Segment<'_>,
        first: &mut u32,
        held: &mut Held,
        out: &mut impl Listener,
    ) {
        let Turn { side, at, .. } = *turn;
        let length = u64::from(segment.length);
        let offset = u32::from(segment.has(flag::SYN));
        let sequence = segment.sequence.wrapping_add(offset);
        let ends = segment.has(flag::FIN);
        if segment.has(flag::RST) {
            // What a reset carries is a reason in words at most (RFC 9293, 3.5.3), never data.
            return;
        }
        if !self.known {
            *first = sequence.wrapping_sub(1);
            self.begin(sequence);
            self.joined_empty = length == 0 && !ends;
            out.gap(side, 0, at);
        }
        let mut start = self.place(sequence);
        if length == 0 && !ends {
            if start + 1 == self.next {
                self.await_none();
            }
            return;
        }
        self.pass_keepalive(start, first);
        let beyond = start > self.next.max(self.highest) + WINDOW_LIMIT;
        if beyond || start + length + WINDOW_LIMIT < self.next {
            if !self.is_believed_stray(turn, sequence, segment, held, out) {
                return;
            }
            start = self.next;
        }
        let end = start + length;
        if let Some(disorder) = &mut self.disorder {
            disorder.strays = 0;
        }
        // A keepalive repeats the last byte, or has none (RFC 9293, 3.8.4).
        let keepalive = length <= 1 && start + 1 == self.next && !ends;
        if keepalive {
            // Its answer acknowledges what came before, too late to tell a round trip.
            self.await_none();
        } else if length > 0 {
            out.sent(side, segments_of(length, turn.mss));
            if start == self.next && !self.has_pieces() {
                self.next = end;
                if end > self.highest {
                    self.highest = end;
                    if !(turn.window_closed && length == 1) {
                        self.await_answer(start, end, at.ts);
                    }
                }
                deliver(side, segment.payload, length, at, out);
            } else {
                self.unordered(turn, segment.payload, start, end, held, out);
            }
        }
        if ends {
            self.highest = self.highest.max(end + 1);
            if end == self.next && self.disorder.is_none() {
                self.next += 1;
                return;
            }
            self.disorder().fin = Some(end);
        }
        if self.pass_fin() && self.has_pieces() {
            self.release(side, held, out);
        }
    }

    /// A stream that was joined at a keepalive starts one byte early (RFC 9293, 3.8.4): what is sent or acknowledged
    /// next tells.
    #[inline]
    fn pass_keepalive(&mut self, place: u64, first: &mut u32) {
        if std::mem::take(&mut self.joined_empty) && place == self.next + 1 && self.highest == self.next {
            *first = first.wrapping_add(1);
            self.next = place;
            self.highest = place;
        }
    }

    /// How many segments that were counted as sent again the peer says it got twice.
    #[cold]
    pub fn got_twice(&mut self, start: u32, end: u32) -> u32 {
        let (start, end) = (self.place(start), self.place(end));
        self.disorder.as_mut().map_or(0, |disorder| disorder.repeats.got_twice(start, end))
    }

    /// Passes the number of a FIN that comes next; true where it did.
    #[inline]
    fn pass_fin(&mut self) -> bool {
        let Some(disorder) = &mut self.disorder else { return false };
        let is_next = disorder.fin == Some(self.next);
        if is_next {
            self.next += 1;
            disorder.fin = None;
        }
        is_next
    }

    /// A number that no window reaches: noise, unless it goes on. True where it does: the stream is there now.
    #[cold]
    fn is_believed_stray(
        &mut self,
        turn: &Turn<'_>,
        sequence: u32,
        segment: &Segment<'_>,
        held: &mut Held,
        out: &mut impl Listener,
    ) -> bool {
        let Turn { side, at, .. } = *turn;
        let disorder = self.disorder();
        let goes_on = sequence == disorder.stray_next;
        disorder.strays = if goes_on { disorder.strays.saturating_add(1) } else { 1 };
        disorder.stray_next = sequence.wrapping_add(segment.length);
        let strays = disorder.strays;
        let expected = self.next as u32;
        out.anomaly(AnomalyKind::SequenceJump, at, &|| {
            format!("sequence number {sequence}, expected about {expected}")
        });
        if strays < STRAYS_BELIEVED {
            return false;
        }
        if self.has_pieces() {
            // What waits behind a hole belongs to the old numbers: nothing will fill it any more.
            self.give_up(turn, self.highest, held, out);
        }
        let Self { mss, window_closed, window_most, window_shift, .. } = *self;
        *self = Self { mss, window_closed, window_most, window_shift, ..Self::default() };
        self.begin(sequence);
        out.missed(side, 1, 0);
        out.gap(side, 0, at);
        true
    }

    /// A segment that is not simply the next one.
    #[cold]
    fn unordered(
        &mut self,
        turn: &Turn<'_>,
        payload: &[u8],
        start: u64,
        end: u64,
        held: &mut Held,
        out: &mut impl Listener,
    ) {
        let Turn { side, at, .. } = *turn;
        if start > self.next && !self.has_pieces() && self.acknowledged > self.next {
            // The peer has what was not seen here: no use in waiting for it.
            self.give_up(turn, start.min(self.acknowledged), held, out);
            if start == self.next {
                self.next = end;
                self.highest = self.highest.max(end);
                self.await_answer(start, end, at.ts);
                deliver(side, payload, end - start, at, out);
                return;
            }
        }
        let seen_before = self.seen(start, end);
        let new = (end - start).saturating_sub(seen_before);
        // One repeated byte is a window probe's (RFC 9293, 3.8.6.1).
        if seen_before > 1 || new == 0 {
            // Acknowledged already, as the tap saw it: sent again without need.
            let spurious = end.min(self.highest) <= self.acknowledged;
            out.counters(side).retransmitted_segments += u32::from(!spurious);
            self.disorder().repeats.add(start, end, !spurious);
            self.await_none();
        }
        if new == 0 {
            self.compare(start, payload, at, out);
            return;
        }
        if start < self.highest && start.max(self.next) < self.highest && seen_before <= 1 {
            let opened =
                self.pieces().iter().find(|piece| piece.start > start).map_or(at.ts, |piece| piece.at.ts);
            let late = at.ts.saturating_sub(opened) as u64 > turn.minimum_ns.unwrap_or(DEFAULT_MINIMUM_NS)
                && at.ts > opened;
            if late {
                out.counters(side).filled_holes += 1;
            } else {
                out.counters(side).out_of_order_segments += 1;
            }
            self.await_none();
        } else if start > self.highest || end > self.highest {
            self.await_answer(start, end, at.ts);
        }
        self.compare(start, payload, at, out);
        self.keep(turn, payload, start, end, held, out);
        self.highest = self.highest.max(end);
        self.release(side, held, out);
    }

    /// How many bytes of a range were seen before.
    fn seen(&self, start: u64, end: u64) -> u64 {
        let delivered = self.next.min(end).saturating_sub(start);
        delivered + self.disorder.as_ref().map_or(0, |disorder| disorder.kept(start, end))
    }

    /// The first bytes win; others in their place are an anomaly.
    fn compare(&self, start: u64, payload: &[u8], at: At, out: &mut impl Listener) {
        for piece in self.pieces() {
            let from = piece.start.max(start);
            let to = (piece.start + piece.bytes.len() as u64).min(start + payload.len() as u64);
            if from >= to {
                continue;
            }
            let kept = &piece.bytes[(from - piece.start) as usize..(to - piece.start) as usize];
            let new = &payload[(from - start) as usize..(to - start) as usize];
            if kept != new {
                let first = piece.at.frame;
                out.anomaly(AnomalyKind::OverlapConflict, at, &|| {
                    format!("{} bytes differ from those of frame {first}, which are kept", to - from)
                });
            }
        }
    }

    /// Keeps what is new of a range until the hole before it is filled.
    fn keep(
        &mut self,
        turn: &Turn<'_>,
        payload: &[u8],
        start: u64,
        end: u64,
        held: &mut Held,
        out: &mut impl Listener,
    ) {
        let Turn { at, limits, .. } = *turn;
        let mut from = start.max(self.next);
        let mut index = 0;
        while from < end {
            let next = self.next;
            let disorder = self.disorder();
            while disorder.pieces.get(index).is_some_and(|piece| piece.end <= from) {
                index += 1;
            }
            let next_start = disorder.pieces.get(index).map_or(end, |piece| piece.start);
            if next_start <= from {
                from = disorder.pieces[index].end;
                continue;
            }
            let to = next_start.min(end);
            if from == next {
                // No hole is before it: it needs no room.
                self.next = to;
                deliver(turn.side, slice(payload, start, from, to), to - from, at, out);
                self.release(turn.side, held, out);
                from = self.next;
                index = 0;
                continue;
            }
            let bytes = if out.wants_bytes() { slice(payload, start, from, to) } else { &[] };
            let size = PIECE_BYTES + bytes.len() as u64;
            let full = disorder.pieces.len() as u64 >= limits.pieces
                || disorder.piece_bytes + size > limits.bytes_per_flow;
            if full || held.bytes + size > limits.bytes {
                // This flow pays for its own disorder: the oldest hole is given up, others' pieces stay.
                out.anomaly(AnomalyKind::ReassemblyLimit, at, &|| {
                    "a hole was given up: no room behind it".into()
                });
                let Some(first) = disorder.pieces.first().map(|piece| piece.start) else {
                    held.evicted_bytes += size;
                    return;
                };
                if !full {
                    held.evicted_bytes += size;
                }
                self.give_up(turn, first, held, out);
                from = from.max(self.next);
                index = 0;
                continue;
            }
            disorder.piece_bytes += size;
            held.bytes += size;
            let piece = Piece { start: from, end: to, bytes: bytes.to_vec(), at };
            disorder.pieces.insert(index, piece);
            from = to;
        }
    }

    /// Delivers the pieces that no hole keeps back any more, those right behind a FIN too: none of them stays.
    fn release(&mut self, side: usize, held: &mut Held, out: &mut impl Listener) {
        loop {
            let Some(disorder) = &mut self.disorder else { return };
            let mut ready = 0;
            while let Some(piece) = disorder.pieces.get(ready).filter(|piece| piece.start <= self.next) {
                self.next = self.next.max(piece.end);
                ready += 1;
            }
            for piece in disorder.pieces.drain(..ready) {
                disorder.piece_bytes -= piece.size();
                held.bytes -= piece.size();
                deliver(side, &piece.bytes, piece.end - piece.start, piece.at, out);
            }
            if !self.pass_fin() {
                return;
            }
        }
    }

    /// Declares everything up to `until` that was not seen as a gap.
    fn give_up(&mut self, turn: &Turn<'_>, until: u64, held: &mut Held, out: &mut impl Listener) {
        let Turn { side, at, mss, .. } = *turn;
        loop {
            // Once a FIN is passed, what came behind it, against all rules, goes the same way.
            let until = self.without_fin(until);
            if self.next >= until {
                return;
            }
            let hole_end = self.pieces().first().map_or(until, |piece| piece.start.min(until));
            if hole_end > self.next {
                let missing = hole_end - self.next;
                self.count_unseen(side, hole_end, mss, out);
                self.next = hole_end;
                self.highest = self.highest.max(hole_end);
                self.await_none();
                out.gap(side, missing, at);
            }
            self.release(side, held, out);
        }
    }

    /// A place in the stream, without the number that a FIN takes, which is no byte: it is passed once all before it is
    /// there or given up.
    fn without_fin(&self, until: u64) -> u64 {
        let fin = self.disorder.as_ref().and_then(|disorder| disorder.fin);
        fin.filter(|fin| self.next < *fin).map_or(until, |fin| until.min(fin))
    }

    /// Counts what is missing from the stream's next byte up to `until`, each byte once.
    fn count_unseen(&mut self, side: usize, until: u64, mss: u16, out: &mut impl Listener) -> u64 {
        let next = self.next;
        let disorder = self.disorder();
        let missing = until.saturating_sub(next.max(disorder.counted_unseen));
        disorder.counted_unseen = disorder.counted_unseen.max(until);
        if missing > 0 {
            out.missed(side, segments_of(missing, mss), missing);
        }
        missing
    }
}

/// The part of `payload`, which starts at `start`, that lies in a range.
fn slice(payload: &[u8], start: u64, from: u64, to: u64) -> &[u8] {
    let length = payload.len();
    let from = usize::try_from(from - start).unwrap_or(length).min(length);
    let to = usize::try_from(to - start).unwrap_or(length).min(length);
    &payload[from..to]
}

/// Gives bytes on; those that the capture's snapshot length cut off are a gap.
#[inline]
fn deliver(side: usize, bytes: &[u8], length: u64, at: At, out: &mut impl Listener) {
    if !bytes.is_empty() {
        out.bytes(side, bytes, at);
    }
    let missing = length - (bytes.len() as u64).min(length);
    if missing > 0 && out.wants_bytes() {
        out.gap(side, missing, at);
    }
}
