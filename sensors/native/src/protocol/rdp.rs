//! Remote Desktop: the connection request and its confirmation, up to the upgrade to TLS ([MS-RDPBCGR], 2.2.1).
//!
//! The request's cookie carries the user's name, as the client cuts it. Under standard RDP security, without TLS, the
//! client's computer name follows in clear.

use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::reading::{Fields, text, utf16_text};
use super::{Output, Parser, Protocol, Recognised, Role, Transport, tls};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Rdp,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[3389],
    recognise,
    parser: Some(start),
};

/// Remote Desktop over UDP, beside the TCP connection ([MS-RDPEUDP]); it is only named.
pub const DATAGRAMS: Protocol = Protocol {
    service: Service::Rdp,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[3389],
    recognise: recognise_datagram,
    parser: None,
};

/// TPKT's header (RFC 1006, 6) and the fixed part of X.224's (ITU-T X.224, 13.3).
const TPKT: usize = 4;
const FIXED: usize = 7;

mod tpdu {
    pub const CONNECTION_REQUEST: u8 = 0xe0;
    pub const CONNECTION_CONFIRM: u8 = 0xd0;
}

/// An X.224 connection TPDU within TPKT.
struct Connection<'a> {
    code: u8,
    variable: &'a [u8],
    length: usize,
}

enum Packet<'a> {
    Incomplete,
    Wrong,
    Connection(Connection<'a>),
    /// Any other TPKT, of that length.
    Other(&'a [u8]),
}

fn packet(bytes: &[u8]) -> Packet<'_> {
    let wrong = bytes.iter().zip([3, 0]).any(|(byte, expected)| *byte != expected);
    if wrong {
        return Packet::Wrong;
    }
    let [_, _, high, low, rest @ ..] = bytes else { return Packet::Incomplete };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length < TPKT + 3 {
        return Packet::Wrong;
    }
    let Some(body) = rest.get(..length - TPKT) else { return Packet::Incomplete };
    match body {
        [indicator, code @ (tpdu::CONNECTION_REQUEST | tpdu::CONNECTION_CONFIRM), fixed @ ..] => {
            if usize::from(*indicator) + 1 != body.len() || body.len() < FIXED {
                return Packet::Wrong;
            }
            Packet::Connection(Connection { code: *code, variable: &fixed[FIXED - 2..], length })
        }
        _ => Packet::Other(&bytes[..length]),
    }
}

/// The negotiation structure (2.2.1.1.1, 2.2.1.2.1): its type and value.
fn negotiation(bytes: &[u8]) -> Option<(u8, u32)> {
    match *bytes {
        [kind @ 1..=3, _, 8, 0, a, b, c, d, ..] => Some((kind, u32::from_le_bytes([a, b, c, d]))),
        _ => None,
    }
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let named = |speaker| Some(Recognised { confidence: Confidence::Structure, speaker });
    match packet(payload) {
        // On another port ISO-on-TCP is a controller's more often than a desktop's: the request has to say it.
        Packet::Connection(Connection { code: tpdu::CONNECTION_REQUEST, variable, .. }) => {
            let says_so =
                variable.starts_with(b"Cookie: mst") || matches!(negotiation(variable), Some((1, _)));
            (says_so || (on_port && variable.is_empty())).then_some(()).and(named(Some(Role::Client)))
        }
        Packet::Connection(Connection { variable, .. }) => {
            let says_so = matches!(negotiation(variable), Some((2 | 3, _)));
            (says_so || (on_port && variable.is_empty())).then_some(()).and(named(Some(Role::Server)))
        }
        // The beginning of a packet is kept until it is whole: on the port, too, a byte may be of what is carried within.
        _ => None,
    }
}

/// The first datagram of a connection: a SYN that is padded to the largest size ([MS-RDPEUDP], 3.1.5.1.1).
fn recognise_datagram(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let [0xff, 0xff, 0xff, 0xff, _, _, flags, low, ..] = payload else { return None };
    let syn = low & 1 != 0 && low & 4 == 0 && *flags & 0xe0 == 0;
    let padded = (1_132..=1_232).contains(&payload.len());
    (syn && padded && (on_port || payload.len() == 1_232))
        .then_some(Recognised { confidence: Confidence::Structure, speaker: Some(Role::Client) })
}

fn start(_: Confidence) -> Box<dyn Parser> {
    Reading::boxed(Rdp::default(), Confidence::Structure)
}

#[derive(Default)]
struct Rdp {
    requested: bool,
    confirmed: bool,
}

