//! S7comm: jobs and their acknowledgements. Siemens publishes no description; facts as Wireshark's dissector, the Snap7
//! project and published research agree on them.

use std::borrow::Cow;

use super::s7_item;
use super::{Key, Scene, s7_userdata};
use crate::observations::Observation;
use crate::protocol::Role;
use crate::protocol::operation::{Answer, Listed, Operation, Reader, printable};
use crate::words::{Confidence, ObservationKind, ObservationSource, OperationClass as Class};

const JOB: u8 = 1;
const ACK: u8 = 2;
const ACK_DATA: u8 = 3;
const USER_DATA: u8 = 7;

const READ: u8 = 0x04;
const WRITE: u8 = 0x05;
const SETUP: u8 = 0xf0;
const SERVICE: u8 = 0x28;
const STOP: u8 = 0x29;

/// Protocol, kind, reserved, reference, lengths of parameters and data.
const HEADER: usize = 10;

/// The header of a PDU.
struct Header {
    kind: u8,
    reference: u16,
    parameters: usize,
    error: Option<u16>,
}

fn header(reader: &mut Reader<'_>) -> Option<Header> {
    let [0x32, kind, 0, 0] = *reader.chunk()? else { return None };
    let reference = reader.u16_be()?;
    let parameters = usize::from(reader.u16_be()?);
    reader.skip(2)?;
    let error = if matches!(kind, ACK | ACK_DATA) { Some(reader.u16_be()?) } else { None };
    matches!(kind, JOB | ACK | ACK_DATA | USER_DATA).then_some(Header { kind, reference, parameters, error })
}

/// True where the lengths of a PDU fill its data unit of `length` bytes.
pub fn is_plausible(body: &[u8], length: usize) -> bool {
    let Some(header) = header(&mut Reader(body)) else { return false };
    let [high, low] = [body[8], body[9]];
    let head = HEADER + if header.error.is_some() { 2 } else { 0 };
    head + header.parameters + usize::from(u16::from_be_bytes([high, low])) == length
}

pub fn speaker(body: &[u8]) -> Option<Role> {
    match *body {
        // A controller asks for the parts of a block that is downloaded.
        [_, JOB, _, _, _, _, _, _, _, _, 0x1b | 0x1c, ..] => Some(Role::Server),
        [_, JOB, ..] => Some(Role::Client),
        [_, ACK | ACK_DATA, _, _, _, _, _, _, _, _, _, _, 0x1b | 0x1c, ..] => Some(Role::Client),
        [_, ACK | ACK_DATA, ..] => Some(Role::Server),
        // Parameter head, then method 0x11 asks, 0x12 answers or pushes.
        [_, USER_DATA, _, _, _, _, _, _, _, _, 0, 1, 0x12, _, 0x11, ..] => Some(Role::Client),
        [_, USER_DATA, _, _, _, _, _, _, _, _, 0, 1, 0x12, _, 0x12, ..] => Some(Role::Server),
        _ => None,
    }
}

pub fn read(body: &[u8], scene: &mut Scene<'_, '_>) -> Option<()> {
    let mut reader = Reader(body);
    let header = header(&mut reader)?;
    let parameters = Reader(reader.take(header.parameters)?);
    match header.kind {
        JOB => {
            let function = *parameters.0.first()?;
            let mut operation = Operation::new(name(function), class(function));
            // A job whose fields do not fit is still one.
            let described = describe(function, parameters, reader, &mut operation);
            scene.ask(Key::Job(header.reference), operation);
            return described;
        }
        USER_DATA => return s7_userdata::read(header.reference, parameters, reader, scene),
        _ => {
            let answer = acknowledged(header.error.unwrap_or(0), parameters, reader);
            let function = parameters.0.first().copied();
            if function == Some(SETUP) && answer.error.is_none() {
                scene.exchange.confidence = Confidence::Handshake;
                tell_role(scene);
            }
            scene.answer(&Key::Job(header.reference), &answer, || match function {
                Some(function) => Operation::new(name(function), class(function)),
                None => Operation::new("acknowledge", Class::Other),
            });
        }
    }
    Some(())
}

/// Who lets itself be asked is a controller, or behaves like one.
fn tell_role(scene: &mut Scene<'_, '_>) {
    let (ip, place) = match scene.from {
        Role::Client => (scene.out.client_ip, &scene.stations[0]),
        Role::Server => (scene.out.server_ip, &scene.stations[1]),
    };
    let value = format!("S7 controller {place}");
    let (kind, source) = (ObservationKind::Role, ObservationSource::S7comm);
    let seen = Observation { mac: 0, ip: *ip, kind, source, value: &value };
    scene.out.observe(&seen, scene.at);
}

