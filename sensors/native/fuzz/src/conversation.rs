//! A conversation of two hosts, cut into segments in one way or another.

use super::packets::{self, ACK, RAW, SYN, Segment};
use super::watched::{Told, Watched};

/// A side and what it says.
pub type Saying<'a> = (usize, &'a [u8]);

/// How what is said at once is cut into segments.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    Whole,
    /// These lengths, over and over.
    Pieces([usize; 2]),
}

impl Cut {
    /// The cut that an input is tried with beside none: of its bytes' sum, so that no input has to name it.
    fn of(input: &[u8]) -> Self {
        let sum =
            input.iter().fold(input.len(), |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        match sum % 4 {
            0 | 1 => Cut::Whole,
            2 => Cut::Pieces([1 + sum / 4 % 4, 1 + sum / 16 % 8]),
            _ => Cut::Pieces([1 + sum / 4 % 64, 1 + sum / 256 % 64]),
        }
    }

    fn pieces(self, payload: &[u8]) -> Vec<&[u8]> {
        let Cut::Pieces(lengths) = self else { return vec![payload] };
        let (mut rest, mut cut) = (payload, Vec::new());
        for length in lengths.into_iter().cycle() {
            let (piece, after) = rest.split_at(length.min(rest.len()));
            cut.push(piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        cut
    }
}

/// Frames of one flow between two hosts, told to a decoder as they come.
pub struct Conversation {
    watched: Watched,
    port: u16,
    cut: Cut,
    pub next: [u32; 2],
    ts: i64,
    step_ns: i64,
    /// It was seen from its handshake on.
    is_open: bool,
    /// Limits are near: what they cost may depend on the cut.
    is_limited: bool,
    /// Nothing is missing, and it is known what is spoken: what is read may not depend on the cut.
    is_sound: bool,
}

impl Conversation {
    /// On a port of side 1, `step_ns` from one saying to the next.
    pub fn new(limits: &[(&str, u64)], port: u16, step_ns: i64, cut: Cut) -> Self {
        let next = [0xffff_ff00, 7];
        Self {
            watched: Watched::new(limits),
            port,
            cut,
            next,
            ts: 0,
            step_ns,
            is_open: false,
            is_limited: !limits.is_empty(),
            is_sound: false,
        }
    }

    /// SYN and SYN-ACK.
    pub fn open(&mut self) {
        self.is_open = true;
        let [mine, theirs] = self.next;
        for (side, sequence, acknowledgment, flags) in
            [(0, mine.wrapping_sub(1), 0, SYN), (1, theirs.wrapping_sub(1), mine, SYN | ACK)]
        {
            self.ts += self.step_ns;
            self.segment(&Segment { side, sequence, acknowledgment, flags, payload: &[] });
        }
    }

    /// A side says something, in as many segments as the cut makes of it.
    pub fn say(&mut self, side: usize, payload: &[u8]) {
        self.ts += self.step_ns;
        for piece in self.cut.pieces(payload) {
            let [sequence, acknowledgment] = [self.next[side], self.next[1 - side]];
            self.segment(&Segment { side, sequence, acknowledgment, flags: ACK, payload: piece });
            self.next[side] = sequence.wrapping_add(piece.len() as u32);
        }
    }

    /// Sayings by which the protocol is known from here on, each in one segment whatever the cut.
    pub fn greet(&mut self, sayings: &[Saying<'_>]) {
        let cut = std::mem::replace(&mut self.cut, Cut::Whole);
        self.greet_in_pieces(sayings);
        self.cut = cut;
    }

    /// The same, of a protocol that is known however they are cut.
    pub fn greet_in_pieces(&mut self, sayings: &[Saying<'_>]) {
        for (side, payload) in sayings {
            self.say(*side, payload);
        }
        self.is_sound = self.is_open && !self.is_limited;
    }

    /// A side says something that the capture does not see; the other one acknowledges it later.
    pub fn lose(&mut self, side: usize, payload: &[u8]) {
        self.ts += self.step_ns;
        self.is_sound &= payload.is_empty();
        self.next[side] = self.next[side].wrapping_add(payload.len() as u32);
    }

    /// Time goes by.
    pub fn wait(&mut self, ns: i64) {
        self.ts += ns;
    }

    /// A segment that comes early, late, again or with what nobody asked for.
    pub fn segment_out_of_turn(&mut self, segment: &Segment<'_>) {
        self.ts += self.step_ns;
        self.is_sound = false;
        self.segment(segment);
    }

    /// A segment as it is; where the sides are does not change.
    pub fn segment(&mut self, segment: &Segment<'_>) {
        let packet = packets::tcp(self.port, segment);
        self.watched.frame(&packets::record(self.ts, RAW, &packet, 0));
    }

    /// A datagram of which `cut` bytes are not captured.
    pub fn datagram(&mut self, side: usize, payload: &[u8], cut: usize) {
        self.ts += self.step_ns;
        let packet = packets::udp(self.port, side, payload);
        let cut = cut.min(packet.len());
        let record = packets::record(self.ts, RAW, &packet[..packet.len() - cut], cut as u32);
        self.watched.frame(&record);
    }

    /// A frame of another kind.
    pub fn frame(&mut self, link_type: u16, data: &[u8]) {
        self.ts += self.step_ns;
        self.watched.frame(&packets::record(self.ts, link_type, data, 0));
    }

    pub fn finish(self) -> Told {
        self.watched.finish()
    }
}

/// Has a conversation whole and, where it is a sound one, in pieces: both say the same.
pub fn hold(input: &[u8], converse: impl Fn(Cut) -> Conversation) {
    let whole = converse(Cut::Whole);
    let is_sound = whole.is_sound;
    let whole = whole.finish();
    let cut = Cut::of(input);
    if let (Cut::Pieces(_), true) = (cut, is_sound) {
        converse(cut).finish().assert_said(&whole, &format!("{cut:?}"));
    }
}
