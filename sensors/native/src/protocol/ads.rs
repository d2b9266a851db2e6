//! Beckhoff ADS over TCP (Beckhoff TwinCAT 3, ADS specification): commands between AMS addresses.

use super::operation::{
    Answer, Dialect, Exchange, Head, Message, Operation, Reader, Speaker, hex, printable,
};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::observations::Observation;
use crate::words::{Confidence, Layer, ObservationKind, ObservationSource, OperationClass as Class, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Ads,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[48_898],
    recognise,
    parser: Some(|confidence| Speaker::over_tcp(Ads, confidence)),
};

/// Reserved and length; then the AMS header.
const PREFIX: usize = 6;
const HEADER: usize = PREFIX + 32;

/// Flags: an ADS command, and whether it is an answer.
const COMMAND: u16 = 0x0004;
const ANSWERS: u16 = 0x0001;

const NOTIFICATION: u16 = 8;

fn judge(bytes: &[u8], _in_step: bool) -> Head {
    if !bytes.iter().take(2).all(|byte| *byte == 0) {
        return Head::Wrong;
    }
    let Some(header) = bytes.first_chunk::<HEADER>() else { return Head::Incomplete };
    let mut reader = Reader(&header[2..]);
    let length = reader.u32_le();
    let mut reader = Reader(&header[22..]);
    let (command, flags, data) = (reader.u16_le(), reader.u16_le(), reader.u32_le());
    match (length, command, flags, data) {
        (Some(length @ 32..=0x00ff_ffff), Some(1..=9), Some(flags), Some(data))
            if flags & !ANSWERS == COMMAND && data.checked_add(32) == Some(length) =>
        {
            Head::Message(PREFIX + length as usize)
        }
        _ => Head::Wrong,
    }
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let Head::Message(_) = judge(payload, true) else { return None };
    let flags = Reader(&payload[24..]).u16_le()?;
    let speaker = if flags & ANSWERS == 0 { Role::Client } else { Role::Server };
    Some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) })
}

struct Ads;

impl Dialect for Ads {
    /// Invoke identifier and command.
    type Key = (u32, u16);
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::Ads;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Self::Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let mut reader = Reader(message.bytes.get(PREFIX..)?);
        let (target, sender) = (address(&mut reader)?, address(&mut reader)?);
        let (command, flags) = (reader.u16_le()?, reader.u16_le()?);
        reader.skip(4)?;
        let (error, invoke) = (reader.u32_le()?, reader.u32_le()?);
        let key = (invoke, command);
        let (name, class) = named(command);
        let mut operation = Operation::new(name, class);
        if flags & ANSWERS == 0 {
            describe(command, reader, &mut operation);
            if command == NOTIFICATION {
                // What was subscribed to comes by itself.
                (operation.client_station, operation.server_station) = (target, sender);
                exchange.count(u64::from(command), from, None, at, out, || operation.told());
            } else {
                (operation.client_station, operation.server_station) = (sender, target);
                exchange.ask(key, from, operation, at, out);
            }
            return Some(());
        }
        let result = reader.u32_le().unwrap_or(0);
        let failed = if error != 0 { error } else { result };
        let mut answer = Answer { error: (failed != 0).then_some(failed), ..Answer::default() };
        if failed == 0 && command == 1 {
            answer.value = device(reader, from, at, out).unwrap_or_default();
        } else if failed == 0 && matches!(command, 2 | 9) {
            reader.skip(4)?;
            answer.value = hex(reader.0);
        }
        (operation.client_station, operation.server_station) = (target, sender);
        exchange.answer_or_orphan(&key, from, &answer, at, out, || operation);
        Some(())
    }
}

fn address(reader: &mut Reader<'_>) -> Option<String> {
    let [a, b, c, d, e, f] = *reader.chunk()?;
    let port = reader.u16_le()?;
    Some(format!("{a}.{b}.{c}.{d}.{e}.{f}:{port}"))
}

fn describe(command: u16, mut data: Reader<'_>, operation: &mut Operation) -> Option<()> {
    match command {
        2 | 3 | 9 => {
            let (group, offset) = (data.u32_le()?, data.u32_le()?);
            operation.object = format!("group 0x{group:x} offset 0x{offset:x}");
            operation.quantity = Some(data.u32_le()?);
            if command == 3 {
                operation.value = hex(data.0);
            }
        }
        5 => {
            let state = data.u16_le()?;
            let (word, class) = match state {
                2 => ("reset", Class::Restart),
                5 => ("run", Class::Start),
                6 => ("stop", Class::Stop),
                12 => ("shutdown", Class::Stop),
                15 | 16 => ("configure", Class::Configure),
                _ => ("other state", Class::Configure),
            };
            operation.value = format!("{word} ({state})");
            operation.class = class;
        }
        _ => {}
    }
    Some(())
}

/// Version and name of a device.
fn device(mut data: Reader<'_>, from: Role, at: At, out: &mut Output<'_>) -> Option<String> {
    let [major, minor] = *data.chunk()?;
    let build = data.u16_le()?;
    let name = printable(data.up_to(16));
    let version = format!("{major}.{minor}.{build}");
    let ip = *if from == Role::Client { out.client_ip } else { out.server_ip };
    for (kind, value) in [(ObservationKind::Software, &name), (ObservationKind::Firmware, &version)] {
        out.observe(&Observation { mac: 0, ip, kind, source: ObservationSource::Ads, value }, at);
    }
    Some(format!("{name} {version}"))
}

fn named(command: u16) -> (&'static str, Class) {
    match command {
        1 => ("read device information", Class::Discover),
        2 => ("read", Class::Read),
        3 => ("write", Class::Write),
        4 => ("read state", Class::Read),
        5 => ("write control", Class::Configure),
        6 => ("add notification", Class::Read),
        7 => ("delete notification", Class::Read),
        NOTIFICATION => ("notification", Class::Read),
        // It writes a request and reads what it gives: handles by name, sums of commands.
        _ => ("read and write", Class::Write),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_whose_lengths_agree_is_recognised() {
        let mut read = vec![0, 0, 44, 0, 0, 0];
        read.extend([5, 1, 2, 3, 1, 1, 0x53, 3, 5, 9, 9, 9, 1, 1, 1, 0x80]);
        read.extend([2, 0, 4, 0, 12, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0]);
        read.extend([0x20, 0x40, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0]);
        assert_eq!(recognise(&read, false).unwrap().speaker, Some(Role::Client));
        read[2] = 45;
        assert!(recognise(&read, true).is_none());
        assert!(recognise(&[0; 64], true).is_none());
    }
}
