//! IEC 60870-5-104: control over TCP. Commands and their confirmations by themselves, measured values counted.

mod asdu;
mod types;
mod value;

use super::operation::{Answer, Dialect, Exchange, Head, Message, Operation, Speaker};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::observations::Observation;
use crate::words::{Confidence, Layer, ObservationKind, ObservationSource, OperationClass as Class, Service};
use asdu::{Asdu, cause};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Iec104,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[2_404],
    recognise,
    parser: Some(|confidence| Speaker::over_tcp(Iec104::default(), confidence)),
};

/// Start, length, four control octets (5-104, 5.1).
const HEADER: usize = 6;

/// The common address of every station: each answers with its own.
const ALL_STATIONS: u16 = 0xffff;

/// What an answer has in common with its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A control function that is not numbered: STARTDT, STOPDT, TESTFR.
    Control(u8),
    /// A command: its type, station and point.
    Command { kind: u8, station: u16, point: u32, ends: bool },
    /// A read: whatever type its value has.
    Read { station: u16, point: u32 },
}

/// Format, by the low bits of the first control octet.
enum Format {
    Information,
    Supervisory,
    /// STARTDT 0x04, STOPDT 0x10, TESTFR 0x40; a confirmation has the bit above.
    Unnumbered(u8),
}

fn format(control: &[u8; 4]) -> Option<Format> {
    match *control {
        [first, _, third, _] if first & 1 == 0 && third & 1 == 0 => Some(Format::Information),
        [1, 0, third, _] if third & 1 == 0 => Some(Format::Supervisory),
        [first @ (0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83), 0, 0, 0] => Some(Format::Unnumbered(first)),
        _ => None,
    }
}

fn judge(bytes: &[u8], in_step: bool) -> Head {
    let [0x68, rest @ ..] = bytes else {
        return if bytes.is_empty() { Head::Incomplete } else { Head::Wrong };
    };
    let [length, rest @ ..] = rest else { return Head::Incomplete };
    if !(4..=253).contains(length) {
        return Head::Wrong;
    }
    let Some(control) = rest.first_chunk() else { return Head::Incomplete };
    let whole = usize::from(*length) + 2;
    match format(control) {
        Some(Format::Information) if whole < HEADER + 6 => Head::Wrong,
        Some(Format::Information) if !in_step => match rest[4..].first_chunk() {
            Some(head) if asdu::is_plausible(head, whole - HEADER) => Head::Message(whole),
            Some(_) => Head::Wrong,
            None => Head::Incomplete,
        },
        Some(Format::Information) => Head::Message(whole),
        Some(_) if whole != HEADER => Head::Wrong,
        Some(_) => Head::Message(whole),
        None => Head::Wrong,
    }
}

/// Whole units, one behind the other, of which one says more than that it supervises.
fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let mut rest = payload;
    let mut speaker = None;
    let mut telling = on_port;
    while !rest.is_empty() {
        let Head::Message(length) = judge(rest, false) else { return None };
        let Some(unit) = rest.get(..length) else { break };
        match format(unit[2..].first_chunk()?)? {
            Format::Information => {
                let asdu = asdu::read(&unit[HEADER..])?;
                speaker = speaker.or(asdu.speaker());
                telling = true;
            }
            Format::Unnumbered(control) => {
                // Only the controlling station starts and stops transfer; both test.
                speaker = speaker.or(match control {
                    0x07 | 0x13 => Some(Role::Client),
                    0x0b | 0x23 => Some(Role::Server),
                    _ => None,
                });
                telling = true;
            }
            Format::Supervisory => {}
        }
        rest = &rest[length..];
    }
    (telling && rest.len() < payload.len())
        .then_some(Recognised { confidence: Confidence::Structure, speaker })
}

/// Stations of one flow that the inventory is told of.
const STATIONS: usize = 8;

/// One flow.
#[derive(Default)]
struct Iec104 {
    /// Stations that the inventory was told of.
    told: Vec<u16>,
}

impl Iec104 {
    /// A station that tells values is a role that the inventory keeps.
    fn tell_role(&mut self, asdu: &Asdu<'_>, from: Role, at: At, out: &mut Output<'_>) {
        let known = self.told.contains(&asdu.station) || self.told.len() >= STATIONS;
        if known || !types::is_monitoring(asdu.kind) {
            return;
        }
        self.told.push(asdu.station);
        let ip = *if from == Role::Client { out.client_ip } else { out.server_ip };
        let value = format!("IEC 60870-5-104 station {}", asdu.station);
        let (kind, source) = (ObservationKind::Role, ObservationSource::Iec104);
        out.observe(&Observation { mac: 0, ip, kind, source, value: &value }, at);
    }
}

impl Dialect for Iec104 {
    type Key = Key;
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::Iec104;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        match format(message.bytes.get(2..)?.first_chunk()?)? {
            Format::Supervisory => Some(()),
            Format::Unnumbered(control) => {
                unnumbered(control, from, at, exchange, out);
                Some(())
            }
            Format::Information => {
                let asdu = asdu::read(message.bytes.get(HEADER..)?)?;
                self.tell_role(&asdu, from, at, out);
                information(&asdu, from, at, exchange, out);
                Some(())
            }
        }
    }
}

