//! The first bytes of a flow that nobody has recognised yet.
//!
//! Protocols are recognised by whole headers. A sender may cut its first message into segments as small as it likes,
//! so what was heard is kept for a while and shown together; once a protocol takes the flow, it is fed from the start.

use crate::anomaly::At;

/// Bytes of one side that are kept: longer than what any protocol is recognised by.
const KEPT: usize = 512;

/// What a piece costs beside its bytes.
const PIECE_BYTES: u64 = size_of::<Piece>() as u64;

#[derive(Clone, Copy)]
struct Piece {
    at: At,
    length: u16,
    side: u8,
}

/// Both sides' first bytes, in the order in which they came.
#[derive(Default)]
pub struct Heard {
    bytes: [Vec<u8>; 2],
    pieces: Vec<Piece>,
}

impl Heard {
    /// What was heard of a side with `more` behind it; none where nothing is kept.
    pub fn joined(&self, side: usize, more: &[u8]) -> Option<Vec<u8>> {
        let kept = &self.bytes[side];
        (!kept.is_empty()).then(|| [kept, more].concat())
    }

    /// What it would cost to keep a piece; none where its side has no room.
    pub fn cost(&self, side: usize, bytes: &[u8]) -> Option<u64> {
        let fits = self.bytes[side].len() + bytes.len() <= KEPT;
        fits.then_some(bytes.len() as u64 + PIECE_BYTES)
    }

    /// Keeps a piece that has room.
    pub fn keep(&mut self, side: usize, bytes: &[u8], at: At) {
        self.bytes[side].extend(bytes);
        self.pieces.push(Piece { at, length: bytes.len() as u16, side: side as u8 });
    }

    /// Drops what was heard of a side: what comes next does not continue it.
    pub fn forget(&mut self, side: usize) {
        self.bytes[side].clear();
        self.pieces.retain(|piece| usize::from(piece.side) != side);
    }

    /// What all pieces cost.
    pub fn total_cost(&self) -> u64 {
        let bytes: usize = self.bytes.iter().map(Vec::len).sum();
        bytes as u64 + self.pieces.len() as u64 * PIECE_BYTES
    }

    /// Calls `each` with every piece in order.
    pub fn replay(&self, mut each: impl FnMut(usize, &[u8], At)) {
        let mut rest = self.bytes.each_ref().map(Vec::as_slice);
        for piece in &self.pieces {
            let side = usize::from(piece.side);
            let Some((bytes, behind)) = rest[side].split_at_checked(usize::from(piece.length)) else {
                return;
            };
            rest[side] = behind;
            each(side, bytes, piece.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_order_and_joined_by_side() {
        let mut heard = Heard::default();
        for (side, bytes) in [(0, &b"ab"[..]), (1, b"x"), (0, b"c")] {
            heard.keep(side, bytes, At::default());
        }
        assert_eq!(heard.joined(0, b"d").unwrap(), b"abcd");
        let mut replayed = Vec::new();
        heard.replay(|side, bytes, _| replayed.push((side, bytes.to_vec())));
        assert_eq!(replayed, [(0, b"ab".to_vec()), (1, b"x".to_vec()), (0, b"c".to_vec())]);
    }

    #[test]
    fn a_forgotten_side_leaves_the_other_alone() {
        let mut heard = Heard::default();
        heard.keep(0, b"ab", At::default());
        heard.keep(1, b"xy", At::default());
        heard.forget(0);
        assert_eq!(heard.joined(0, b"c"), None);
        assert_eq!(heard.total_cost(), 2 + PIECE_BYTES);
        heard.replay(|side, bytes, _| assert_eq!((side, bytes), (1, &b"xy"[..])));
    }

    #[test]
    fn a_side_keeps_no_more_than_its_share() {
        let mut heard = Heard::default();
        heard.keep(0, &[0; KEPT], At::default());
        assert_eq!(heard.cost(0, b"a"), None);
        assert!(heard.cost(1, b"a").is_some());
    }
}
