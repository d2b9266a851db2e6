//! MMS (ISO 9506) as IEC 61850 speaks it over ISO transport: the service of each PDU, its names in clear.

use super::{Key, Scene};
use crate::observations::Observation;
use crate::protocol::Role;
use crate::protocol::operation::ber::{element, unsigned};
use crate::protocol::operation::{Answer, Listed, Operation, Reader, printable};
use crate::words::{Confidence, ObservationKind, ObservationSource, OperationClass as Class};

/// How deep names are looked for in a request.
const DEPTH: usize = 8;

/// Elements of one request that are looked at.
const ELEMENTS: usize = 256;

/// What is remembered of one association.
#[derive(Default)]
pub struct Mms {}

/// The MMS PDU in a data unit: session, presentation and association wrap it.
fn pdu(body: &[u8]) -> Option<(u16, &[u8])> {
    match body {
        // Session: give tokens, data transfer; presentation: fully encoded data.
        [1, 0, 1, 0, rest @ ..] => {
            let (0x61, list) = element(&mut Reader(rest))? else { return None };
            let (0x30, values) = element(&mut Reader(list))? else { return None };
            inside(values)
        }
        // Session: connect or accept. What they carry is found by its first octets.
        [0x0d | 0x0e, ..] => {
            let wanted = if body[0] == 0x0d { 0xa8 } else { 0xa9 };
            let place = body.windows(7).position(|window| is_initiate(window, wanted))?;
            element(&mut Reader(&body[place..]))
        }
        _ => None,
    }
}

/// Context identifier 3 of the presentation, then the value of a single ASN.1 type.
fn inside(values: &[u8]) -> Option<(u16, &[u8])> {
    let mut reader = Reader(values);
    let (0x02, _context) = element(&mut reader)? else { return None };
    let (0xa0, value) = element(&mut reader)? else { return None };
    let found = element(&mut Reader(value))?;
    matches!(found.0, 0xa0..=0xad | 0x80..=0x8d).then_some(found)
}

/// The first bytes of an initiate PDU: local detail, or the negotiated numbers of calls.
fn is_initiate(window: &[u8], wanted: u8) -> bool {
    matches!(*window, [tag, length, 0x80, size, ..] if tag == wanted && length < 0x80 && size <= 4 && size > 0)
        || matches!(*window, [tag, length, 0x81, 1, _, 0x82, 1] if tag == wanted && length < 0x80)
}

pub fn is_plausible(body: &[u8]) -> bool {
    pdu(body).is_some_and(|(tag, _)| matches!(tag, 0xa0..=0xa4 | 0xa8 | 0xa9 | 0xaa | 0x8b | 0x8c | 0xab))
}

pub fn speaker(body: &[u8]) -> Option<Role> {
    match pdu(body)?.0 {
        0xa0 | 0xa8 => Some(Role::Client),
        0xa1 | 0xa2 | 0xa3 | 0xa9 | 0xaa => Some(Role::Server),
        _ => None,
    }
}

impl Mms {
    pub fn read(&mut self, body: &[u8], scene: &mut Scene<'_, '_>) -> Option<()> {
        let (tag, content) = pdu(body)?;
        let mut reader = Reader(content);
        match tag {
            0xa0 => {
                let invoke = invoke(&mut reader)?;
                let (service, argument) = element(&mut reader)?;
                let (name, class) = named(service);
                let mut operation = Operation::new(name, class);
                let mut names = Listed::default();
                collect(argument, 0, &mut 0, &mut names);
                operation.object = names.into_text();
                scene.ask(Key::Invoke(invoke), operation);
            }
            0xa1 => {
                let invoke = invoke(&mut reader)?;
                let (service, result) = element(&mut reader)?;
                if service == 0xa2 {
                    identify(result, scene);
                }
                let (name, class) = named(service);
                // A read or a write that failed says so inside its answer: data access error, tag 0.
                let error = match service {
                    0xa4 => failed_read(result),
                    0xa5 => failed_write(result),
                    _ => None,
                };
                let answer = Answer { error, ..Answer::default() };
                scene.answer(&Key::Invoke(invoke), &answer, || Operation::new(name, class));
            }
            0xa2 => {
                let (0x80, number) = element(&mut reader)? else { return None };
                let (_, error) = element(&mut reader)?;
                // Class and code: the error's tag number and value.
                let (_, class) = element(&mut Reader(error))?;
                let code = element(&mut Reader(class))
                    .map_or(0, |(tag, value)| u32::from(tag & 0x1f) << 8 | unsigned(value).unwrap_or(0));
                let answer = Answer { error: Some(code), ..Answer::default() };
                let key = Key::Invoke(unsigned(number)?);
                scene.answer(&key, &answer, || Operation::new("error", Class::Other));
            }
            0xa3 => {
                let mut names = Listed::default();
                collect(content, 0, &mut 0, &mut names);
                let names = names.into_text();
                let report = Operation::new("information report", Class::Read).on(names);
                let operation = scene.place(report.told(), scene.other());
                scene.exchange.count(u64::from(tag), scene.from, None, scene.at, scene.out, || operation);
            }
            0xa8 => scene.ask(Key::Initiate, Operation::new("initiate", Class::Session)),
            0xa9 => {
                scene.exchange.confidence = Confidence::Handshake;
                scene.answer(&Key::Initiate, &Answer::default(), || {
                    Operation::new("initiate", Class::Session)
                });
            }
            0xaa => {
                let answer = Answer { error: Some(0), ..Answer::default() };
                scene.answer(&Key::Initiate, &answer, || Operation::new("initiate", Class::Session));
            }
            0x8b => scene.ask(Key::Conclude, Operation::new("conclude", Class::Session)),
            0x8c => scene
                .answer(&Key::Conclude, &Answer::default(), || Operation::new("conclude", Class::Session)),
            _ => {}
        }
        Some(())
    }
}

