//! HART-IP (FieldComm Group TS20085): sessions, and HART commands passed through to field devices.

use super::operation::{Answer, Dialect, Exchange, Head, Message, Operation, Reader, Speaker, hex};
use super::{Output, Parser, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, OperationClass as Class, Service};

const fn over(transport: Transport, parser: fn(Confidence) -> Box<dyn Parser>) -> Protocol {
    Protocol {
        service: Service::HartIp,
        layer: Layer::Application,
        transport,
        ports: &[5_094],
        recognise,
        parser: Some(parser),
    }
}

pub const TCP: Protocol = over(Transport::Tcp, |confidence| Speaker::over_tcp(HartIp, confidence));
pub const UDP: Protocol = over(Transport::Udp, |confidence| Speaker::over_udp(HartIp, confidence));

/// Version, kind, identifier, status, sequence, length.
const HEADER: usize = 8;

const REQUEST: u8 = 0;
const RESPONSE: u8 = 1;
const PUBLISH: u8 = 2;
const REFUSE: u8 = 15;

const PASS_THROUGH: u8 = 3;

fn judge(bytes: &[u8], _in_step: bool) -> Head {
    let Some(header) = bytes.first_chunk::<HEADER>() else {
        return match bytes {
            [] | [1] | [1, 0..=2 | 15, ..] => Head::Incomplete,
            _ => Head::Wrong,
        };
    };
    match *header {
        [1, 0..=2 | 15, id @ 0..=4, _, _, _, high, low] => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let fits = match id {
                0 => length == 13 || length == HEADER,
                1 | 2 => length == HEADER,
                _ => (HEADER..=2_048).contains(&length),
            };
            if fits { Head::Message(length) } else { Head::Wrong }
        }
        _ => Head::Wrong,
    }
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let Head::Message(length) = judge(payload, true) else { return None };
    if length != payload.len() {
        return None;
    }
    // A session begins with who is primary and a time; a command ends with the parity of its bytes.
    let sure = match (payload[2], payload.get(HEADER..)?) {
        (0, [0 | 1, 0, ..]) => true,
        (PASS_THROUGH, frame) => frame.len() >= 5 && frame.iter().fold(0, |sum, byte| sum ^ byte) == 0,
        _ => false,
    };
    let speaker = match payload[1] {
        REQUEST => Some(Role::Client),
        _ => Some(Role::Server),
    };
    (sure || on_port).then_some(Recognised { confidence: Confidence::Structure, speaker })
}

struct HartIp;

impl Dialect for HartIp {
    /// Sequence number and identifier.
    type Key = (u16, u8);
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::HartIp;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Self::Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let mut reader = Reader(message.bytes);
        let [_, kind, id, status] = *reader.chunk()?;
        let key = (reader.u16_be()?, id);
        reader.skip(2)?;
        let (operation, code) = match id {
            0 => (Operation::new("open session", Class::Session), None),
            1 => (Operation::new("close session", Class::Session), None),
            2 => (Operation::new("keep session", Class::Session), None),
            PASS_THROUGH => command(reader)?,
            _ => (Operation::new("message", Class::Other), None),
        };
        match kind {
            REQUEST => exchange.ask(key, from, operation, at, out),
            PUBLISH => {
                let operation = operation.told();
                let distinct = u64::from(id) | code.map_or(0, |code| u64::from(code) << 8);
                exchange.count(distinct, from, None, at, out, || operation);
            }
            RESPONSE | REFUSE => {
                let failed =
                    if status != 0 || kind == REFUSE { Some(status) } else { code.filter(|code| *code != 0) };
                if id == 0 && failed.is_none() {
                    exchange.confidence = Confidence::Handshake;
                }
                let mut answer = Answer { error: failed.map(u32::from), ..Answer::default() };
                if operation.class == Class::Read {
                    answer.value.clone_from(&operation.value);
                }
                exchange.answer_or_orphan(&key, from, &answer, at, out, || operation);
            }
            _ => {}
        }
        Some(())
    }
}

/// A HART frame: delimiter, address, command, data; of an answer also its response code.
fn command(mut reader: Reader<'_>) -> Option<(Operation, Option<u8>)> {
    let delimiter = reader.u8()?;
    let long = delimiter & 0x80 != 0;
    let address = reader.take(if long { 5 } else { 1 })?;
    reader.skip(usize::from(delimiter >> 5 & 3))?;
    let number = reader.u8()?;
    let length = usize::from(reader.u8()?);
    let data = reader.up_to(length);
    let class = match number {
        0 | 11 | 20 | 21 | 73 | 74 | 84 => Class::Discover,
        6 | 34..=37 | 40 | 41 | 43..=47 | 49 | 51..=53 | 56 | 59 | 79 => Class::Configure,
        17..=19 | 22 | 38 => Class::Configure,
        42 => Class::Restart,
        1..=3 | 7..=9 | 12..=16 | 33 | 48 | 50 | 54 | 57 => Class::Read,
        _ => Class::Other,
    };
    let mut operation = Operation::new(format!("command {number}"), class);
    operation.server_station = hex(address);
    // From field devices: an answer (6) or a burst (1); they begin with a response code and a status.
    let answers = matches!(delimiter & 7, 1 | 6);
    operation.value = hex(if answers { data.get(2..).unwrap_or_default() } else { data });
    Some((operation, if answers { data.first().copied() } else { None }))
}
