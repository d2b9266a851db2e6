//! MQTT over WebSocket whose upgrade was not seen: frames whose payloads begin with a packet (RFC 6455, 5.2).
//!
//! A client masks all of its frames and a server none (5.1), a length is written as short as it can be, and clients and
//! brokers write whole packets into a frame: what looks like a frame by chance does not hold a packet of just its length.

use super::plausible;
use super::recognise::{Found, connect, packets};
use super::websocket::{Header, header, unmask};
use super::words::PacketType;
use crate::protocol::{Recognised, Role};
use crate::words::Confidence;

/// Bytes within the frames of one segment that are looked at.
const LOOKED_AT: usize = 4_096;

/// The opcode of a frame with bytes (5.2); MQTT has no other one for its first (MQTT 5.0, 6).
const BINARY: u8 = 2;

/// Looks at a segment that may begin with a frame of either side.
pub fn recognise(payload: &[u8]) -> Option<Recognised> {
    // Of most flows a look at one byte is enough. A SUBSCRIBE begins with it too: that has no packet behind it.
    if payload.first().is_none_or(|first| first & 0x7f != BINARY) {
        return None;
    }
    let first = header(payload).filter(|header| is_sane(payload, header))?;
    let speaker = speaker(payload);
    let clear = payloads(payload)?;
    if PacketType::of(*clear.first()?)? == PacketType::Connect {
        let is_whole = speaker == Role::Client && matches!(connect(&clear), Found::Whole);
        let recognised = Recognised { confidence: Confidence::Handshake, speaker: Some(Role::Client) };
        return is_whole.then_some(recognised);
    }
    let seen = packets(&clear)?;
    if seen.speaker.is_some_and(|told| told != speaker) {
        return None;
    }
    let is_filled = fills(&clear, first.payload);
    // A packet in pieces says little: its topic has to.
    (is_filled || seen.is_much || seen.goes_on).then_some(Recognised {
        confidence: Confidence::None,
        speaker: (is_filled && (seen.is_much || seen.goes_on)).then_some(speaker),
    })
}

/// Who masks, and who does not.
fn speaker(frame: &[u8]) -> Role {
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
fn payloads(segment: &[u8]) -> Option<Vec<u8>> {
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
        if header.opcode < 8 {
            let room = LOOKED_AT - clear.len();
            let payload = &payload[..payload.len().min(room)];
            unmask(payload, header.mask, 0, &mut |bytes| clear.extend_from_slice(bytes));
        }
        rest = after;
    }
    Some(clear)
}

/// True where packets end just where their frame does.
fn fills(clear: &[u8], frame: u64) -> bool {
    let mut place = 0;
    while place < frame {
        let Some(length) = usize::try_from(place).ok().and_then(|at| plausible::length(clear.get(at..)?))
        else {
            return false;
        };
        place += length;
    }
    place == frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, payload.len() as u8 | if mask.is_some() { 0x80 } else { 0 }];
        bytes.extend(mask.unwrap_or_default().iter().take(if mask.is_some() { 4 } else { 0 }));
        let mask = mask.unwrap_or_default();
        bytes.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
        bytes
    }

    const MASK: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);
    const PUBLISH: &[u8] = b"\x30\x08\0\x03a/bxyz";

    #[test]
    fn the_mask_tells_who_speaks_and_a_connect_is_proof() {
        let said = |mask, bytes: &[u8]| recognise(&framed(0x82, mask, bytes));
        let none = |speaker| Some(Recognised { confidence: Confidence::None, speaker });
        assert_eq!(said(MASK, PUBLISH), none(Some(Role::Client)));
        assert_eq!(said(None, PUBLISH), none(Some(Role::Server)));
        assert_eq!(said(None, &[PUBLISH, PUBLISH].concat()), none(Some(Role::Server)));
        // So few bytes may be chance.
        assert_eq!(said(MASK, b"\xc0\0"), none(None));
        let connect = said(MASK, b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a").unwrap();
        assert_eq!((connect.confidence, connect.speaker), (Confidence::Handshake, Some(Role::Client)));
    }

    #[test]
    fn what_a_side_does_not_send_is_not() {
        let said = |mask, bytes: &[u8]| recognise(&framed(0x82, mask, bytes));
        assert_eq!(said(None, b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a"), None);
        assert_eq!(said(None, b"\xc0\0"), None, "a broker asks for no ping");
        assert_eq!(said(MASK, b"\xd0\0"), None, "a client answers none");
        assert_eq!(said(MASK, b"\x20\x02\0\0"), None);
        assert_eq!(said(None, b"\x82\x08\0\x01\0\x03a/b\0"), None);
    }

    #[test]
    fn frames_that_no_sender_writes_are_not() {
        let long = [&[0x82, 126, 0, 10][..], PUBLISH].concat();
        assert_eq!(recognise(&long), None, "a length of two bytes that one has room for");
        let compressed = framed(0xc2, None, PUBLISH);
        assert_eq!(recognise(&compressed), None);
        let both = [framed(0x82, None, PUBLISH), framed(0x82, MASK, PUBLISH)].concat();
        assert_eq!(recognise(&both), None, "one side masks all or none");
        let text = framed(0x81, None, PUBLISH);
        assert_eq!(recognise(&text), None);
    }

    #[test]
    fn a_packet_over_several_frames_or_segments_goes_on() {
        let published = [&b"\x30\x80\x01\0\x03a/b"[..], &[b'x'; 123]].concat();
        let whole = [&[0x82, 126, 0, 131][..], &published].concat();
        assert_eq!(recognise(&whole[..40]).unwrap().speaker, Some(Role::Server));
        let parts = [framed(0x02, None, &published[..20]), framed(0x80, None, &published[20..])].concat();
        assert_eq!(recognise(&parts).unwrap().speaker, None);
    }
}
