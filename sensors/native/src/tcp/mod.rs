//! Segments in; ordered bytes, explicit gaps, losses and round trips out (RFC 9293).
//!
//! One `Connection` a flow, one `Stream` a side. Sides are numbered by who was seen first; which of them is the
//! client is the flow's business.

mod handshake;
mod maybe_ns;
mod reuse;
mod round_trip;
mod sack;
mod stream;

use crate::anomaly::{AnomalyKind, At};
use crate::limits::Reassembly;
use crate::transport::{Segment, flag, syn_options};
use crate::words::RttKind;

pub use handshake::Handshake;
pub use maybe_ns::MaybeNs;
pub use reuse::{Challenger, Reuse};
use round_trip::PathEstimate;
use stream::{Stream, Turn};

/// What a segment says beyond its bytes, counted for the side that sent the data concerned.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpCounters {
    pub retransmitted_segments: u32,
    pub filled_holes: u32,
    pub out_of_order_segments: u32,
    pub unseen_segments: u32,
    pub gap_bytes: u64,
    /// Times that this side closed its window.
    pub zero_windows: u32,
    /// Segments that the peer says it got twice.
    pub dsacks: u32,
}

impl TcpCounters {
    /// Adds those of a later stretch.
    pub fn add(&mut self, more: &Self) {
        self.retransmitted_segments = self.retransmitted_segments.saturating_add(more.retransmitted_segments);
        self.filled_holes = self.filled_holes.saturating_add(more.filled_holes);
        self.out_of_order_segments = self.out_of_order_segments.saturating_add(more.out_of_order_segments);
        self.unseen_segments = self.unseen_segments.saturating_add(more.unseen_segments);
        self.gap_bytes = self.gap_bytes.saturating_add(more.gap_bytes);
        self.zero_windows = self.zero_windows.saturating_add(more.zero_windows);
        self.dsacks = self.dsacks.saturating_add(more.dsacks);
    }
}

/// The most that TCP options take of a segment (RFC 9293, 3.1).
const OPTION_BYTES: u16 = 40;

/// A round-trip sample, by side where roles may still be open.
#[derive(Clone, Copy, Debug)]
pub enum Sample {
    /// SYN-ACK minus SYN, or ACK minus SYN-ACK: the SYN's sender is the client.
    Handshake(RttKind),
    /// By the side that acknowledged.
    AckBy(usize),
    /// Both sides of the tap.
    Path,
}

/// Who is told what a connection's segments say.
pub trait Listener {
    /// The next bytes of a side's stream.
    fn bytes(&mut self, side: usize, bytes: &[u8], at: At);
    /// Bytes of a side's stream are missing here; 0 where the stream was joined in its middle.
    fn gap(&mut self, side: usize, length: u64, at: At);
    /// The other side has acknowledged bytes of this side that were not seen up to now, and goes on to speak.
    fn unseen(&mut self, side: usize);
    fn sample(&mut self, sample: Sample, piggybacked: bool, rtt_ns: u64, at: At);
    fn anomaly(&mut self, kind: AnomalyKind, at: At, detail: &dyn Fn() -> String);
    /// A side sent so many segments with data, each of one frame or of a super-frame.
    fn sent(&mut self, side: usize, segments: u32);
    /// The capture does not have so much of what a side sent.
    fn missed(&mut self, side: usize, segments: u32, bytes: u64);
    /// The other counters, of the side that sends the data concerned.
    fn counters(&mut self, side: usize) -> &mut TcpCounters;
    /// True where somebody reads the streams' bytes; otherwise only their ranges are kept.
    fn wants_bytes(&self) -> bool;
}

/// Bytes held for all flows, against the global limit.
#[derive(Debug, Default)]
pub struct Held {
    pub bytes: u64,
    /// Bytes that found no room since last asked.
    pub evicted_bytes: u64,
}

