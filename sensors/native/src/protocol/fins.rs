//! Omron FINS (Omron W227, FINS Commands Reference): over UDP as it is, over TCP behind its own header.

use super::operation::{
    Answer, Dialect, Exchange, Head, Message, Operation, Reader, Speaker, hex, printable,
};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::observations::Observation;
use crate::words::{Confidence, Layer, ObservationKind, ObservationSource, OperationClass as Class, Service};

pub const TCP: Protocol = Protocol {
    service: Service::Fins,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[9_600],
    recognise: recognise_tcp,
    parser: Some(|confidence| Speaker::over_tcp(Tcp, confidence)),
};

pub const UDP: Protocol = Protocol {
    service: Service::Fins,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[9_600],
    recognise: recognise_udp,
    parser: Some(|confidence| Speaker::over_udp(Udp, confidence)),
};

/// `FINS`, length, command, error.
const TCP_HEADER: usize = 16;

/// Control, reserved, gateways, six bytes of addresses, service identifier, command.
const HEADER: usize = 12;

/// Set in the control byte of an answer, and where none is wanted.
const ANSWERS: u8 = 0x40;
const WANTS_NO_ANSWER: u8 = 0x01;

fn judge_tcp(bytes: &[u8], _in_step: bool) -> Head {
    if !b"FINS".starts_with(&bytes[..bytes.len().min(4)]) {
        return Head::Wrong;
    }
    let Some(length) = bytes.get(4..8).and_then(|length| Reader(length).u32_be()) else {
        return Head::Incomplete;
    };
    match length {
        8..=65_535 => Head::Message(8 + length as usize),
        _ => Head::Wrong,
    }
}

fn judge_udp(bytes: &[u8], _in_step: bool) -> Head {
    match *bytes {
        [control, 0, 0..=7, _, _, _, _, _, _, _, main, sub, ..]
            if control & 0x3e == 0 && control & 0x80 != 0 && known(main, sub).is_some() =>
        {
            Head::Message(bytes.len())
        }
        _ => Head::Wrong,
    }
}

fn recognise_tcp(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let Head::Message(_) = judge_tcp(payload, true) else { return None };
    let speaker = match payload.get(8..12)? {
        [0, 0, 0, 0] => Some(Role::Client),
        [0, 0, 0, 1] => Some(Role::Server),
        [0, 0, 0, 2] => Some(speaker(*payload.get(TCP_HEADER)?)),
        _ => None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

fn recognise_udp(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let Head::Message(_) = judge_udp(payload, true) else { return None };
    // Elsewhere also the number of gateways has to be one that Omron's devices send.
    (on_port || matches!(payload[2], 2 | 7))
        .then(|| Recognised { confidence: Confidence::Structure, speaker: Some(speaker(payload[0])) })
}

fn speaker(control: u8) -> Role {
    if control & ANSWERS == 0 { Role::Client } else { Role::Server }
}

/// Service identifier and command.
type Key = (u8, u8, u8);

struct Tcp;
struct Udp;

impl Dialect for Tcp {
    type Key = Key;
    const JUDGE: fn(&[u8], bool) -> Head = judge_tcp;
    const SERVICE: Service = Service::Fins;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let mut reader = Reader(message.bytes.get(8..)?);
        let (command, error) = (reader.u32_be()?, reader.u32_be()?);
        // Node addresses are agreed under a key that no command has.
        let agreement = || Operation::new("agree node addresses", Class::Session);
        match command {
            0 => exchange.ask((0, 0, 0), from, agreement(), at, out),
            1 => {
                let answer = Answer { error: (error != 0).then_some(error), ..Answer::default() };
                if error == 0 {
                    exchange.confidence = Confidence::Handshake;
                }
                exchange.answer_or_orphan(&(0, 0, 0), from, &answer, at, out, agreement);
            }
            2 => return command_or_answer(reader, from, at, exchange, out),
            _ => {}
        }
        Some(())
    }
}

impl Dialect for Udp {
    type Key = Key;
    const JUDGE: fn(&[u8], bool) -> Head = judge_udp;
    const SERVICE: Service = Service::Fins;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        command_or_answer(Reader(message.bytes), from, at, exchange, out)
    }
}

