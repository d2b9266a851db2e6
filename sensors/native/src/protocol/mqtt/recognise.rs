//! Is a payload MQTT? Asked of the first payloads of every flow that has no name yet.

use super::CARRIED;
use super::framing::{Start, start};
use super::plausible::{self, Worth};
use super::session::sender;
use super::words::PacketType;
use crate::protocol::{Recognised, Role, websocket};
use crate::words::Confidence;

/// Looks at one payload: a CONNECT packet is proof, an upgrade to MQTT over WebSocket says it, whole packets are a
/// first sign.
pub fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let first = *payload.first()?;
    if first == b'G' {
        return websocket::is_upgrade(payload, &CARRIED)
            .then_some(Recognised { confidence: Confidence::Structure, speaker: Some(Role::Client) });
    }
    if first == b'H' {
        return websocket::is_agreement(payload, &CARRIED)
            .then_some(Recognised { confidence: Confidence::Structure, speaker: Some(Role::Server) });
    }
    let kind = PacketType::of(first)?;
    if kind == PacketType::Connect {
        let confidence = match connect(payload) {
            Found::Whole => Confidence::Handshake,
            Found::Part if on_port => Confidence::Port,
            Found::Part | Found::Nothing => return None,
        };
        return Some(Recognised { confidence, speaker: Some(Role::Client) });
    }
    let seen = packets(payload)?;
    let confidence = if on_port { Confidence::Port } else { Confidence::None };
    // A few bytes on a foreign port may be chance: they do not settle who is the client.
    let speaker = seen.speaker.filter(|_| on_port || seen.is_much);
    Some(Recognised { confidence, speaker })
}

/// What packets say that lie one behind the other.
pub struct Seen {
    /// The side that alone may send one of them.
    pub speaker: Option<Role>,
    /// One of them has a name in it, which chance does not make.
    pub is_much: bool,
    /// The last one is the first part of a PUBLISH.
    pub goes_on: bool,
}

/// Reads whole packets; the last may be a PUBLISH that goes on. `None` where one of them is none, or of the other side.
pub fn packets(bytes: &[u8]) -> Option<Seen> {
    let mut rest = bytes;
    let mut seen = Seen { speaker: None, is_much: false, goes_on: false };
    while let Some((packet, behind)) = plausible::first(rest) {
        match plausible::worth(&packet) {
            Worth::Nothing => return None,
            Worth::Little => {}
            Worth::Much => seen.is_much = true,
        }
        match (seen.speaker, sender(packet.kind)) {
            (Some(Role::Client), Some(Role::Server)) | (Some(Role::Server), Some(Role::Client)) => {
                return None;
            }
            (None, told) => seen.speaker = told,
            _ => {}
        }
        rest = behind;
    }
    seen.goes_on = !rest.is_empty() && plausible::goes_on(rest);
    (rest.is_empty() || seen.goes_on).then_some(seen)
}

/// How much of a CONNECT packet's start is there.
pub enum Found {
    /// Up to its protocol name; the rest of it may be in the next segment.
    Whole,
    Part,
    Nothing,
}

pub fn connect(payload: &[u8]) -> Found {
    let body = match start(payload) {
        Start::Incomplete => &[],
        Start::Broken(_) => return Found::Nothing,
        Start::Head(head) => &payload[usize::from(head.header_bytes)..],
    };
    let names = [&b"\0\x04MQTT"[..], b"\0\x06MQIsdp"];
    if names.iter().any(|name| body.starts_with(name)) {
        Found::Whole
    } else if names.iter().any(|name| name.starts_with(body)) {
        Found::Part
    } else {
        Found::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_of_every_version_is_proof() {
        for payload in [&b"\x10\x10\0\x04MQTT\x05"[..], b"\x10\x90\x01\0\x06MQIsdp\x03"] {
            let found = recognise(payload, false).unwrap();
            assert_eq!((found.confidence, found.speaker), (Confidence::Handshake, Some(Role::Client)));
        }
    }

    #[test]
    fn a_part_of_one_is_a_sign_on_the_port_alone() {
        for payload in [&b"\x10"[..], b"\x10\x10", b"\x10\x10\0\x04MQ"] {
            let found = recognise(payload, true).unwrap();
            assert_eq!((found.confidence, found.speaker), (Confidence::Port, Some(Role::Client)));
            assert_eq!(recognise(payload, false), None);
        }
    }

    #[test]
    fn packets_in_the_middle_of_a_connection_are_a_sign_and_some_tell_who_speaks() {
        let speaker = |payload: &[u8], on_port| recognise(payload, on_port).map(|found| found.speaker);
        assert_eq!(speaker(b"\x82\x08\0\x01\0\x03a/b\0", false), Some(Some(Role::Client)));
        assert_eq!(speaker(b"\x30\x08\0\x03a/bxyz", false), Some(None));
        assert_eq!(speaker(b"\xc0\0", false), Some(None));
        assert_eq!(speaker(b"\xc0\0", true), Some(Some(Role::Client)));
        assert_eq!(speaker(b"\xd0\0", true), Some(Some(Role::Server)));
        assert_eq!(speaker(b"\x40\x02\0\x07\x30\x08\0\x03a/bxyz", false), Some(None));
        // The first part of a long one.
        assert_eq!(speaker(b"\x30\xff\x10\0\x03a/b1234", false), Some(None));
    }

    #[test]
    fn other_protocols_are_not_taken_for_it() {
        let foreign: [&[u8]; 12] = [
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",      // TLS client hello
            b"\x17\x03\x03\0\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\0\x01\0\0\0\x06\x01\x03\0\0\0\x02",              // Modbus
            b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc1\x02\x01\0",  // S7comm
            b"\x68\x04\x07\0\0\0",                              // IEC 60870-5-104
            b"\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x04\0\0\0\x01\x02\x01\0\x02\x01\0\x30\x0b\x30\x09\x06\x05\x2b\x06\x01\x02\x01\x05\0",
            b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0", // LDAP bind
            b"\x10\x10\0\x04HTTP",
            b"\x10\xff\xff\xff\xff\x01\0\x04MQTT",
        ];
        for payload in foreign {
            for on_port in [false, true] {
                assert_eq!(recognise(payload, on_port), None, "{payload:?}");
            }
        }
    }
}
