//! IPsec: IKE messages, and ESP within UDP (RFC 7296, 3.1; RFC 2408, 3.1; RFC 3948, 2).

use crate::protocol::introduction::Introduction;
use crate::protocol::named::{self, Shape};
use crate::protocol::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Ipsec,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[500, 4500],
    recognise,
    parser: Some(|_| named::parser::<Ipsec>(Confidence::Structure)),
};

const HEADER: usize = 28;

struct Ike {
    version: u8,
    /// The responder has no number yet: this opens the association.
    opens: bool,
}

/// A message; on port 4500 four zeros tell it from ESP.
fn ike(payload: &[u8]) -> Option<Ike> {
    let message = payload.strip_prefix(&[0; 4]).filter(|rest| rest.len() >= HEADER).unwrap_or(payload);
    let header: &[u8; HEADER] = message.first_chunk()?;
    let length = u32::from_be_bytes([header[24], header[25], header[26], header[27]]) as usize;
    let (version, exchange) = (header[17], header[18]);
    let known = match version {
        0x20 => (34..=44).contains(&exchange),
        0x10 => matches!(exchange, 1..=6 | 32 | 33),
        _ => false,
    };
    let numbered = header[..8] != [0; 8];
    (known && numbered && length == message.len())
        .then_some(Ike { version: version >> 4, opens: header[8..16] == [0; 8] })
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let speaker = ike(payload)?.opens.then_some(Role::Client);
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

#[derive(Default)]
struct Ipsec;

impl Shape for Ipsec {
    const SERVICE: Service = Service::Ipsec;

    fn fits(&mut self, _from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        let Some(message) = ike(bytes) else { return false };
        said.version = format!("IKEv{}", message.version);
        said.encrypted = true;
        true
    }
}