fn unnumbered(control: u8, from: Role, at: At, exchange: &mut Exchange<Key>, out: &mut Output<'_>) {
    let name = match control & 0xfc {
        0x04 | 0x08 => "start data transfer",
        0x10 | 0x20 => "stop data transfer",
        _ => "test frame",
    };
    let operation = Operation::new(name, Class::Session);
    match control {
        // Both stations test, all the time.
        0x43 => exchange.count(u64::from(control), from, None, at, out, || operation),
        0x83 => {}
        0x07 | 0x13 => exchange.ask(Key::Control(control & 0xfc), from, operation, at, out),
        _ => {
            // A confirmation's bit stands above its activation's.
            let key = Key::Control((control & 0xfc) >> 1);
            if control == 0x0b {
                exchange.confidence = Confidence::Handshake;
            }
            exchange.answer_or_orphan(&key, from, &Answer::default(), at, out, || operation);
        }
    }
}

fn information(asdu: &Asdu<'_>, from: Role, at: At, exchange: &mut Exchange<Key>, out: &mut Output<'_>) {
    let (kind, station) = (asdu.kind, asdu.station);
    let command = |ends: bool| {
        let point = asdu.first_point().unwrap_or(0);
        Key::Command { kind, station, point, ends }
    };
    let failed =
        |code: u32, detail: &str| Answer { error: Some(code), detail: detail.into(), ..Answer::default() };
    match asdu.cause {
        // A value that was asked for by a read command answers it.
        cause::REQUESTED if types::is_monitoring(kind) => {
            let key = Key::Read { station, point: asdu.first_point().unwrap_or(0) };
            let answer = Answer { value: value::of(asdu), ..Answer::default() };
            if !exchange.answer(&key, from, &answer, at, out) {
                count(asdu, from, at, exchange, out);
            }
        }
        cause::REQUESTED if kind == types::READ => {
            let key = Key::Read { station, point: asdu.first_point().unwrap_or(0) };
            exchange.ask(key, from, asdu.operation(), at, out);
        }
        _ if types::is_monitoring(kind) => count(asdu, from, at, exchange, out),
        cause::ACTIVATION | cause::DEACTIVATION => {
            exchange.ask(command(asdu.cause == cause::DEACTIVATION), from, asdu.operation(), at, out);
        }
        cause::ACTIVATED | cause::DEACTIVATED => {
            let answer = match asdu.negative {
                true => failed(u32::from(asdu.cause), "negative confirmation"),
                false => Answer::default(),
            };
            let read = Key::Read { station, point: asdu.first_point().unwrap_or(0) };
            if kind == types::READ && exchange.request(from, &read).is_some() {
                // Some stations confirm a read before they answer it.
                if asdu.negative {
                    exchange.answer(&read, from, &answer, at, out);
                }
                return;
            }
            let mut key = command(asdu.cause == cause::DEACTIVATED);
            if exchange.request(from, &key).is_none() {
                let point = asdu.first_point().unwrap_or(0);
                let to_all = Key::Command {
                    kind,
                    station: ALL_STATIONS,
                    point,
                    ends: asdu.cause == cause::DEACTIVATED,
                };
                if exchange.request(from, &to_all).is_some() {
                    key = to_all;
                }
            }
            exchange.answer_or_orphan(&key, from, &answer, at, out, || asdu.operation());
        }
        // The end of what was confirmed before.
        cause::TERMINATED => {}
        44..=47 => {
            let answer = failed(u32::from(asdu.cause), cause::name(asdu.cause));
            let read = Key::Read { station, point: asdu.first_point().unwrap_or(0) };
            let asked = [command(false), command(true), read];
            let key = asked.iter().find(|key| exchange.request(from, key).is_some());
            let key = key.unwrap_or(&asked[0]);
            exchange.answer_or_orphan(key, from, &answer, at, out, || asdu.operation());
        }
        _ => exchange.tell(from, asdu.operation(), at, out),
    }
}

/// Values of one kind, cause and station are one row a minute.
fn count(asdu: &Asdu<'_>, from: Role, at: At, exchange: &mut Exchange<Key>, out: &mut Output<'_>) {
    let key = u64::from(asdu.kind) | u64::from(asdu.cause) << 8 | u64::from(asdu.station) << 16;
    exchange.count(key, from, Some(u32::from(asdu.count)), at, out, || {
        let mut operation = asdu.operation();
        operation.value = value::of(asdu);
        operation
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] = b"\x68\x04\x07\0\0\0";
    const COMMAND: &[u8] = b"\x68\x0e\0\0\0\0\x2d\x01\x06\0\x01\0\x0a\0\0\x01";

    #[test]
    fn whole_units_are_recognised_and_say_who_speaks() {
        assert_eq!(recognise(START, false).unwrap().speaker, Some(Role::Client));
        assert_eq!(recognise(b"\x68\x04\x0b\0\0\0", false).unwrap().speaker, Some(Role::Server));
        assert_eq!(recognise(&[START, COMMAND].concat(), false).unwrap().speaker, Some(Role::Client));
    }

    #[test]
    fn what_only_begins_alike_is_not() {
        let supervisory = b"\x68\x04\x01\0\x02\0";
        assert!(recognise(supervisory, false).is_none());
        assert!(recognise(supervisory, true).is_some());
        for payload in [&b"hello"[..], b"h\x04\x05\0\0\0", b"\x68\x0d\0\0\0\0\x2d\x01\x06\0\x01\0\x0a\0\0"] {
            assert!(recognise(payload, true).is_none(), "{payload:?}");
        }
    }
}