/// Both directions of one TCP connection.
///
/// In this order, what every segment reads lies side by side: all from the path's minimum on.
#[derive(Default)]
#[repr(C)]
pub struct Connection {
    pub handshake: Handshake,
    /// Who sent the reset, and its number.
    reset_by: (u8, u32),
    /// A SYN of other numbers, until it is answered or forgotten; there while `is_challenged`.
    challenger: Option<Box<Challenger>>,
    /// The first sequence number seen of each side: the SYN's, or one before the first byte's.
    firsts: [u32; 2],
    path: PathEstimate,
    /// The sides that sent a FIN, a bit each. One byte for both: where two are written one by one and read together, the
    /// processor waits until all that was written before them has reached its cache.
    fins: u8,
    pub reset: bool,
    is_challenged: bool,
    /// The handshake was seen to its end.
    pub is_open: bool,
    /// The handshake lacks nothing but its last ACK.
    is_opening: bool,
    streams: [Stream; 2],
}

impl Connection {
    /// The first byte that a segment reads where no handshake is under way.
    #[cfg(test)]
    pub const FIRST_READ: usize = std::mem::offset_of!(Self, path) + PathEstimate::FIRST_READ;

    /// Where `glance` reads.
    #[cfg(test)]
    pub const GLANCED: [usize; 2] = [
        std::mem::offset_of!(Self, reset),
        std::mem::offset_of!(Self, streams) + size_of::<Stream>() + Stream::GLANCED,
    ];

    /// Reads a little of every cache line that the next segment needs, but of the last; the value means nothing.
    #[inline(always)]
    pub fn glance(&self) -> u64 {
        self.streams[1].glance() ^ u64::from(self.reset)
    }

    pub fn closed_by_fin(&self) -> bool {
        self.fins == 0b11
    }

    /// True while a SYN of other numbers waits for its answer.
    #[inline]
    pub fn is_challenged(&self) -> bool {
        self.is_challenged
    }

    /// True while a hole is open or an acknowledgement points beyond what was seen.
    pub fn is_unsettled(&self) -> bool {
        self.streams.iter().any(Stream::is_unsettled)
    }

    /// Takes one segment of `side`.
    #[inline(always)]
    pub fn segment(
        &mut self,
        side: usize,
        segment: &Segment<'_>,
        at: At,
        limits: &Reassembly,
        held: &mut Held,
        listener: &mut impl Listener,
    ) {
        let peer = 1 - side;
        if segment.has(flag::SYN) {
            self.syn(side, segment, at, listener);
        } else if self.is_opening && segment.flags & (flag::ACK | flag::RST) == flag::ACK {
            self.last_of_handshake(side, segment, at, listener);
        }
        let turn = |side: usize, connection: &Self, window: u64| Turn {
            side,
            at,
            mss: connection.streams[1 - side].mss(),
            minimum_ns: connection.path.minimum_ns(),
            window_closed: connection.streams[1 - side].window_closed(),
            window,
            limits,
        };
        if segment.has(flag::ACK) && !segment.has(flag::RST) {
            let closes = self.streams[side].announce_window(segment.window);
            // The window of the last segments of a closing connection means nothing.
            if closes && segment.flags & (flag::SYN | flag::FIN) == 0 {
                listener.counters(side).zero_windows += 1;
            }
            if let Some((start, end)) = sack::duplicate(segment.options, segment.acknowledgment) {
                listener.counters(peer).dsacks += self.streams[peer].got_twice(start, end);
            }
            let covered = turn(peer, self, self.streams[side].window());
            self.acknowledge(side, segment, &covered, held, listener);
            if segment.length > 0 && self.streams[peer].is_behind() {
                listener.unseen(peer);
            }
        }
        // Only acknowledgements are held against the window.
        let sent = turn(side, self, 0);
        self.streams[side].data(&sent, segment, &mut self.firsts[side], held, listener);
        self.fins |= u8::from(segment.has(flag::FIN)) << side;
        if segment.has(flag::RST) {
            self.reset = true;
            self.reset_by = (side as u8, segment.sequence);
        } else if self.reset && segment.length > 0 {
            self.doubt_reset(side, segment);
        }
    }

