//! The pieces of one packet, until it is whole.

use crate::anomaly::{AnomalyKind, At};
use crate::flow::Identity;
use crate::net::{Fragment, Packet};
use crate::transport::{TCP, UDP};

/// What a packet in pieces costs beside its bytes, and each of its pieces.
pub const ASSEMBLY_BYTES: u64 = 256;
pub const PIECE_BYTES: u64 = 64;

/// The longest IP packet (RFC 791, 3.1).
const PACKET_LIMIT: usize = 65_535;

/// Something wrong with a fragment: what, and in words.
pub type Oddity = (AnomalyKind, &'static str);

/// Bytes of the packet, the captured ones of them.
struct Piece {
    start: usize,
    end: usize,
    bytes: Vec<u8>,
}

/// A packet of which pieces were seen.
pub struct Assembly {
    pub serial: u64,
    pub identity: Identity,
    /// Of the transport layer: the first piece's word counts (RFC 8200, 4.5).
    pub protocol: u8,
    pub interface: u16,
    pub first_ts: i64,
    pub last: At,
    pub fragments: u32,
    pub wire_bytes: u32,
    /// Its pieces contradict each other: it is remembered, so that those that follow go with it.
    pub refused: bool,
    /// In order, none over another.
    pieces: Vec<Piece>,
    covered: usize,
    total: Option<usize>,
    pub held: u64,
}

/// A packet put together.
pub struct Whole {
    /// Behind its IP headers: what the capture has of it in one piece.
    pub bytes: Vec<u8>,
    pub length: usize,
    pub protocol: u8,
    pub fragments: u32,
    pub wire_bytes: u32,
}

impl Assembly {
    pub fn new(serial: u64, identity: Identity, interface: u16, at: At) -> Self {
        Self {
            serial,
            identity,
            protocol: identity.protocol(),
            interface,
            first_ts: at.ts,
            last: at,
            fragments: 0,
            wire_bytes: 0,
            refused: false,
            pieces: Vec::new(),
            covered: 0,
            total: None,
            held: ASSEMBLY_BYTES,
        }
    }

    /// Takes a piece. An error means that the packet will never be whole.
    pub fn take(
        &mut self,
        packet: &Packet<'_>,
        piece: Fragment,
        piece_limit: u64,
    ) -> Result<Option<Oddity>, Oddity> {
        use AnomalyKind::{FragmentLength, FragmentLimit, FragmentOverlap, TinyFragment};
        let length = packet.transport_length;
        let start = usize::from(piece.offset) * 8;
        let end = start + length;
        if length == 0 {
            return Ok(Some((FragmentLength, "a fragment without a byte")));
        }
        if piece.more && length % 8 != 0 {
            return Err((FragmentLength, "a fragment before the last one that is no multiple of 8 bytes"));
        }
        if end > PACKET_LIMIT {
            return Err((FragmentLength, "fragments of a packet longer than 65,535 bytes"));
        }
        let last_end = self.pieces.last().map_or(0, |last| last.end);
        if piece.more {
            if self.total.is_some_and(|total| end >= total) {
                return Err((FragmentLength, "a fragment behind the last one"));
            }
        } else if self.total.is_some_and(|total| total != end) || end < last_end {
            return Err((FragmentLength, "two ends of one packet"));
        }
        if !piece.more {
            self.total = Some(end);
        }
        if piece.offset == 0 {
            self.protocol = packet.protocol;
        }
        let mut odd = (is_tiny(packet, piece)).then_some((
            TinyFragment,
            "a first fragment without the whole transport header, or a second one within it",
        ));
        let at = self.pieces.partition_point(|before| before.end <= start);
        if self.pieces.get(at).is_some_and(|other| other.start < end) {
            if self.is_repeat(at, start, end, packet.transport) {
                return Ok(None);
            }
            if piece.version == 6 {
                return Err((FragmentOverlap, "overlapping fragments: the packet is dropped (RFC 5722)"));
            }
            odd = Some((FragmentOverlap, "overlapping fragments: the first bytes are kept"));
        }
        self.fill(at, start, end, packet.transport);
        if self.pieces.len() as u64 > piece_limit {
            return Err((FragmentLimit, "a packet of more fragments than fragments_per_packet"));
        }
        Ok(odd)
    }

    /// The same bytes at the same place as a piece that is there.
    fn is_repeat(&self, at: usize, start: usize, end: usize, bytes: &[u8]) -> bool {
        let Some(piece) = self.pieces.get(at) else { return false };
        let shared = piece.bytes.len().min(bytes.len());
        (piece.start, piece.end) == (start, end) && piece.bytes[..shared] == bytes[..shared]
    }

    /// Keeps what no piece covers yet of a range, from the piece at index `at` on.
    fn fill(&mut self, mut at: usize, start: usize, end: usize, bytes: &[u8]) {
        let mut from = start;
        while from < end {
            let to = self.pieces.get(at).map_or(end, |next| next.start.min(end));
            if to > from {
                let captured = |place: usize| (place - start).min(bytes.len());
                let kept = bytes[captured(from)..captured(to)].to_vec();
                self.held += PIECE_BYTES + kept.len() as u64;
                self.covered += to - from;
                self.pieces.insert(at, Piece { start: from, end: to, bytes: kept });
                at += 1;
            }
            from = self.pieces.get(at).map_or(end, |next| next.end.max(to));
            at += 1;
        }
    }

    /// True where every byte up to the last fragment's end is there.
    pub fn is_whole(&self) -> bool {
        self.total == Some(self.covered)
    }

    /// The packet, put together.
    pub fn into_whole(self) -> Whole {
        let mut bytes = Vec::with_capacity(self.covered);
        for piece in &self.pieces {
            bytes.extend(&piece.bytes);
            if piece.bytes.len() < piece.end - piece.start {
                // The capture cut this one: what follows has no place in one stretch of bytes.
                break;
            }
        }
        Whole {
            bytes,
            length: self.covered,
            protocol: self.protocol,
            fragments: self.fragments,
            wire_bytes: self.wire_bytes,
        }
    }

    /// Forgets the pieces of a packet that will never be whole.
    pub fn refuse(&mut self) {
        self.refused = true;
        self.pieces = Vec::new();
        self.held = ASSEMBLY_BYTES;
    }

    /// The ports, where the first piece is there and its protocol has them.
    pub fn ports(&self) -> Option<[u16; 2]> {
        let first = self.pieces.first().filter(|piece| piece.start == 0)?;
        match (self.protocol, first.bytes.first_chunk()) {
            (TCP | UDP, Some(&[a, b, c, d])) => {
                Some([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])])
            }
            _ => None,
        }
    }
}

/// A first fragment too short for its transport header, or a second one that starts within TCP's: made to get past
/// filters (RFC 1858, 3 and 4).
fn is_tiny(packet: &Packet<'_>, piece: Fragment) -> bool {
    let header = match packet.protocol {
        TCP => 20,
        UDP => 8,
        _ => 1,
    };
    piece.offset == 0 && packet.transport_length < header || piece.offset == 1 && packet.protocol == TCP
}