/// What a job says besides its function.
fn describe(
    function: u8,
    mut parameters: Reader<'_>,
    data: Reader<'_>,
    operation: &mut Operation,
) -> Option<()> {
    parameters.skip(1)?;
    match function {
        READ | WRITE => {
            let count = parameters.u8()?;
            let mut objects = Listed::default();
            for _ in 0..count {
                if !objects.push(&s7_item::address(&mut parameters)?) {
                    break;
                }
            }
            operation.object = objects.into_text();
            operation.quantity = Some(u32::from(count));
            if function == WRITE {
                operation.value = s7_item::values(data, count).text;
            }
        }
        SETUP => {
            parameters.skip(1)?;
            let (calling, called, length) =
                (parameters.u16_be()?, parameters.u16_be()?, parameters.u16_be()?);
            operation.detail = format!("{calling} and {called} jobs at once, PDU length {length}");
        }
        // Status, reserved, upload identifier; then the block's name.
        0x1a | 0x1d => {
            parameters.skip(7)?;
            operation.object = block(named(&mut parameters)?);
            if let Some(lengths) = named(&mut parameters) {
                operation.detail = download_lengths(lengths);
            }
        }
        0x1b | 0x1c => {
            parameters.skip(7)?;
            operation.object = block(named(&mut parameters).unwrap_or_default());
        }
        0x1e | 0x1f => {
            parameters.skip(3)?;
            operation.detail = format!("upload {}", parameters.u32_be()?);
        }
        SERVICE => service(operation, parameters)?,
        STOP => {
            parameters.skip(5)?;
            operation.object = printable(named(&mut parameters)?);
        }
        _ => {}
    }
    Some(())
}

/// Bytes behind their length.
fn named<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = reader.u8()?;
    reader.take(usize::from(length))
}

/// A program invocation service: its name tells what it does.
fn service(operation: &mut Operation, mut parameters: Reader<'_>) -> Option<()> {
    parameters.skip(7)?;
    let length = usize::from(parameters.u16_be()?);
    let argument = parameters.take(length)?;
    let service = named(&mut parameters)?;
    let (name, class): (Cow<'static, str>, _) = match service {
        b"P_PROGRAM" if argument == b"C " => ("start (cold)".into(), Class::Start),
        b"P_PROGRAM" => ("start (warm)".into(), Class::Start),
        b"_INSE" => ("activate block".into(), Class::Program),
        b"_DELE" => ("delete block".into(), Class::Program),
        b"_GARB" => ("compress memory".into(), Class::Program),
        b"_MODU" => ("copy RAM to ROM".into(), Class::Program),
        _ => (format!("program service {}", printable(service)).into(), Class::Program),
    };
    (operation.name, operation.class) = (name, class);
    operation.object = match argument {
        // Blocks: how many, reserved, then eight characters each.
        [count, _, blocks @ ..] if matches!(service, b"_INSE" | b"_DELE") => {
            let mut objects = Listed::default();
            for name in blocks.chunks(8).take(usize::from(*count)) {
                objects.push(&block_name(name));
            }
            objects.into_text()
        }
        _ => printable(service),
    };
    Some(())
}

/// A block's name as a file: `_`, type (two digits), number (five digits), destination file system.
fn block(file: &[u8]) -> String {
    match file {
        [b'_', name @ ..] => block_name(name),
        _ => printable(file),
    }
}

fn block_name(name: &[u8]) -> String {
    let Some((kind, rest)) = name.split_first_chunk::<2>() else { return printable(name) };
    let kind = s7_item::block_type(*kind);
    let number = rest.get(..5).and_then(|digits| std::str::from_utf8(digits).ok());
    match (kind, number.and_then(|digits| digits.parse::<u32>().ok())) {
        (Some(kind), Some(number)) => match rest.get(5) {
            Some(b'P') => format!("{kind} {number} (passive)"),
            Some(b'A') => format!("{kind} {number} (active)"),
            _ => format!("{kind} {number}"),
        },
        _ => printable(name),
    }
}

/// What a download announces: `1`, then load memory and code lengths of six digits each.
fn download_lengths(text: &[u8]) -> String {
    let digits = |from: usize| {
        let text = std::str::from_utf8(text.get(from..from + 6)?).ok()?;
        text.parse::<u32>().ok()
    };
    match (digits(1), digits(7)) {
        (Some(load), Some(code)) => format!("{load} bytes of load memory, {code} of code"),
        _ => String::new(),
    }
}

fn acknowledged(error: u16, mut parameters: Reader<'_>, data: Reader<'_>) -> Answer {
    let mut answer = Answer::default();
    if error != 0 {
        answer.error = Some(u32::from(error));
        return answer;
    }
    let function = parameters.u8();
    let count = parameters.u8().unwrap_or(0);
    match function {
        Some(READ) => {
            let values = s7_item::values(data, count);
            answer.value = values.text;
            answer.error = values.failed.map(u32::from);
        }
        Some(WRITE) => {
            let codes = data.0.iter().take(usize::from(count));
            answer.error = codes.copied().find(|code| *code != s7_item::SUCCESS).map(u32::from);
        }
        Some(0x1d) => {
            let mut rest = parameters;
            if rest.skip(2).is_some() {
                answer.detail = rest.u32_be().map(|id| format!("upload {id}")).unwrap_or_default();
            }
        }
        _ => {}
    }
    if let Some(code) = answer.error {
        answer.detail = s7_item::return_code(code).into();
    }
    answer
}

pub fn name(function: u8) -> Cow<'static, str> {
    let known = match function {
        0x00 => "CPU services",
        READ => "read variables",
        WRITE => "write variables",
        0x1a => "request download",
        0x1b => "download block",
        0x1c => "download ended",
        0x1d => "start upload",
        0x1e => "upload",
        0x1f => "end upload",
        SERVICE => "program service",
        STOP => "stop",
        SETUP => "set up communication",
        _ => return format!("function 0x{function:02x}").into(),
    };
    known.into()
}

fn class(function: u8) -> Class {
    match function {
        READ => Class::Read,
        WRITE => Class::Write,
        0x1a..=0x1f | SERVICE => Class::Program,
        STOP => Class::Stop,
        SETUP => Class::Session,
        _ => Class::Other,
    }
}