    /// A host that sends on beyond its own reset never sent it: somebody forged it.
    #[cold]
    fn doubt_reset(&mut self, side: usize, segment: &Segment<'_>) {
        let end = segment.sequence.wrapping_add(segment.length);
        let (by, sequence) = self.reset_by;
        self.reset = usize::from(by) != side || end.wrapping_sub(sequence) as i32 <= 0;
    }

    /// The ACK that may be a handshake's last segment.
    #[cold]
    fn last_of_handshake(
        &mut self,
        side: usize,
        segment: &Segment<'_>,
        at: At,
        listener: &mut impl Listener,
    ) {
        let half = self.handshake.ack(side, segment.acknowledgment, at);
        self.is_open = self.handshake.is_complete();
        self.is_opening = !self.is_open;
        if let Some(half) = half {
            let piggybacked = segment.length > 0;
            listener.sample(Sample::Handshake(RttKind::HandshakeClient), piggybacked, half, at);
            if let Some(sum) = self.handshake.sum_ns() {
                // Data that acknowledges by the way came when the client had something to say, not when the answer
                // reached it (or the capture missed the bare ACK before it): no half that later samples may build on.
                if !piggybacked {
                    self.path.handshake(side, half, sum, at.ts);
                }
                listener.sample(Sample::Path, piggybacked, sum, at);
            }
        }
    }

    fn syn(&mut self, side: usize, segment: &Segment<'_>, at: At, listener: &mut impl Listener) {
        let half = if segment.has(flag::ACK) {
            let half = self.handshake.syn_ack(side, segment.sequence, segment.acknowledgment, at);
            self.is_opening = !self.is_open;
            half
        } else {
            self.handshake.syn(side, segment.sequence, at);
            None
        };
        if let Some(half) = half {
            listener.sample(Sample::Handshake(RttKind::HandshakeServer), false, half, at);
        }
        self.streams[side].announce(syn_options(segment.options));
        self.streams[side].open(segment.sequence, &mut self.firsts[side]);
    }

    #[inline(always)]
    fn acknowledge(
        &mut self,
        side: usize,
        segment: &Segment<'_>,
        turn: &Turn<'_>,
        held: &mut Held,
        listener: &mut impl Listener,
    ) {
        let at = turn.at;
        let (stream, first) = (&mut self.streams[turn.side], &mut self.firsts[turn.side]);
        let sample = stream.acknowledged(turn, segment.acknowledgment, first, held, listener);
        let Some(covered) = sample else { return };
        // The handshake's own acknowledgements are samples of their own.
        if segment.has(flag::SYN) {
            return;
        }
        let piggybacked = segment.length > 0;
        listener.sample(Sample::AckBy(side), piggybacked, covered.age_ns, at);
        // Options take some of the announced size: two segments of it carry a little less than twice as much.
        let at_once = covered.bytes >= 2 * u64::from(turn.mss.saturating_sub(OPTION_BYTES));
        if at_once && !piggybacked {
            if let Some(sum) = self.path.half(side, covered.age_ns, at.ts) {
                listener.sample(Sample::Path, false, sum, at);
            }
        }
    }

    /// Counts what was acknowledged but not seen up to now, and at the end gives up all open holes.
    pub fn settle(
        &mut self,
        at: At,
        end: bool,
        limits: &Reassembly,
        held: &mut Held,
        listener: &mut impl Listener,
    ) {
        for side in 0..2 {
            let turn = Turn {
                side,
                at,
                mss: self.streams[1 - side].mss(),
                minimum_ns: None,
                window_closed: false,
                window: 0,
                limits,
            };
            self.streams[side].settle(&turn, end, held, listener);
        }
    }
}