impl Dialogue for Rdp {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Rdp);
    const SERVICE: Service = Service::Rdp;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        // The confirmation was not seen, but TLS was begun.
        if bytes[0] == tls::HANDSHAKE && self.requested {
            return Step::HandOver;
        }
        match (packet(bytes), from) {
            (Packet::Incomplete, _) => Step::More,
            (Packet::Connection(connection), Role::Client) if connection.code == tpdu::CONNECTION_REQUEST => {
                self.requested = true;
                request(connection.variable, said);
                Step::Read(connection.length)
            }
            (Packet::Connection(connection), Role::Server) if connection.code == tpdu::CONNECTION_CONFIRM => {
                self.confirmed = true;
                confirm(connection.variable, connection.length, said)
            }
            // Without TLS the conference follows; it is read as far as the client's name.
            (Packet::Other(whole), Role::Client) if self.confirmed => {
                client_data(whole, said);
                Step::Done
            }
            (Packet::Other(whole), _) => Step::Read(whole.len()),
            _ => Step::Wrong,
        }
    }
}

/// The client's cookie or routing token, and the protocols that it can do.
fn request(variable: &[u8], said: &mut Introduction) {
    let line = variable.windows(2).position(|pair| pair == b"\r\n");
    let (cookie, rest) = match line {
        Some(end) if variable.starts_with(b"Cookie: ") => (&variable[..end], &variable[end + 2..]),
        _ => (&b""[..], variable),
    };
    if let Some(user) = cookie.strip_prefix(b"Cookie: mstshash=") {
        said.user = text(user, 128);
    } else if let Some(token) = cookie.strip_prefix(b"Cookie: msts=") {
        said.remark(format!("routing token {}", text(token, 64)));
    }
    if let Some((1, protocols)) = negotiation(rest) {
        said.remark(format!("requests {}", protocol_names(protocols)));
    }
}

/// The server's choice (2.2.1.2).
fn confirm(variable: &[u8], length: usize, said: &mut Introduction) -> Step {
    match negotiation(variable) {
        Some((2, chosen)) if chosen != 0 => {
            said.version = format!("RDP with {}", protocol_names(chosen));
            said.encrypted = true;
            Step::HandOver
        }
        Some((3, code)) => {
            said.remark(format!("refused: {}", failure(code)));
            Step::Done
        }
        _ => {
            said.version = "RDP with standard security".to_owned();
            Step::Read(length)
        }
    }
}

/// Protocols as flags (2.2.1.1.1); none of them is the oldest.
fn protocol_names(flags: u32) -> String {
    let names = [(1, "TLS"), (2, "CredSSP"), (4, "RDSTLS"), (8, "CredSSP early authorisation"), (16, "AAD")];
    let named: Vec<&str> =
        names.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, name)| *name).collect();
    if named.is_empty() { "standard security".to_owned() } else { named.join("+") }
}

/// Why a server refuses (2.2.1.2.2).
fn failure(code: u32) -> String {
    match code {
        1 => "TLS required".to_owned(),
        2 => "TLS not allowed".to_owned(),
        3 => "no certificate".to_owned(),
        4 => "inconsistent flags".to_owned(),
        5 => "CredSSP required".to_owned(),
        6 => "TLS with user authentication required".to_owned(),
        other => format!("code {other}"),
    }
}

/// The client's core data in its conference request (2.2.1.3.2): name and build.
fn client_data(bytes: &[u8], said: &mut Introduction) {
    let Some(at) = bytes.windows(4).position(|window| window == b"Duca") else { return };
    let after = &bytes[at + 4..];
    let Some(block) = after.windows(2).take(4).position(|pair| pair == [0x01, 0xc0]) else { return };
    let mut fields = Fields(&after[block + 4..]);
    // Version, width, height, colour depth, sequence, keyboard layout; then the build.
    if fields.take(16).is_none() {
        return;
    }
    let Some(build) = fields.u32_le() else { return };
    let Some(name) = fields.take(32) else { return };
    let end = name.chunks_exact(2).position(|pair| pair == [0, 0]).unwrap_or(16);
    said.client_name = utf16_text(&name[..end * 2], 16);
    said.client_software = format!("RDP client build {build}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's request of [MS-RDPBCGR], 4.1.1.
    const REQUEST: &[u8] = b"\x03\0\0\x2c\x27\xe0\0\0\0\0\0Cookie: mstshash=eltons\r\n\x01\0\x08\0\0\0\0\0";

    #[test]
    fn the_specification_s_example_tells_the_user() {
        let recognised = recognise(REQUEST, false).unwrap();
        assert_eq!(recognised.speaker, Some(Role::Client));
        let mut said = Introduction::default();
        let Packet::Connection(connection) = packet(REQUEST) else { panic!("no connection request") };
        request(connection.variable, &mut said);
        assert_eq!(said.user, "eltons");
    }

    #[test]
    fn a_controller_s_connection_request_is_not_a_desktop_s() {
        // S7: calling and called TSAP, TPDU size.
        let s7 = b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02";
        assert_eq!(recognise(s7, false), None);
        assert_eq!(recognise(s7, true), None);
    }
}
