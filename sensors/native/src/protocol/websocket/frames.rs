//! Segments that begin with a frame, of a connection whose upgrade was not seen (RFC 6455, 5.2).
//!
//! A client masks all of its frames and a server none (5.1), and a length is written as short as it can be.

use super::{Header, header, is_data, unmask};
use crate::protocol::Role;

/// Bytes within the frames of one segment that are looked at.
const LOOKED_AT: usize = 4_096;

/// The opcode of a frame with bytes, as all that is read begins.
const BINARY: u8 = 2;

/// True where a segment may begin with a binary frame: of most flows a look at one byte is enough.
#[inline]
pub fn is_binary(segment: &[u8]) -> bool {
    segment.first().is_some_and(|first| first & 0x7f == BINARY)
}

/// The frame's header that a segment begins with, where a sender writes it so.
pub fn sane_header(segment: &[u8]) -> Option<Header> {
    header(segment).filter(|header| is_sane(segment, header))
}

/// Who masks, and who does not.
pub fn speaker(frame: &[u8]) -> Role {
    if frame.get(1).is_some_and(|second| second & 0x80 != 0) { Role::Client } else { Role::Server }
}

/// A header as RFC 6455 has it: nothing reserved, no length longer than it needs to be, control frames short and whole.
fn is_sane(frame: &[u8], header: &Header) -> bool {
    let [first, second, ..] = *frame else { return false };
    let is_shortest = match second & 0x7f {
        126 => header.payload > 125,
        127 => header.payload > 0xffff && header.payload >> 63 == 0,
        _ => true,
    };
    let is_control = header.opcode >= 8;
    let is_known = matches!(header.opcode, 0..=2 | 8..=10);
    let is_short = header.payload < 126 && first & 0x80 != 0;
    is_known && !header.compressed && is_shortest && (!is_control || is_short)
}

/// The bytes inside the frames of a segment, as far as they are there; `None` where one of them is no frame of that side.
pub fn payloads(segment: &[u8]) -> Option<Vec<u8>> {
    let mut clear = Vec::new();
    let mut rest = segment;
    while !rest.is_empty() && clear.len() < LOOKED_AT {
        // The start of a header is cut off by the end of the segment.
        let Some(header) = header(rest) else { break };
        if !is_sane(rest, &header) || speaker(rest) != speaker(segment) {
            return None;
        }
        let behind = &rest[header.length..];
        let length = usize::try_from(header.payload).unwrap_or(usize::MAX).min(behind.len());
        let (payload, after) = behind.split_at(length);
        if is_data(header.opcode) {
            let room = LOOKED_AT - clear.len();
            let payload = &payload[..payload.len().min(room)];
            unmask(payload, header.mask, 0, &mut |bytes| clear.extend_from_slice(bytes));
        }
        rest = after;
    }
    Some(clear)
}
