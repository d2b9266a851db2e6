//! CIP messages in EtherNet/IP's items: requests and answers, one by one or several in a packet.

use super::cip_service::{self, MULTIPLE, UNCONNECTED_SEND, named};
use super::path::Path;
use super::{Carrier, Key, identity, pccc};
use crate::anomaly::At;
use crate::protocol::operation::{Answer, Exchange, Operation, Reader, hex};
use crate::protocol::{Output, Role};
use crate::words::OperationClass as Class;

const CONNECTED_DATA: u16 = 0xb1;
const UNCONNECTED_DATA: u16 = 0xb2;

/// Set in the service of an answer.
const ANSWERS: u8 = 0x80;

/// There is more to read than fitted: no failure.
const PARTIAL: u8 = 0x06;

/// Messages of one packet of several that are read.
const EMBEDDED: u16 = 64;

/// Where messages are read for.
pub struct Scene<'a, 'o> {
    pub from: Role,
    pub at: At,
    pub exchange: &'a mut Exchange<Key>,
    pub out: &'a mut Output<'o>,
}

/// The CIP message among the items, and whether it is a connected one.
fn message(body: &[u8]) -> Option<(bool, Reader<'_>)> {
    let mut reader = Reader(body);
    reader.skip(6)?;
    let count = reader.u16_le()?;
    for _ in 0..count.min(8) {
        let (kind, length) = (reader.u16_le()?, usize::from(reader.u16_le()?));
        let item = Reader(reader.up_to(length));
        match kind {
            CONNECTED_DATA => return Some((true, item)),
            UNCONNECTED_DATA => return Some((false, item)),
            _ => {}
        }
    }
    None
}

pub fn speaker(body: &[u8]) -> Option<Role> {
    let (connected, mut item) = message(body)?;
    if connected {
        item.skip(2)?;
    }
    Some(if item.u8()? & ANSWERS == 0 { Role::Client } else { Role::Server })
}

/// Reads the message of SendRRData or SendUnitData.
pub fn read(body: &[u8], context: [u8; 8], scene: &mut Scene<'_, '_>) -> Option<()> {
    // Items without CIP, such as a heartbeat of its connection, are no operation.
    let Some((connected, mut item)) = message(body) else { return Some(()) };
    let carrier = if connected { Carrier::Sequence(item.u16_le()?) } else { Carrier::Context(context) };
    if item.is_empty() {
        return Some(());
    }
    match *item.0 {
        [service, ..] if service & ANSWERS == 0 => request(item, carrier, 0, "", scene),
        _ => answer(item, carrier, 0, scene),
    }
}

/// The encapsulation refused a message: what it carried failed.
pub fn refuse(status: u32, context: [u8; 8], scene: &mut Scene<'_, '_>) {
    let detail = "refused by the encapsulation".into();
    let reply = Answer { error: Some(status), detail, ..Answer::default() };
    fail_all(Carrier::Context(context), &reply, scene);
}

/// All messages that one carrier brought get the same answer.
fn fail_all(carrier: Carrier, reply: &Answer, scene: &mut Scene<'_, '_>) {
    let fits = |key: &Key| matches!(key, Key::Cip(known, ..) if *known == carrier);
    while let Some(pending) = scene.exchange.request_like(scene.from, fits) {
        let key = pending.key.clone();
        scene.exchange.answer(&key, scene.from, reply, scene.at, scene.out);
    }
}

fn request(
    mut reader: Reader<'_>,
    carrier: Carrier,
    place: u16,
    route: &str,
    scene: &mut Scene<'_, '_>,
) -> Option<()> {
    let service = reader.u8()?;
    let words = usize::from(reader.u8()?);
    let path = Path::read(reader.take(words * 2)?);
    if service == UNCONNECTED_SEND && path.class == Some(cip_service::CONNECTION_MANAGER) {
        reader.skip(2)?;
        let length = usize::from(reader.u16_le()?);
        let inner = Reader(reader.take(length)?);
        if length % 2 == 1 {
            reader.skip(1)?;
        }
        let words = usize::from(reader.u8()?);
        reader.skip(1)?;
        let way = Path::read(reader.up_to(words * 2));
        // Wrapped once: what wraps itself again is no message that any device sends.
        return if route.is_empty() { request(inner, carrier, place, &way.route, scene) } else { None };
    }
    if service == MULTIPLE && place == 0 {
        return several(reader, |part, place| {
            let part = Reader(part);
            request(part, carrier, place, if route.is_empty() { " " } else { route }, scene)
        });
    }
    let (name, class) = named(service, path.class);
    let mut operation = Operation::new(name, class).on(path.text());
    operation.server_station = route.trim().into();
    describe(service, &path, reader, &mut operation);
    scene.exchange.ask(Key::Cip(carrier, service, place), scene.from, operation, scene.at, scene.out);
    Some(())
}

