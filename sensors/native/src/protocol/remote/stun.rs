//! STUN: two ends that look for a way through address translation, as remote desktops and calls do (RFC 8489, 5).

use crate::protocol::introduction::Introduction;
use crate::protocol::named::{self, Shape};
use crate::protocol::reading::{Fields, text};
use crate::protocol::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Stun,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[3478, 19302],
    recognise,
    parser: Some(|_| named::parser::<Stun>(Confidence::Structure)),
};

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// SOFTWARE (14.14) and the attributes of one message that are looked at.
const SOFTWARE: u16 = 0x8022;
const ATTRIBUTES_LIMIT: usize = 32;

/// The class of a message (5): request, indication, success, error.
fn class(payload: &[u8]) -> Option<u8> {
    let [high @ 0..=0x3f, low, length_high, length_low, rest @ ..] = payload else { return None };
    let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
    let fits = rest.starts_with(&COOKIE) && length % 4 == 0 && length + 20 == payload.len();
    fits.then_some((high & 1) << 1 | (low >> 4 & 1))
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let speaker = match class(payload)? {
        0 => Some(Role::Client),
        2 | 3 => Some(Role::Server),
        _ => None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

#[derive(Default)]
struct Stun;

impl Shape for Stun {
    const SERVICE: Service = Service::Stun;

    fn fits(&mut self, from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        if class(bytes).is_none() {
            return false;
        }
        let mut fields = Fields(&bytes[20..]);
        for _ in 0..ATTRIBUTES_LIMIT {
            let (Some(kind), Some(value)) = (fields.u16(), fields.medium()) else { break };
            // Values are padded to four bytes.
            fields.take((4 - value.len() % 4) % 4);
            if kind == SOFTWARE {
                let software = text(value, 128);
                match from {
                    Role::Client => said.client_software = software,
                    Role::Server => said.server_software = software,
                }
            }
        }
        true
    }
}