fn invoke(reader: &mut Reader<'_>) -> Option<u32> {
    let (0x02, number) = element(reader)? else { return None };
    unsigned(number)
}

/// Visible strings of a request: domains and items, in their order.
fn collect(content: &[u8], depth: usize, seen: &mut usize, names: &mut Listed) {
    let mut reader = Reader(content);
    let mut pair: Vec<String> = Vec::new();
    while let Some((tag, value)) = element(&mut reader) {
        *seen += 1;
        if *seen > ELEMENTS || names.is_full() || depth > DEPTH {
            break;
        }
        if tag == 0x1a {
            pair.push(printable(value));
        } else if tag >> 8 == 0 && tag & 0x20 != 0 {
            collect(value, depth + 1, seen, names);
        }
    }
    if !pair.is_empty() {
        names.push(&pair.join("/"));
    }
}

/// The first failure in the list of access results (tag 0 of each).
fn failed_read(result: &[u8]) -> Option<u32> {
    let mut reader = Reader(result);
    while let Some((tag, value)) = element(&mut reader) {
        if tag == 0xa1 {
            let mut results = Reader(value);
            while let Some((tag, value)) = element(&mut results) {
                if tag == 0x80 {
                    return unsigned(value);
                }
            }
        }
    }
    None
}

/// The first failure in a write's list of results.
fn failed_write(result: &[u8]) -> Option<u32> {
    let mut reader = Reader(result);
    while let Some((tag, value)) = element(&mut reader) {
        if tag == 0x80 {
            return unsigned(value);
        }
    }
    None
}

/// Vendor, model and revision of an identify response.
fn identify(result: &[u8], scene: &mut Scene<'_, '_>) {
    let mut reader = Reader(result);
    while let Some((tag, value)) = element(&mut reader) {
        let kind = match tag {
            0x80 => ObservationKind::Vendor,
            0x81 => ObservationKind::Model,
            0x82 => ObservationKind::Firmware,
            _ => continue,
        };
        let ip = *if scene.from == Role::Client { scene.out.client_ip } else { scene.out.server_ip };
        let value = printable(value);
        let seen = Observation { mac: 0, ip, kind, source: ObservationSource::Mms, value: &value };
        scene.out.observe(&seen, scene.at);
    }
}

/// A confirmed service by its tag (ISO 9506-2): primitive and constructed forms alike.
fn named(tag: u16) -> (String, Class) {
    let number = if tag > 0xff { tag & 0x7f } else { tag & 0x1f };
    let (name, class) = match number {
        0 => ("status", Class::Read),
        1 => ("get name list", Class::Discover),
        2 => ("identify", Class::Discover),
        3 => ("rename", Class::Configure),
        4 => ("read", Class::Read),
        5 => ("write", Class::Write),
        6 => ("get variable access attributes", Class::Read),
        7 => ("define named variable", Class::Configure),
        11 => ("define named variable list", Class::Configure),
        12 => ("get named variable list attributes", Class::Read),
        13 => ("delete named variable list", Class::Configure),
        26 => ("initiate download sequence", Class::Program),
        27 => ("download segment", Class::Program),
        28 => ("terminate download sequence", Class::Program),
        29 => ("initiate upload sequence", Class::Program),
        30 => ("upload segment", Class::Program),
        31 => ("terminate upload sequence", Class::Program),
        32 => ("request domain download", Class::Program),
        33 => ("request domain upload", Class::Program),
        34 => ("load domain content", Class::Program),
        35 => ("store domain content", Class::Program),
        36 => ("delete domain", Class::Program),
        37 => ("get domain attributes", Class::Read),
        38 => ("create program invocation", Class::Program),
        39 => ("delete program invocation", Class::Program),
        40 => ("start", Class::Start),
        41 => ("stop", Class::Stop),
        42 => ("resume", Class::Start),
        43 => ("reset", Class::Restart),
        44 => ("kill", Class::Stop),
        45 => ("get program invocation attributes", Class::Read),
        46 => ("obtain file", Class::Write),
        65 => ("read journal", Class::Read),
        72 => ("open file", Class::Read),
        73 => ("read file", Class::Read),
        74 => ("close file", Class::Session),
        75 => ("rename file", Class::Write),
        76 => ("delete file", Class::Write),
        77 => ("list files", Class::Discover),
        _ => return (format!("service {number}"), Class::Other),
    };
    (name.into(), class)
}
