//! Radmin: messages of a magic byte, length, checksum and type (as Nessus' radmin_detect and THC-Hydra's module show
//! them; the vendor publishes nothing).

use crate::protocol::introduction::Introduction;
use crate::protocol::named::{self, Shape};
use crate::protocol::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Radmin,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[4899],
    recognise,
    parser: Some(|_| named::parser::<Radmin>(Confidence::Structure)),
};

/// What a client opens with: a message of type 8 without data.
const OPENING: &[u8] = &[1, 0, 0, 0, 1, 0, 0, 0, 8, 8];

/// The type of a server's answer to it.
const ANSWER: u8 = 8;

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let named = |speaker| Some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) });
    if payload == OPENING {
        named(Role::Client)
    } else if on_port && is_answer(payload) {
        named(Role::Server)
    } else {
        None
    }
}

/// Magic, the length of type and data, a checksum, the type.
fn is_answer(payload: &[u8]) -> bool {
    let [1, a, b, c, d, _, _, _, _, ANSWER, ..] = payload else { return false };
    let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    (2..=0x100).contains(&length) && payload.len() >= 9 + length.min(37)
}

#[derive(Default)]
struct Radmin;

impl Shape for Radmin {
    const SERVICE: Service = Service::Radmin;

    fn fits(&mut self, from: Role, bytes: &[u8], _said: &mut Introduction) -> bool {
        match from {
            Role::Client => bytes == OPENING,
            Role::Server => is_answer(bytes),
        }
    }
}
