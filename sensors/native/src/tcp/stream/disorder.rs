//! What a stream keeps only once something in it is out of order, or more than one segment in flight.

use super::acknowledged::Doubt;
use super::repeats::Repeats;
use crate::anomaly::At;
use crate::tcp::round_trip::Later;

/// What a kept piece costs beside its bytes: streams that nobody reads are bounded too.
pub const PIECE_BYTES: u64 = 64;

/// Bytes behind a hole.
#[derive(Debug)]
pub struct Piece {
    pub start: u64,
    pub end: u64,
    /// The captured ones of them: none where nobody reads the stream.
    pub bytes: Vec<u8>,
    pub at: At,
}

impl Piece {
    /// What it counts for against the limits.
    pub fn size(&self) -> u64 {
        PIECE_BYTES + self.bytes.len() as u64
    }
}

#[derive(Debug, Default)]
pub struct Disorder {
    /// Segments in flight behind the one that every stream has room for: no disorder, but as rare.
    pub later: Later,
    /// In the order of their places, without a byte twice.
    pub pieces: Vec<Piece>,
    pub piece_bytes: u64,
    pub repeats: Repeats,
    /// An acknowledgement of more than the peer's window allows, until it is believed or refuted.
    pub doubt: Option<Doubt>,
    /// The end of what was counted as unseen ahead of the stream.
    pub counted_unseen: u64,
    /// The end of a stream of which a part is still missing.
    pub fin: Option<u64>,
    /// Segments in a row whose numbers no window reaches, each continuing the last, and where they go on.
    pub strays: u8,
    pub stray_next: u32,
}

impl Disorder {
    /// How many bytes of a range are kept.
    pub fn kept(&self, start: u64, end: u64) -> u64 {
        self.pieces.iter().map(|piece| piece.end.min(end).saturating_sub(piece.start.max(start))).sum()
    }
}
