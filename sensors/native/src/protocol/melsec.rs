//! Mitsubishi's SLMP and MC protocol, 3E and 4E frames in binary (CLPA BAP-C2006; Mitsubishi SH-080008).

use super::operation::{
    Answer, Dialect, Exchange, Head, Message, Operation, Reader, Speaker, hex, printable,
};
use super::{Output, Parser, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::observations::Observation;
use crate::words::{Confidence, Layer, ObservationKind, ObservationSource, OperationClass as Class, Service};

const fn over(transport: Transport, parser: fn(Confidence) -> Box<dyn Parser>) -> Protocol {
    Protocol {
        service: Service::Melsec,
        layer: Layer::Application,
        transport,
        ports: &[5_007],
        recognise,
        parser: Some(parser),
    }
}

pub const TCP: Protocol = over(Transport::Tcp, |confidence| Speaker::over_tcp(Melsec, confidence));
pub const UDP: Protocol = over(Transport::Udp, |confidence| Speaker::over_udp(Melsec, confidence));

/// One frame's header.
struct Header {
    is_request: bool,
    serial: Option<u16>,
    /// Network, station, module: who is asked.
    station: [u8; 5],
    /// Where what the length counts begins, and the whole length.
    start: usize,
    length: usize,
}

/// Subheader, in 4E a serial number, then who is asked and the length of what follows.
fn header(bytes: &[u8]) -> Option<Header> {
    let mut reader = Reader(bytes);
    let (is_request, has_serial) = match *reader.chunk()? {
        [0x50, 0] => (true, false),
        [0xd0, 0] => (false, false),
        [0x54, 0] => (true, true),
        [0xd4, 0] => (false, true),
        _ => return None,
    };
    let mut serial = None;
    if has_serial {
        serial = Some(reader.u16_le()?);
        let [0, 0] = *reader.chunk()? else { return None };
    }
    let station = *reader.chunk::<5>()?;
    // The module is a processor, or the control of one (0x03d0 to 0x03ff), or an input's own number.
    if !matches!(station[3], 0..=3) {
        return None;
    }
    let counted = usize::from(reader.u16_le()?);
    let start = bytes.len() - reader.len();
    // A request has a timer, a command and its subcommand; an answer an end code.
    let fits = if is_request { (6..=8_192).contains(&counted) } else { (2..=8_192).contains(&counted) };
    fits.then_some(Header { is_request, serial, station, start, length: start + counted })
}

fn judge(bytes: &[u8], _in_step: bool) -> Head {
    match bytes {
        [] | [0x50 | 0xd0 | 0x54 | 0xd4] => Head::Incomplete,
        [0x50 | 0xd0, 0, ..] if bytes.len() < 9 => Head::Incomplete,
        [0x54 | 0xd4, 0, ..] if bytes.len() < 13 => Head::Incomplete,
        _ => header(bytes).map_or(Head::Wrong, |header| Head::Message(header.length)),
    }
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let header = header(payload)?;
    if header.length != payload.len() {
        return None;
    }
    let known = match *payload.get(header.start..)? {
        [_, _, low, high, _, sub_high, ..] if header.is_request => {
            sub_high == 0 && named(u16::from_le_bytes([low, high])).is_some()
        }
        // An answer says little: elsewhere only where it comes from this station's processor and went well.
        [0, 0, ..] => on_port || header.station == [0, 0xff, 0xff, 3, 0],
        _ => on_port,
    };
    let speaker = if header.is_request { Role::Client } else { Role::Server };
    known.then_some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) })
}

/// One flow. Without serial numbers answers come in the order of their requests.
struct Melsec;

