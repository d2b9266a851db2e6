//! TeamViewer's own protocol: commands behind the bytes 17 24, or 11 30 later (as nDPI and others describe it; the
//! vendor publishes nothing). Over UDP they stand behind a counter.

use crate::protocol::introduction::Introduction;
use crate::protocol::named::{self, Shape};
use crate::protocol::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const STREAM: Protocol = Protocol {
    service: Service::TeamViewer,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[5938],
    recognise: |payload, on_port| judged(is_command(payload), on_port),
    parser: Some(|confidence| named::parser::<TeamViewer<false>>(confidence)),
};

pub const DATAGRAMS: Protocol = Protocol {
    service: Service::TeamViewer,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[5938],
    recognise: |payload, on_port| judged(is_datagram(payload), on_port),
    parser: Some(|confidence| named::parser::<TeamViewer<true>>(confidence)),
};

/// Two bytes and a command's number are little evidence: off its port both sides have to send them.
fn judged(fits: bool, on_port: bool) -> Option<Recognised> {
    let confidence = if on_port { Confidence::Structure } else { Confidence::None };
    fits.then_some(Recognised { confidence, speaker: None })
}

fn is_command(payload: &[u8]) -> bool {
    matches!(payload, [0x17, 0x24, 0x0a..=0x4f, _, ..] | [0x11, 0x30, 0x0a..=0x4f, _, ..])
        && payload.len() >= 5
}

fn is_datagram(payload: &[u8]) -> bool {
    payload.first() == Some(&0) && payload.get(11..).is_some_and(is_command)
}

#[derive(Default)]
struct TeamViewer<const DATAGRAMS: bool>;

impl<const DATAGRAMS: bool> Shape for TeamViewer<DATAGRAMS> {
    const SERVICE: Service = Service::TeamViewer;

    fn fits(&mut self, _from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        said.encrypted = true;
        if DATAGRAMS { is_datagram(bytes) } else { is_command(bytes) }
    }
}
