//! Tailscale's path discovery: its magic, a sender's key and a sealed message (tailscale.com/disco, package
//! documentation). What it carries is WireGuard; its relays are named by their TLS server names.

use crate::protocol::introduction::Introduction;
use crate::protocol::named::{self, Shape};
use crate::protocol::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Tailscale,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[41641],
    recognise,
    parser: Some(|_| named::parser::<Tailscale>(Confidence::Structure)),
};

/// "TS" and a speech balloon.
const MAGIC: &[u8] = b"TS\xf0\x9f\x92\xac";

/// Magic, key, nonce, and the seal of the shortest message.
const LEAST: usize = 6 + 32 + 24 + 16 + 2;

fn is_discovery(payload: &[u8]) -> bool {
    payload.starts_with(MAGIC) && payload.len() >= LEAST
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    is_discovery(payload).then_some(Recognised { confidence: Confidence::Structure, speaker: None })
}

#[derive(Default)]
struct Tailscale;

impl Shape for Tailscale {
    const SERVICE: Service = Service::Tailscale;

    fn fits(&mut self, _from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        said.encrypted = true;
        is_discovery(bytes)
    }
}
