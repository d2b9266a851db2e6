//! Whether a payload is OPC UA, by the header that it begins with (OPC 10000-6, 7.1.2.2 to 7.1.2.6).

use super::framing::{self, Header, Kind};
use crate::protocol::{Recognised, Role};
use crate::words::Confidence;

/// The longest text of a connection's first messages (7.1.2.3).
const URL_LIMIT: u32 = 4_096;

/// Buffers smaller than this are refused (7.1.2.3); a little less is taken for broken, not for foreign.
const LEAST_BUFFER: u32 = 1_024;

pub fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let Some(header) = Header::read(payload) else {
        return elsewhere(payload, on_port);
    };
    let body = &payload[framing::HEADER..];
    let word = |at: usize| Some(u32::from_le_bytes(*body.get(at..)?.first_chunk()?));
    let at_least = |at: usize, least: u32| word(at).is_none_or(|value| value >= least);
    let (fits, speaker, confidence) = match header.kind {
        Kind::Hello => {
            let length = word(20).unwrap_or(header.size - 32);
            let fits = length == u32::MAX && header.size == 32 || length == header.size - 32;
            let sized = fits && length.wrapping_add(1) <= URL_LIMIT + 1;
            (sized && at_least(4, LEAST_BUFFER), Some(Role::Client), Confidence::Handshake)
        }
        Kind::Acknowledge => (at_least(4, LEAST_BUFFER), Some(Role::Server), Confidence::Handshake),
        // The server has opened the connection and asks to be asked: the flow's client speaks as the server.
        Kind::ReverseHello => (word(0).is_none_or(|length| length <= URL_LIMIT), None, Confidence::Handshake),
        // A status code that says Bad.
        Kind::Error => (at_least(0, 0x8000_0000), None, Confidence::Structure),
        // The policy is named by a URI.
        Kind::Open => {
            let fits = word(4).is_none_or(|length| (1..=255).contains(&length))
                && body.get(8..12).is_none_or(|start| start == b"http" || start == b"urn:");
            (fits, None, Confidence::Structure)
        }
        Kind::Close | Kind::Message => (at_least(0, 1), None, Confidence::Structure),
    };
    fits.then_some(Recognised { confidence, speaker })
}

/// A payload that does not begin with a header: the middle of a message, or too little to tell.
fn elsewhere(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let begins = framing::is_beginning(payload);
    if on_port && (begins || framing::find(payload).is_some()) {
        return Some(Recognised { confidence: Confidence::Port, speaker: None });
    }
    // A first segment of few bytes: the header's rest has to come before anything is said.
    let confidence = Confidence::None;
    (begins && payload.len() >= 4).then_some(Recognised { confidence, speaker: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(url: &[u8]) -> Vec<u8> {
        let mut bytes = b"HELF".to_vec();
        bytes.extend((32 + url.len() as u32).to_le_bytes());
        for word in [0, 65_535, 65_535, 0, 0, url.len() as u32] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(url);
        bytes
    }

    #[test]
    fn hello_and_acknowledge_tell_who_speaks() {
        let seen = recognise(&hello(b"opc.tcp://plc1:4840"), false).unwrap();
        assert_eq!((seen.speaker, seen.confidence), (Some(Role::Client), Confidence::Handshake));
        assert_eq!(recognise(b"ACKF\x1c\0\0\0", false).unwrap().speaker, Some(Role::Server));
        let message = recognise(b"MSGF\x40\0\0\0\x07\0\0\0", false).unwrap();
        assert_eq!((message.speaker, message.confidence), (None, Confidence::Structure));
    }

    #[test]
    fn words_that_only_look_alike_are_not_named() {
        let mut other = hello(b"opc.tcp://plc1:4840");
        other[28] = 200;
        for payload in [
            &b"HELLO world"[..],
            b"HELF\0\0\0\0",
            b"HELF\xff\xff\xff\xff",
            b"MSGX\x40\0\0\0",
            b"MSGF\x40\0\0\0\0\0\0\0",
            b"OPNF\x84\0\0\0\0\0\0\0\x2f\0\0\0ftp:",
            &other,
        ] {
            assert_eq!(recognise(payload, false), None, "{payload:?}");
            assert_eq!(recognise(payload, true), None, "{payload:?}");
        }
    }

    #[test]
    fn on_its_port_a_header_further_on_is_enough() {
        let middle = [&[0x55; 40][..], b"MSGF\x40\0\0\0"].concat();
        assert_eq!(recognise(&middle, true).unwrap().confidence, Confidence::Port);
        assert_eq!(recognise(&middle, false), None);
        assert_eq!(recognise(b"H", true).unwrap().confidence, Confidence::Port);
        assert_eq!(recognise(b"H", false), None);
        assert_eq!(recognise(b"HELF", false).unwrap().confidence, Confidence::None);
        assert_eq!(recognise(b"GET / HTTP/1.1\r\n", true), None);
    }
}
