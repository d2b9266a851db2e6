//! PPTP's and L2TP's control connections (RFC 2637, 2.1; RFC 2661, 3.1).

use crate::protocol::introduction::Introduction;
use crate::protocol::named::{self, Shape};
use crate::protocol::reading::text;
use crate::protocol::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PPTP: Protocol = Protocol {
    service: Service::Pptp,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[1723],
    recognise: recognise_pptp,
    parser: Some(|_| named::parser::<Pptp>(Confidence::Structure)),
};

pub const L2TP: Protocol = Protocol {
    service: Service::L2tp,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[1701],
    recognise: |payload, _| {
        is_control(payload).then_some(Recognised { confidence: Confidence::Structure, speaker: None })
    },
    parser: Some(|_| named::parser::<L2tp>(Confidence::Structure)),
};

/// A control message's fixed value (RFC 2637, 2.1).
const COOKIE: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];

/// Host name and vendor, 64 bytes each, in a request or reply that opens the connection (2.1, 2.2).
const HOST_NAME: usize = 28;
const VENDOR: usize = 92;
const OPENING: usize = 156;

/// The type of the control message.
fn pptp(payload: &[u8]) -> Option<u8> {
    let [high, low, 0, 1, rest @ ..] = payload else { return None };
    let [0, kind @ 1..=15] = rest.get(4..6)? else { return None };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    (rest.starts_with(&COOKIE) && length <= payload.len() && length >= 12).then_some(*kind)
}

fn recognise_pptp(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let speaker = match pptp(payload)? {
        1 => Some(Role::Client),
        2 => Some(Role::Server),
        _ => None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

#[derive(Default)]
struct Pptp;

impl Shape for Pptp {
    const SERVICE: Service = Service::Pptp;

    fn fits(&mut self, from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        if pptp(bytes).is_none() {
            return false;
        }
        if let Some(opening) = bytes.get(..OPENING) {
            let field = |at: usize| {
                let end = opening[at..at + 64].iter().position(|byte| *byte == 0).unwrap_or(64);
                text(&opening[at..at + end], 64)
            };
            let (name, software) = (field(HOST_NAME), field(VENDOR));
            match from {
                Role::Client => (said.client_name, said.client_software) = (name, software),
                Role::Server => (said.server_name, said.server_software) = (name, software),
            }
        }
        true
    }
}

/// A control message: type, length and sequence are there, version 2, and the length fits.
fn is_control(payload: &[u8]) -> bool {
    let [0xc8, 2, high, low, ..] = payload else { return false };
    payload.len() >= 12 && usize::from(u16::from_be_bytes([*high, *low])) == payload.len()
}

#[derive(Default)]
struct L2tp;

impl Shape for L2tp {
    const SERVICE: Service = Service::L2tp;

    fn fits(&mut self, _from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        said.version = "L2TPv2".to_owned();
        is_control(bytes)
    }
}