fn command_or_answer(
    mut reader: Reader<'_>,
    from: Role,
    at: At,
    exchange: &mut Exchange<Key>,
    out: &mut Output<'_>,
) -> Option<()> {
    let [control, _, _, to_net, to_node, to_unit, net, node, unit, sid, main, sub] =
        *reader.chunk::<HEADER>()?;
    let (name, class) = known(main, sub).map_or_else(
        || (format!("command {main:02x}{sub:02x}"), Class::Other),
        |(name, class)| (name.into(), class),
    );
    let mut operation = Operation::new(name, class);
    let key = (sid, main, sub);
    let (sender, receiver) = (format!("{net}.{node}.{unit}"), format!("{to_net}.{to_node}.{to_unit}"));
    if control & ANSWERS == 0 {
        (operation.client_station, operation.server_station) = (sender, receiver);
        if let (0x01, 1..=3) = (main, sub) {
            let area = reader.u8()?;
            let (address, bit, count) = (reader.u16_be()?, reader.u8()?, reader.u16_be()?);
            operation.object = memory(area, address, bit);
            operation.quantity = Some(u32::from(count));
            operation.value = hex(reader.0);
        }
        match control & WANTS_NO_ANSWER {
            0 => exchange.ask(key, from, operation, at, out),
            _ => exchange.tell(from, operation, at, out),
        }
        return Some(());
    }
    let code = reader.u16_be()?;
    let mut answer = Answer::default();
    // The highest bits of both bytes tell of relays and of other errors of the controller.
    if code & 0x7f3f != 0 {
        answer.error = Some(u32::from(code));
    } else if (main, sub) == (0x01, 0x01) {
        answer.value = hex(reader.0);
    } else if (main, sub) == (0x05, 0x01) {
        let ip = *if from == Role::Client { out.client_ip } else { out.server_ip };
        let (model, version) = (printable(reader.up_to(20)), printable(reader.up_to(20)));
        answer.value = format!("{model} {version}");
        for (kind, value) in [(ObservationKind::Model, &model), (ObservationKind::Firmware, &version)] {
            out.observe(&Observation { mac: 0, ip, kind, source: ObservationSource::Fins, value }, at);
        }
    }
    (operation.client_station, operation.server_station) = (receiver, sender);
    exchange.answer_or_orphan(&key, from, &answer, at, out, || operation);
    Some(())
}

fn memory(area: u8, address: u16, bit: u8) -> String {
    let (name, is_bit) = match area {
        0x30 => ("CIO", true),
        0x31 => ("W", true),
        0x32 => ("H", true),
        0x33 => ("A", true),
        0x02 => ("D", true),
        0xb0 => ("CIO", false),
        0xb1 => ("W", false),
        0xb2 => ("H", false),
        0xb3 => ("A", false),
        0x82 => ("D", false),
        _ => return format!("area 0x{area:02x} {address}.{bit:02}"),
    };
    if is_bit { format!("{name}{address}.{bit:02}") } else { format!("{name}{address}") }
}

fn known(main: u8, sub: u8) -> Option<(&'static str, Class)> {
    let known = match (main, sub) {
        (0x01, 0x01) => ("read memory area", Class::Read),
        (0x01, 0x02) => ("write memory area", Class::Write),
        (0x01, 0x03) => ("fill memory area", Class::Write),
        (0x01, 0x04) => ("read memory areas", Class::Read),
        (0x01, 0x05) => ("transfer memory area", Class::Write),
        (0x02, 0x01) => ("read parameter area", Class::Read),
        (0x02, 0x02) => ("write parameter area", Class::Configure),
        (0x02, 0x03) => ("clear parameter area", Class::Configure),
        (0x03, 0x06) => ("read program area", Class::Program),
        (0x03, 0x07) => ("write program area", Class::Program),
        (0x03, 0x08) => ("clear program area", Class::Program),
        (0x04, 0x01) => ("run", Class::Start),
        (0x04, 0x02) => ("stop", Class::Stop),
        (0x04, 0x03) => ("reset", Class::Restart),
        (0x05, 0x01) => ("read controller data", Class::Discover),
        (0x05, 0x02) => ("read connection data", Class::Discover),
        (0x06, 0x01) => ("read controller status", Class::Read),
        (0x06, 0x20) => ("read cycle time", Class::Read),
        (0x07, 0x01) => ("read clock", Class::Read),
        (0x07, 0x02) => ("write clock", Class::Configure),
        (0x09, 0x20) => ("read messages", Class::Read),
        (0x0c, 0x01) => ("acquire access right", Class::Session),
        (0x0c, 0x02) => ("force access right", Class::Session),
        (0x0c, 0x03) => ("release access right", Class::Session),
        (0x21, 0x01) => ("clear errors", Class::Configure),
        (0x21, 0x02) => ("read error log", Class::Read),
        (0x21, 0x03) => ("clear error log", Class::Configure),
        (0x22, 0x01) => ("list files", Class::Discover),
        (0x22, 0x02) => ("read file", Class::Read),
        (0x22, 0x03) => ("write file", Class::Program),
        (0x22, 0x04) => ("format file memory", Class::Program),
        (0x22, 0x05) => ("delete file", Class::Program),
        (0x22, 0x07) => ("copy file", Class::Program),
        (0x22, 0x0a..=0x0c) => ("transfer file", Class::Program),
        (0x23, 0x01) => ("force", Class::Write),
        (0x23, 0x02) => ("cancel forces", Class::Write),
        _ => return None,
    };
    Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &[u8] = &[0x80, 0, 2, 0, 1, 0, 0, 2, 0, 7, 1, 1, 0x82, 0, 100, 0, 0, 1];

    #[test]
    fn commands_are_recognised_by_their_structure() {
        assert_eq!(recognise_udp(READ, false).unwrap().speaker, Some(Role::Client));
        let tcp = [&b"FINS\0\0\0\x1a\0\0\0\x02\0\0\0\0"[..], READ].concat();
        assert_eq!(recognise_tcp(&tcp, false).unwrap().speaker, Some(Role::Client));
        assert!(recognise_udp(&READ[1..], true).is_none());
        assert!(recognise_tcp(b"FINE", true).is_none());
    }

    #[test]
    fn memory_is_written_as_engineers_do() {
        assert_eq!(memory(0x82, 100, 0), "D100");
        assert_eq!(memory(0x31, 5, 3), "W5.03");
    }
}
