//! DHCP for IPv4: what a host calls itself and asks for, what it is given, and who gives (RFC 2131, RFC 2132).
//!
//! Only the options named here are read: authentication (90) and vendors' own bytes (43) stay where they are.

use super::datagram::{by_structure, each_datagram};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::inventory::{roles, text};
use crate::observations::Observation;
use crate::words::{Layer, ObservationKind as Kind, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Dhcp,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[67, 68],
    recognise,
    parser: Some(|_| Box::new(Dhcp)),
};

each_datagram!(Dhcp, read);

/// Where the magic cookie is (RFC 2131, 3).
const COOKIE_AT: usize = 236;
const COOKIE: [u8; 4] = [99, 130, 83, 99];

mod option {
    pub const ROUTERS: u8 = 3;
    pub const DNS_SERVERS: u8 = 6;
    pub const HOST_NAME: u8 = 12;
    pub const REQUESTED: u8 = 50;
    pub const TYPE: u8 = 53;
    pub const SERVER: u8 = 54;
    pub const PARAMETERS: u8 = 55;
    pub const VENDOR_CLASS: u8 = 60;
    pub const FULL_NAME: u8 = 81;
}

mod kind {
    pub const OFFER: u8 = 2;
    pub const REQUEST: u8 = 3;
    pub const ACK: u8 = 5;
    pub const INFORM: u8 = 8;
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    // Operation, hardware type, address length: Ethernet's.
    let [operation @ (1 | 2), 1, 6, ..] = *payload else { return None };
    payload.get(COOKIE_AT..)?.starts_with(&COOKIE).then_some(())?;
    by_structure(Some(if operation == 1 { Role::Client } else { Role::Server }))
}

/// Options in order: code, length, value; 0 is padding, 255 the end (RFC 2132, 2).
fn options(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        while let [0, after @ ..] = rest {
            rest = after;
        }
        let [code, length, tail @ ..] = rest else { return None };
        if *code == 255 {
            return None;
        }
        let (value, after) = tail.split_at_checked(usize::from(*length))?;
        rest = after;
        Some((*code, value))
    })
}

fn addresses(value: &[u8]) -> impl Iterator<Item = [u8; 16]> {
    value.chunks_exact(4).filter_map(|chunk| chunk.try_into().ok().map(text::mapped))
}

fn read(from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
    if recognise(bytes, false).is_none() {
        return;
    }
    let address_at = |place: usize| addresses(&bytes[place..place + 4]).next().unwrap_or_default();
    let (current, given) = (address_at(12), address_at(16));
    let mac = bytes[28..].first_chunk::<6>().map_or(0, text::mac_of);
    let told: Vec<_> = options(&bytes[COOKIE_AT + COOKIE.len()..]).take(64).collect();
    let value_of = |code| told.iter().find(|(known, _)| *known == code).map(|(_, value)| *value);
    let message = value_of(option::TYPE).and_then(|value| value.first().copied()).unwrap_or(0);
    let mut tell = |mac, ip, kind, value: &str| {
        out.observe(&Observation { mac, ip, kind, source: ObservationSource::Dhcp, value }, at);
    };
    if from == Role::Server || bytes[0] == 2 {
        let server = value_of(option::SERVER).and_then(|value| addresses(value).next());
        if matches!(message, kind::OFFER | kind::ACK) {
            if let Some(server) = server {
                tell(0, server, Kind::Role, roles::DHCP_SERVER);
            }
            for (code, role) in [(option::ROUTERS, roles::ROUTER), (option::DNS_SERVERS, roles::DNS_SERVER)] {
                for ip in value_of(code).into_iter().flat_map(addresses).take(4) {
                    tell(0, ip, Kind::Role, role);
                }
            }
        }
        if message == kind::ACK && text::is_a_devices(&given) && text::is_a_cards(mac) {
            tell(mac, given, Kind::Address, &text::ip(&given));
        }
        return;
    }
    // Until it has an address, a host is known by its MAC address alone.
    let ip = if text::is_a_devices(&current) { current } else { [0; 16] };
    if ip != [0; 16] && matches!(message, kind::REQUEST | kind::INFORM) {
        tell(mac, ip, Kind::Address, &text::ip(&ip));
    }
    for (code, value) in &told {
        match *code {
            option::HOST_NAME => tell(mac, ip, Kind::HostName, &text::of(value)),
            option::VENDOR_CLASS => tell(mac, ip, Kind::VendorClass, &text::of(value)),
            option::REQUESTED => {
                if let Some(wanted) = addresses(value).next() {
                    tell(mac, ip, Kind::RequestedAddress, &text::ip(&wanted));
                }
            }
            option::PARAMETERS => {
                let codes: Vec<_> = value.iter().map(u8::to_string).collect();
                tell(mac, ip, Kind::DhcpFingerprint, &codes.join(","));
            }
            // Flags, two unused bytes, then a name: in labels where flag 4 is set (RFC 4702, 2).
            option::FULL_NAME => match value {
                [flags, _, _, name @ ..] if flags & 4 == 0 => {
                    tell(mac, ip, Kind::DomainName, &text::of(name));
                }
                [_, _, _, name @ ..] => {
                    if let Ok((name, _)) = super::dns::name::read(name, 0) {
                        tell(mac, ip, Kind::DomainName, &name);
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }
}
