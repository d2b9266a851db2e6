//! MQTT over WebSocket whose upgrade was not seen: frames whose payloads begin with a packet.
//!
//! Its first frame is a binary one (MQTT 5.0, 6), and clients and brokers write whole packets into a frame: what looks
//! like a frame by chance does not hold a packet of just its length.

use super::plausible;
use super::recognise::{Found, connect, packets};
use super::words::PacketType;
use crate::protocol::websocket::{is_binary, payloads, sane_header, speaker};
use crate::protocol::{Recognised, Role};
use crate::words::Confidence;

/// Looks at a segment that may begin with a frame of either side.
pub fn recognise(payload: &[u8]) -> Option<Recognised> {
    // Of most flows a look at one byte is enough. A SUBSCRIBE begins with it too: that has no packet behind it.
    if !is_binary(payload) {
        return None;
    }
    let first = sane_header(payload)?;
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
