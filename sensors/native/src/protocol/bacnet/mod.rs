//! BACnet/IP (ASHRAE 135, annex J): services on objects and properties, device identities.

mod apdu;
mod names;
mod npdu;
mod service;
mod tag;

use super::operation::{Answer, Dialect, Exchange, Head, Message, Operation, Speaker};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, OperationClass as Class, Service};
use apdu::Apdu;
use npdu::Network;

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Bacnet,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[47_808],
    recognise,
    parser: Some(|confidence| Speaker::over_udp(Bacnet, confidence)),
};

/// Type, function, length (J.2).
const HEADER: usize = 4;

const RESULT: u8 = 0x00;
const FORWARDED: u8 = 0x04;
const REGISTER_FOREIGN: u8 = 0x05;
const DISTRIBUTE: u8 = 0x09;
const UNICAST: u8 = 0x0a;
const BROADCAST: u8 = 0x0b;

/// What an answer has in common with its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    invoke: u8,
    /// The station behind the address, where it is on another network.
    station: String,
}

fn judge(bytes: &[u8], _in_step: bool) -> Head {
    let [0x81, function, high, low, ..] = *bytes else { return Head::Wrong };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let fits = match function {
        RESULT => length == 6,
        0x01 | FORWARDED => length >= 10,
        0x02 => length == 4,
        REGISTER_FOREIGN => length == 6,
        UNICAST | BROADCAST | DISTRIBUTE => length > HEADER + 2,
        0x03 | 0x06..=0x08 | 0x0c => length >= HEADER,
        _ => false,
    };
    if fits { Head::Message(length) } else { Head::Wrong }
}

/// The network message, past what a router or a foreign device puts before it.
fn network(bytes: &[u8]) -> Option<(u8, Option<Network<'_>>)> {
    let function = *bytes.get(1)?;
    let start = match function {
        UNICAST | BROADCAST | DISTRIBUTE => HEADER,
        // The address of who sent it first.
        FORWARDED => HEADER + 6,
        _ => return Some((function, None)),
    };
    Some((function, Some(npdu::read(bytes.get(start..)?)?)))
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let Head::Message(length) = judge(payload, true) else { return None };
    if length != payload.len() {
        return None;
    }
    let (function, network) = network(payload)?;
    let speaker = match network {
        Some(network) if network.message.is_none() => apdu::read(network.body)?.speaker(),
        Some(_) => None,
        None if matches!(function, RESULT | REGISTER_FOREIGN) => None,
        // Too little to tell it from anything else.
        None => return None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

/// One flow.
struct Bacnet;

impl Dialect for Bacnet {
    type Key = Key;
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::Bacnet;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let (function, network) = network(message.bytes)?;
        let Some(network) = network else {
            if let Some(name) = management(function) {
                let operation = Operation::new(name, Class::Session);
                exchange.count(u64::from(function), from, None, at, out, || operation);
            }
            return Some(());
        };
        if let Some(kind) = network.message {
            let operation = Operation::new(npdu::message_name(kind), Class::Discover);
            exchange.count(0x100 | u64::from(kind), from, None, at, out, || operation);
            return Some(());
        }
        let apdu = apdu::read(network.body)?;
        read(apdu, &network, from, at, exchange, out)
    }
}

fn management(function: u8) -> Option<&'static str> {
    let name = match function {
        0x01 => "write broadcast table",
        0x02 | 0x03 => "read broadcast table",
        REGISTER_FOREIGN => "register foreign device",
        0x06 | 0x07 => "read foreign devices",
        0x08 => "delete foreign device",
        _ => return None,
    };
    Some(name)
}

fn read(
    apdu: Apdu<'_>,
    network: &Network<'_>,
    from: Role,
    at: At,
    exchange: &mut Exchange<Key>,
    out: &mut Output<'_>,
) -> Option<()> {
    let placed = |mut operation: Operation, answers: bool| {
        let (asks, asked) = (&network.source, &network.destination);
        let (asks, asked) = if answers || operation.is_told { (asked, asks) } else { (asks, asked) };
        operation.client_station.clone_from(asks);
        operation.server_station.clone_from(asked);
        operation
    };
    match apdu {
        Apdu::Confirmed { invoke, service, body, first } => {
            // Of a request in segments the first one tells what it asks.
            if first {
                let operation = service::confirmed(service, body);
                let key = Key { invoke, station: network.destination.clone() };
                exchange.ask(key, from, placed(operation, false), at, out);
            }
        }
        Apdu::Unconfirmed { service, body } => {
            let operation = service::unconfirmed(service, body);
            service::observe_device(service, body, network, from, at, out);
            if service::is_set(service) {
                exchange.tell(from, placed(operation, false), at, out);
            } else {
                let key = service::counting_key(service, body);
                exchange.count(key, from, None, at, out, || placed(operation, false));
            }
        }
        Apdu::Acknowledge { invoke, service, body, first } => {
            if first {
                let key = Key { invoke, station: network.source.clone() };
                let answer = service::answer(service, body, network, from, at, out);
                let name = service::confirmed(service, &[]);
                exchange.answer_or_orphan(&key, from, &answer, at, out, || placed(name, true));
            }
        }
        Apdu::Refused { invoke, code, detail } => {
            let key = Key { invoke, station: network.source.clone() };
            let answer = Answer { error: Some(code), detail, ..Answer::default() };
            let name = Operation::new("refused", Class::Other);
            exchange.answer_or_orphan(&key, from, &answer, at, out, || placed(name, true));
        }
        Apdu::SegmentAcknowledge => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_say_who_speaks() {
        let who_is = b"\x81\x0b\0\x0c\x01\x20\xff\xff\0\xff\x10\x08";
        assert_eq!(recognise(who_is, false).unwrap().speaker, Some(Role::Client));
        let acknowledge = b"\x81\x0a\0\x09\x01\0\x20\x05\x0f";
        assert_eq!(recognise(acknowledge, false).unwrap().speaker, Some(Role::Server));
    }

    #[test]
    fn other_lengths_and_versions_are_not_recognised() {
        for payload in [
            &b"\x81\x0b\0\x0d\x01\x20\xff\xff\0\xff\x10\x08"[..],
            b"\x81\x0b\0\x0c\x02\x20\xff\xff\0\xff\x10\x08",
            b"\x81\x0a\0\x04",
            b"\x81",
        ] {
            assert!(recognise(payload, true).is_none(), "{payload:?}");
        }
    }
}
