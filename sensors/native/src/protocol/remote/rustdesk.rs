//! RustDesk: a desktop that registers at its rendezvous server, over UDP (hbb_common, rendezvous.proto: RegisterPeer
//! is field 6 of the envelope, its identifier field 1).

use crate::protocol::introduction::Introduction;
use crate::protocol::named::{self, Shape};
use crate::protocol::reading::text;
use crate::protocol::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::RustDesk,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[21116],
    recognise,
    parser: Some(|_| named::parser::<RustDesk>(Confidence::Structure)),
};

/// The field's tag with wire type 2 (length-delimited).
const REGISTER: u8 = 6 << 3 | 2;
const REGISTERED: u8 = 7 << 3 | 2;
const IDENTIFIER: u8 = 1 << 3 | 2;

/// The desktop's number: six digits or more.
fn register(payload: &[u8]) -> Option<&[u8]> {
    let [REGISTER, length, IDENTIFIER, id_length, rest @ ..] = payload else { return None };
    if usize::from(*length) + 2 != payload.len() {
        return None;
    }
    let id = rest.get(..usize::from(*id_length))?;
    ((6..=16).contains(&id.len()) && id.iter().all(u8::is_ascii_digit)).then_some(id)
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    register(payload)?;
    Some(Recognised { confidence: Confidence::Structure, speaker: Some(Role::Client) })
}

#[derive(Default)]
struct RustDesk;

impl Shape for RustDesk {
    const SERVICE: Service = Service::RustDesk;

    fn fits(&mut self, from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        match from {
            Role::Client => {
                let Some(id) = register(bytes) else { return false };
                said.client_name = text(id, 16);
                true
            }
            // Nothing set in an answer is an answer without bytes: only its tag and length remain.
            Role::Server => {
                matches!(bytes, [REGISTERED, length, rest @ ..] if usize::from(*length) == rest.len())
            }
        }
    }
}
