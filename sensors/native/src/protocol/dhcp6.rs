//! DHCP for IPv6: what a host calls itself and asks for, what it is given, and who gives (RFC 8415, 4704, 3646).
//!
//! Its unique identifier may hold the MAC address of another of its cards, or of one that is gone: it names no address.
//! Authentication (11) and vendors' own bytes (17) stay where they are. Of what relays carry the message inside is read,
//! and told of the client that it comes from or goes to, not of a relay.

mod duid;
mod relay;

use super::datagram::{by_structure, each_datagram};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::inventory::{roles, text};
use crate::observations::Observation;
use crate::protocol::reading::Fields;
use crate::words::{Layer, ObservationKind as Kind, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Dhcp,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[546, 547],
    recognise,
    parser: Some(|_| Box::new(Dhcp6)),
};

each_datagram!(Dhcp6, read);

/// Options of one message that are looked at.
const OPTIONS: usize = 64;

mod kind {
    pub const ADVERTISE: u8 = 2;
    pub const REPLY: u8 = 7;
    pub const RECONFIGURE: u8 = 10;
    pub const LAST_OF_CLIENTS: u8 = 11;
}

mod option {
    pub const CLIENT: u16 = 1;
    pub const SERVER: u16 = 2;
    pub const ADDRESSES: u16 = 3;
    pub const ADDRESS: u16 = 5;
    pub const PARAMETERS: u16 = 6;
    /// A message that a relay carries.
    pub const RELAYED: u16 = 9;
    pub const STATUS: u16 = 13;
    pub const VENDOR_CLASS: u16 = 16;
    pub const DNS_SERVERS: u16 = 23;
    pub const FULL_NAME: u16 = 39;
}

/// Options in order (RFC 8415, 21.1); `None` at the end of what can be read.
fn options(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut fields = Fields(bytes);
    std::iter::from_fn(move || Some((fields.u16()?, fields.medium()?))).take(OPTIONS)
}

/// The type, and the options behind the transaction identifier (8).
fn message(payload: &[u8]) -> Option<(u8, &[u8])> {
    let [kind @ 1..=kind::LAST_OF_CLIENTS, _, _, _, rest @ ..] = payload else { return None };
    let whole: usize = options(rest).map(|(_, value)| 4 + value.len()).sum();
    // Both sides say who they are; a client that wants no address need not (18.2.6).
    let named = options(rest).any(|(code, _)| matches!(code, option::CLIENT | option::SERVER));
    (whole == rest.len() && (named || *kind == kind::LAST_OF_CLIENTS)).then_some((*kind, rest))
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    if !on_port {
        return None;
    }
    let inner = relay::inner(payload)?;
    let (kind, _) = message(inner.message)?;
    let is_server_s = match inner.last {
        // A relay passes on what a client says, and what is said to it comes from a server.
        Some(relay) => relay.is_reply,
        None => is_server_s(kind),
    };
    by_structure(Some(if is_server_s { Role::Server } else { Role::Client }))
}

fn is_server_s(kind: u8) -> bool {
    matches!(kind, kind::ADVERTISE | kind::REPLY | kind::RECONFIGURE)
}

fn addresses(value: &[u8]) -> impl Iterator<Item = [u8; 16]> {
    value.chunks_exact(16).filter_map(|chunk| chunk.try_into().ok())
}

/// Addresses of an association that it is told of or asks for: each with its lifetimes and options (21.4 and 21.6).
fn associated(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    // Identifier and two times come first.
    let options = options(value.get(12..).unwrap_or_default());
    options.filter(|(code, _)| *code == option::ADDRESS).map(|(_, address)| address)
}

/// True where no status says that something was refused (21.13).
fn is_success(rest: &[u8]) -> bool {
    let status = options(rest).find(|(code, _)| *code == option::STATUS);
    status.is_none_or(|(_, value)| value.starts_with(&[0, 0]))
}

/// The addresses that a server gives with a lifetime, and refuses none of.
fn given(told: &[u8]) -> impl Iterator<Item = &[u8; 16]> {
    let associations = options(told).filter(|(code, value)| {
        *code == option::ADDRESSES && is_success(value.get(12..).unwrap_or_default())
    });
    associations.flat_map(|(_, value)| associated(value)).filter_map(|value| {
        // Preferred, then valid lifetime.
        let is_valid = value.get(20..24)? != [0; 4] && is_success(value.get(24..)?);
        value.first_chunk().filter(|address| is_valid && text::is_a_devices(address))
    })
}

fn read(from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
    let Some(inner) = relay::inner(bytes) else { return };
    let Some((kind, told)) = message(inner.message) else { return };
    let sender = *if from == Role::Client { out.client_ip } else { out.server_ip };
    let (ip, client_ip) = match inner.last {
        None => (sender, *out.client_ip),
        // What a relay says comes from the client that it heard; what is said to a relay is the server's own.
        Some(relay) if relay.is_reply => (sender, relay.peer),
        Some(relay) => (relay.peer, relay.peer),
    };
    if inner.last.is_some_and(|relay| relay.is_reply != is_server_s(kind)) {
        // A relay carries what clients say one way, and what servers say the other.
        return;
    }
    if inner.last.is_some_and(|relay| !text::is_a_devices(&relay.peer)) {
        return;
    }
    let mut tell = |ip, kind, value: &str| {
        out.observe(&Observation { mac: 0, ip, kind, source: ObservationSource::Dhcp, value }, at);
    };
    let client = options(told).find(|(code, _)| *code == option::CLIENT);
    let duid = client.and_then(|(_, value)| duid::text(value));
    if kind == kind::REPLY {
        for address in given(told).take(4) {
            tell(client_ip, Kind::GivenAddress, &text::ip(address));
            if let Some(duid) = &duid {
                tell(*address, Kind::Duid, duid);
            }
        }
    }
    if matches!(kind, kind::ADVERTISE | kind::REPLY) {
        tell(ip, Kind::Role, roles::DHCP_SERVER);
        for (_, value) in options(told).filter(|(code, _)| *code == option::DNS_SERVERS) {
            addresses(value).take(4).for_each(|server| tell(server, Kind::Role, roles::DNS_SERVER));
        }
        return;
    }
    if kind == kind::RECONFIGURE {
        return;
    }
    if let Some(duid) = &duid {
        tell(ip, Kind::Duid, duid);
    }
    for (code, value) in options(told) {
        match code {
            option::ADDRESSES => {
                for wanted in associated(value).filter_map(<[u8]>::first_chunk) {
                    tell(ip, Kind::RequestedAddress, &text::ip(wanted));
                }
            }
            option::PARAMETERS => {
                let codes: Vec<_> = value
                    .chunks_exact(2)
                    .map(|code| u16::from_be_bytes([code[0], code[1]]).to_string())
                    .collect();
                tell(ip, Kind::DhcpFingerprint, &codes.join(","));
            }
            // The maker's number, then texts with their lengths (21.16).
            option::VENDOR_CLASS => {
                let mut classes = Fields(value.get(4..).unwrap_or_default());
                if let Some(class) = classes.medium() {
                    tell(ip, Kind::VendorClass, &text::of(class));
                }
            }
            // Flags, then a name in labels (RFC 4704, 4).
            option::FULL_NAME => {
                if let Some(Ok((name, _))) = value.get(1..).map(|name| super::dns::name::read(name, 0)) {
                    tell(ip, Kind::DomainName, &name);
                }
            }
            _ => {}
        }
    }
}