impl Dialect for Melsec {
    type Key = Option<u16>;
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::Melsec;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Self::Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let header = header(message.bytes)?;
        let mut body = Reader(message.bytes.get(header.start..)?);
        let [network, station, ..] = header.station;
        if header.is_request {
            body.skip(2)?;
            let (command, sub) = (body.u16_le()?, body.u16_le()?);
            let (name, class) = named(command).map_or_else(
                || (format!("command {command:04x}"), Class::Other),
                |(name, class)| (name.into(), class),
            );
            let mut operation = Operation::new(name, class);
            operation.server_station = format!("network {network} station {station}");
            if let 0x0401 | 0x1401 = command {
                // Newer series give longer addresses.
                let wide = sub & 0x0002 != 0;
                let number = if wide { body.u32_le()? } else { body.u24_le()? };
                let code = if wide { body.u16_le()? } else { u16::from(body.u8()?) };
                operation.object = device(code, number);
                operation.quantity = Some(u32::from(body.u16_le()?));
                operation.value = hex(body.0);
            } else if let 0x1630 | 0x1631 = command {
                operation.detail = "password present".into();
            }
            exchange.ask(header.serial, from, operation, at, out);
            return Some(());
        }
        let code = body.u16_le()?;
        let mut answer = Answer { error: (code != 0).then_some(u32::from(code)), ..Answer::default() };
        let asked = exchange.request(from, &header.serial).map(|pending| pending.operation.name.clone());
        if code == 0 && asked.as_deref() == Some("read") {
            answer.value = hex(body.0);
        }
        if code == 0 && asked.as_deref() == Some("read model") {
            let ip = *if from == Role::Client { out.client_ip } else { out.server_ip };
            answer.value = printable(body.up_to(16));
            let (kind, source) = (ObservationKind::Model, ObservationSource::Melsec);
            out.observe(&Observation { mac: 0, ip, kind, source, value: &answer.value }, at);
        }
        exchange.answer_or_orphan(&header.serial, from, &answer, at, out, || {
            Operation::new("answer", Class::Other)
        });
        Some(())
    }
}

fn device(code: u16, number: u32) -> String {
    let name = match code & 0xff {
        0x90 => "M",
        0x91 => "SM",
        0x92 => "L",
        0x93 => "F",
        0x94 => "V",
        0x98 => "S",
        0x9c => return format!("X{number:X}"),
        0x9d => return format!("Y{number:X}"),
        0xa0 => return format!("B{number:X}"),
        0xa8 => "D",
        0xa9 => "SD",
        0xaf => "R",
        0xb4 => return format!("W{number:X}"),
        0xc2 => "TN",
        0xc5 => "CN",
        _ => return format!("device 0x{code:02x} {number}"),
    };
    format!("{name}{number}")
}

fn named(command: u16) -> Option<(&'static str, Class)> {
    let known = match command {
        0x0101 => ("read model", Class::Discover),
        0x0401 => ("read", Class::Read),
        0x0403 => ("read random", Class::Read),
        0x0406 => ("read blocks", Class::Read),
        0x0601 => ("read buffer", Class::Read),
        0x0613 => ("read buffer memory", Class::Read),
        0x0619 => ("self test", Class::Session),
        0x0801 => ("register monitor", Class::Read),
        0x0802 => ("monitor", Class::Read),
        0x1001 => ("remote run", Class::Start),
        0x1002 => ("remote stop", Class::Stop),
        0x1003 => ("remote pause", Class::Stop),
        0x1005 => ("remote latch clear", Class::Restart),
        0x1006 => ("remote reset", Class::Restart),
        0x1401 => ("write", Class::Write),
        0x1402 => ("write random", Class::Write),
        0x1406 => ("write blocks", Class::Write),
        0x1601 => ("write buffer", Class::Write),
        0x1613 => ("write buffer memory", Class::Write),
        0x1617 => ("clear error", Class::Configure),
        0x1630 => ("unlock", Class::Session),
        0x1631 => ("lock", Class::Session),
        0x1810 => ("list files", Class::Discover),
        0x1811 => ("search file", Class::Discover),
        0x1820 => ("new file", Class::Program),
        0x1822 => ("delete file", Class::Program),
        0x1824 => ("copy file", Class::Program),
        0x1825 => ("change file attributes", Class::Program),
        0x1826 => ("change file date", Class::Program),
        0x1827 => ("open file", Class::Program),
        0x1828 => ("read file", Class::Program),
        0x1829 => ("write file", Class::Program),
        0x182a => ("close file", Class::Program),
        _ => return None,
    };
    Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_recognised_and_a_wrong_length_is_not() {
        let read = [0x50, 0, 0, 0xff, 0xff, 3, 0, 12, 0, 16, 0, 1, 4, 0, 0, 100, 0, 0, 0xa8, 2, 0];
        assert_eq!(recognise(&read, false).unwrap().speaker, Some(Role::Client));
        assert!(recognise(&read[..20], true).is_none());
        assert_eq!(device(0xa8, 100), "D100");
        assert_eq!(device(0x9c, 0x1f), "X1F");
    }
}