/// What a request says besides its service and path.
fn describe(service: u8, path: &Path, mut data: Reader<'_>, operation: &mut Operation) {
    match (path.class, service) {
        (Some(cip_service::CONNECTION_MANAGER), 0x54 | 0x5b) => {
            if let Some((way, detail)) = forward_open(data, service == 0x5b) {
                operation.object = way.text();
                operation.server_station = way.route;
                operation.detail = detail;
            }
        }
        (Some(cip_service::CONNECTION_MANAGER), 0x4e) => {
            // Behind the connection's identity: the length of its path, a reserved byte.
            data.up_to(10);
            let words = usize::from(data.u8().unwrap_or(0));
            data.up_to(1);
            let way = Path::read(data.up_to(words * 2));
            operation.object = way.text();
            operation.server_station = way.route;
        }
        (Some(0x67), 0x4b) => pccc::request(data, operation),
        (None, 0x4c | 0x52) => operation.quantity = data.u16_le().map(u32::from),
        (None, 0x4d | 0x53) => {
            let kind = data.u16_le().unwrap_or(0);
            operation.quantity = data.u16_le().map(u32::from);
            if service == 0x53 {
                data.up_to(4);
            }
            operation.value = hex(data.0);
            operation.detail = data_type(kind);
        }
        (_, 0x05) => operation.detail = format!("type {}", data.u8().unwrap_or(0)),
        _ if matches!(operation.class, Class::Write | Class::Configure | Class::Program) => {
            operation.value = hex(data.0);
        }
        _ => {}
    }
}

/// The path of a connection that is opened, and its packet intervals.
fn forward_open(mut data: Reader<'_>, large: bool) -> Option<(Path, String)> {
    // Priority, ticks, two connection identifiers, connection serial, vendor, originator serial.
    data.skip(2 + 8 + 2 + 2 + 4)?;
    // Timeout multiplier and three reserved bytes.
    data.skip(4)?;
    let interval = data.u32_le()?;
    data.skip(if large { 4 } else { 2 })?;
    let back = data.u32_le()?;
    data.skip(if large { 4 } else { 2 })?;
    let class = data.u8()? & 15;
    let words = usize::from(data.u8()?);
    let way = Path::read(data.up_to(words * 2));
    Some((way, format!("class {class}, every {interval} µs out, {back} µs back")))
}

fn answer(mut reader: Reader<'_>, carrier: Carrier, place: u16, scene: &mut Scene<'_, '_>) -> Option<()> {
    let service = reader.u8()? & !ANSWERS;
    reader.skip(1)?;
    let status = reader.u8()?;
    let words = usize::from(reader.u8()?);
    let extended = reader.take(words * 2)?;
    if service == MULTIPLE && place == 0 && !reader.is_empty() {
        return several(reader, |part, place| answer(Reader(part), carrier, place, scene));
    }
    let mut reply = Answer::default();
    if !matches!(status, 0 | PARTIAL) {
        reply.error = Some(u32::from(status));
        reply.detail = cip_service::status(status).into();
    } else if status == PARTIAL {
        reply.detail = cip_service::status(status).into();
    }
    if let [low, high, ..] = *extended {
        reply.detail.push_str(&format!(" 0x{:04x}", u16::from_le_bytes([low, high])));
    }
    let key = Key::Cip(carrier, service, place);
    if reply.error.is_some() && scene.exchange.request(scene.from, &key).is_none() {
        // What wraps a request, or has several, fails in its own name.
        if matches!(service, UNCONNECTED_SEND | MULTIPLE) {
            fail_all(carrier, &reply, scene);
            return Some(());
        }
    }
    if reply.error.is_none() {
        let asked = scene.exchange.request(scene.from, &key).map(|pending| {
            let operation = &pending.operation;
            (operation.name == "get attributes all" && operation.class == Class::Discover, operation.class)
        });
        match asked {
            Some((true, _)) => reply.value = identity::observe(reader, scene).unwrap_or_default(),
            Some((_, Class::Read)) => reply.value = read_value(service, reader),
            Some(_) if service == 0x4b => pccc::answer(reader, &mut reply),
            _ => {}
        }
    }
    let (from, at) = (scene.from, scene.at);
    scene.exchange.answer_or_orphan(&key, from, &reply, at, scene.out, || {
        let (name, class) = named(service, None);
        Operation::new(name, class)
    });
    Some(())
}

/// What was read: a tag's value stands behind its type.
fn read_value(service: u8, mut data: Reader<'_>) -> String {
    match service {
        0x4c | 0x52 => {
            let kind = data.u16_le().unwrap_or(0);
            format!("{} {}", data_type(kind), hex(data.0))
        }
        _ => hex(data.0),
    }
}

/// Calls `each` with the messages of a packet of several, from place 1 on (volume 1, 5A-5).
fn several(reader: Reader<'_>, mut each: impl FnMut(&[u8], u16) -> Option<()>) -> Option<()> {
    let whole = reader.0;
    let mut offsets = reader;
    let count = offsets.u16_le()?;
    let mut begin = usize::from(offsets.u16_le()?);
    for place in 1..=count.min(EMBEDDED) {
        let end = match place < count {
            true => usize::from(offsets.u16_le()?),
            false => whole.len(),
        };
        each(whole.get(begin..end)?, place)?;
        begin = end;
    }
    Some(())
}

/// Elementary data types (volume 1, appendix C-6).
fn data_type(kind: u16) -> String {
    let known = match kind {
        0xc1 => "BOOL",
        0xc2 => "SINT",
        0xc3 => "INT",
        0xc4 => "DINT",
        0xc5 => "LINT",
        0xc6 => "USINT",
        0xc7 => "UINT",
        0xc8 => "UDINT",
        0xc9 => "ULINT",
        0xca => "REAL",
        0xcb => "LREAL",
        0xd0 => "STRING",
        0xd1 => "BYTE",
        0xd2 => "WORD",
        0xd3 => "DWORD",
        0xd4 => "LWORD",
        0xda => "SHORT_STRING",
        0x2a0 => "structure",
        _ => return format!("type 0x{kind:04x}"),
    };
    known.into()
}
