//! SNMP 1, 2c and 3: which version, and what an agent says of its system (RFC 1157, RFC 3416, RFC 3412).
//!
//! The community string and the user name are passed over: not one byte of them is looked at.

mod ber;

use ber::{INTEGER, OBJECT_ID, OCTETS, SEQUENCE, tagged};

use super::datagram::{by_structure, each_datagram};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::inventory::{roles, text};
use crate::observations::Observation;
use crate::words::{Layer, ObservationKind as Kind, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Snmp,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[161, 162],
    recognise,
    parser: Some(|_| Box::new(Snmp)),
};

each_datagram!(Snmp, read);

/// Variables of a message that are looked at.
const VARIABLES: usize = 64;

/// 1.3.6.1.2.1.1: the system group (RFC 3418, 2).
const SYSTEM: [u8; 6] = [0x2b, 6, 1, 2, 1, 1];

/// What a message is (RFC 3416, 3; RFC 1157, 4.1).
mod operation {
    pub const GET: u8 = 0xa0;
    pub const RESPONSE: u8 = 0xa2;
    pub const TRAP_V1: u8 = 0xa4;
    pub const INFORM: u8 = 0xa6;
    pub const TRAP: u8 = 0xa7;
    pub const LAST: u8 = 0xa8;
}

/// A message, as far as it is in clear.
struct Message<'a> {
    version: &'static str,
    /// Its operation and what that holds; none where it is encrypted.
    operation: Option<(u8, &'a [u8])>,
}

fn message(payload: &[u8]) -> Option<Message<'_>> {
    let (body, after) = tagged(payload, SEQUENCE)?;
    let (version, rest) = tagged(body, INTEGER)?;
    let version = match version {
        [0] => "SNMPv1",
        [1] => "SNMPv2c",
        [3] => "SNMPv3",
        _ => return None,
    };
    if !after.is_empty() {
        return None;
    }
    let data = if version == "SNMPv3" {
        // Identifier, largest size, flags, security model; then the security model's own bytes.
        let (_, rest) = tagged(rest, SEQUENCE)?;
        let (_, rest) = tagged(rest, OCTETS)?;
        match ber::element(rest)? {
            (OCTETS, ..) => return Some(Message { version, operation: None }),
            (SEQUENCE, scoped, _) => {
                let (_engine, scoped) = tagged(scoped, OCTETS)?;
                tagged(scoped, OCTETS)?.1
            }
            _ => return None,
        }
    } else {
        tagged(rest, OCTETS)?.1
    };
    let (operation, content, _) = ber::element(data)?;
    (operation::GET..=operation::LAST)
        .contains(&operation)
        .then_some(Message { version, operation: Some((operation, content)) })
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    if payload.first() != Some(&SEQUENCE) {
        return None;
    }
    let message = message(payload)?;
    by_structure(message.operation.map(|(operation, _)| match operation {
        operation::RESPONSE => Role::Server,
        // A trap goes to the manager's port, from whoever serves otherwise.
        _ => Role::Client,
    }))
}

fn read(from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
    let Some(message) = message(bytes) else { return };
    let Some((operation, content)) = message.operation else { return };
    let agent = match (operation, from) {
        (operation::RESPONSE, Role::Server) => *out.server_ip,
        (operation::TRAP_V1 | operation::TRAP | operation::INFORM, Role::Client) => *out.client_ip,
        _ => return,
    };
    let mut tell = |kind, value: &str| {
        let seen = Observation { mac: 0, ip: agent, kind, source: ObservationSource::Snmp, value };
        out.observe(&seen, at);
    };
    tell(Kind::Role, roles::SNMP_AGENT);
    tell(Kind::Service, message.version);
    if operation == operation::TRAP_V1 {
        // The enterprise that defined the trap is not always the agent's own: it is not told.
        return;
    }
    // Request identifier, error, its place.
    let variables = (0..3).try_fold(content, |rest, _| tagged(rest, INTEGER).map(|(_, after)| after));
    let Some((mut rest, _)) = variables.and_then(|rest| tagged(rest, SEQUENCE)) else { return };
    for _ in 0..VARIABLES {
        let Some((variable, after)) = tagged(rest, SEQUENCE) else { break };
        rest = after;
        let Some((name, value)) = tagged(variable, OBJECT_ID) else { continue };
        let Some(&[item, 0]) = name.strip_prefix(&SYSTEM) else { continue };
        match (item, ber::element(value)) {
            (1, Some((OCTETS, value, _))) => tell(Kind::Description, &text::of(value)),
            (2, Some((OBJECT_ID, value, _))) => {
                if let Some(id) = ber::object_id(value) {
                    tell(Kind::ObjectId, &id);
                }
            }
            (5, Some((OCTETS, value, _))) => tell(Kind::HostName, &text::of(value)),
            _ => {}
        }
    }
}
