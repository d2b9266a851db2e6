//! The network layer (ASHRAE 135, 6.2): who is behind the address.

use crate::protocol::operation::{Reader, hex};

/// A network message without what routes it.
#[derive(Debug)]
pub struct Network<'a> {
    /// A network layer message's type, where it is no application message.
    pub message: Option<u8>,
    /// Network and station; empty on the local network.
    pub source: String,
    pub destination: String,
    pub body: &'a [u8],
}

pub fn read(bytes: &[u8]) -> Option<Network<'_>> {
    let mut reader = Reader(bytes);
    let [1, control] = *reader.chunk()? else { return None };
    if control & 0x50 != 0 {
        return None;
    }
    let has_destination = control & 0x20 != 0;
    let destination = if has_destination { station(&mut reader)? } else { String::new() };
    let source = if control & 0x08 != 0 { station(&mut reader)? } else { String::new() };
    if has_destination {
        let _hops = reader.u8()?;
    }
    let message = if control & 0x80 != 0 { Some(reader.u8()?) } else { None };
    Some(Network { message, source, destination, body: reader.0 })
}

fn station(reader: &mut Reader<'_>) -> Option<String> {
    let network = reader.u16_be()?;
    let length = usize::from(reader.u8()?);
    let address = reader.take(length)?;
    Some(match (network, address) {
        (0xffff, []) => "all networks".into(),
        (_, []) => format!("network {network}"),
        (_, [one]) => format!("network {network} station {one}"),
        (_, more) => format!("network {network} station {}", hex(more)),
    })
}

pub fn message_name(kind: u8) -> String {
    let known = match kind {
        0x00 => "who is router",
        0x01 => "I am router",
        0x02 => "I could be router",
        0x03 => "reject message to network",
        0x04 => "router busy",
        0x05 => "router available",
        0x06 => "initialize routing table",
        0x07 => "initialize routing table acknowledge",
        0x08 => "establish connection to network",
        0x09 => "disconnect connection to network",
        0x12 => "what is network number",
        0x13 => "network number is",
        _ => return format!("network message {kind}"),
    };
    known.into()
}
