//! QUIC, named by the long header that opens a connection (RFC 8999, 5.1; RFC 9000, 17.2). A client's first packets can be
//! opened by whoever sees them: the name that it asks for is in the row. Everything else is sealed.

mod initial;
mod keys;

use initial::Hello;

use super::introduction::Introduction;
use super::named::{self, Shape};
use super::reading::Fields;
use super::tls::{self, hello::ClientHello};
use super::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Quic,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[443],
    recognise,
    parser: Some(|_| named::parser::<Quic>(Confidence::Structure)),
};

/// The least a client's first datagram has (RFC 9000, 14.1).
const FIRST_DATAGRAM: usize = 1_200;

/// Connection identifiers are not longer (RFC 9000, 17.2).
const IDENTIFIER_LIMIT: usize = 20;

fn version(number: u32) -> Option<&'static str> {
    match number {
        0 => Some("QUIC version negotiation"),
        1 => Some("QUIC 1"),
        0x6b33_43cf => Some("QUIC 2"),
        0xff00_001b..=0xff00_0022 => Some("QUIC draft"),
        _ => None,
    }
}

/// The version, and whether this is an Initial packet.
fn long_header(payload: &[u8]) -> Option<(&'static str, bool)> {
    let mut fields = Fields(payload);
    let first = fields.u8()?;
    let number = fields.u32()?;
    let named = version(number)?;
    let identifiers = [fields.short()?, fields.short()?];
    let fits = first & 0x80 != 0
        && (number == 0 || first & 0x40 != 0)
        && identifiers.iter().all(|identifier| identifier.len() <= IDENTIFIER_LIMIT)
        && identifiers.iter().any(|identifier| !identifier.is_empty())
        && fields.0.len() >= 16;
    fits.then_some((named, number != 0 && first >> 4 & 3 == initial_type(number)))
}

/// The type bits of an Initial packet: version 2 has other ones (RFC 9369, 3.2).
fn initial_type(version: u32) -> u8 {
    u8::from(version == 0x6b33_43cf)
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let (_, initial) = long_header(payload)?;
    let opens = initial && payload.len() >= FIRST_DATAGRAM;
    (opens || on_port).then_some(Recognised { confidence: Confidence::Structure, speaker: None })
}

#[derive(Default)]
struct Quic {
    hello: Hello,
}

impl Shape for Quic {
    const SERVICE: Service = Service::Quic;

    fn fits(&mut self, from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        let Some((version, _)) = long_header(bytes) else { return false };
        said.version = version.to_owned();
        said.encrypted = true;
        if from == Role::Client {
            if let Some(hello) = self.hello.take(bytes).and_then(|body| ClientHello::read(&body, false)) {
                tls::client_said(&hello, 'q', said);
            }
        }
        true
    }

    fn held_bytes(&self) -> usize {
        self.hello.held_bytes()
    }
}
