//! S7comm user data: system state lists, clock, block functions, passwords, cyclic reads, programmer commands.

use super::{Key, Scene, s7_item, szl};
use crate::protocol::operation::{Answer, Operation, Reader, hex};
use crate::words::OperationClass as Class;

const PROGRAMMER: u8 = 1;
const CYCLIC: u8 = 2;
const BLOCKS: u8 = 3;
const CPU: u8 = 4;
const SECURITY: u8 = 5;
const CLOCK: u8 = 7;

/// The parameters' head: who pushes, asks or answers, and what.
struct Head {
    kind: u8,
    group: u8,
    sub: u8,
    error: u16,
}

const PUSH: u8 = 0;
const ASK: u8 = 4;
const ANSWER: u8 = 8;

fn head(mut reader: Reader<'_>) -> Option<Head> {
    let [0, 1, 0x12] = *reader.chunk()? else { return None };
    let length = usize::from(reader.u8()?);
    let mut rest = Reader(reader.take(length)?);
    let _method = rest.u8()?;
    let kind = rest.u8()?;
    let sub = rest.u8()?;
    rest.skip(1)?;
    // The longer form: data unit reference, last data unit, error code.
    let error = rest.skip(2).and_then(|()| rest.u16_be()).unwrap_or(0);
    Some(Head { kind: kind >> 4, group: kind & 15, sub, error })
}

pub fn read(
    reference: u16,
    parameters: Reader<'_>,
    data: Reader<'_>,
    scene: &mut Scene<'_, '_>,
) -> Option<()> {
    let head = head(parameters)?;
    // Return code, size, length, then what is told.
    let mut body = data;
    let code = body.u8();
    body.up_to(3);
    let describe = || {
        let (name, class) = named(head.group, head.sub);
        Operation::new(name, class)
    };
    match head.kind {
        ASK => {
            let mut operation = describe();
            ask(&head, body, &mut operation);
            scene.ask(Key::UserData(reference), operation);
        }
        ANSWER => {
            let mut answer = Answer::default();
            match code {
                _ if head.error != 0 => answer.error = Some(u32::from(head.error)),
                Some(s7_item::SUCCESS) | Some(0) | None => {}
                // No data behind what was only to be done.
                Some(0x0a) if data.len() <= 4 && class_of(&head) != Class::Read => {}
                Some(code) => {
                    answer.error = Some(u32::from(code));
                    answer.detail = s7_item::return_code(u32::from(code)).into();
                }
            }
            if answer.error.is_none() {
                tell(&head, body, &mut answer, scene);
            }
            scene.answer(&Key::UserData(reference), &answer, describe);
        }
        PUSH => {
            let operation = scene.place(describe().told(), scene.other());
            let key = u64::from(head.group) << 8 | u64::from(head.sub);
            scene.exchange.count(key, scene.from, None, scene.at, scene.out, || operation);
        }
        _ => {}
    }
    Some(())
}

fn class_of(head: &Head) -> Class {
    named(head.group, head.sub).1
}

/// What a request says besides its name.
fn ask(head: &Head, mut body: Reader<'_>, operation: &mut Operation) {
    match (head.group, head.sub) {
        (CPU, 1) => {
            if let (Some(id), Some(index)) = (body.u16_be(), body.u16_be()) {
                operation.object = format!("SZL 0x{id:04x} index 0x{index:04x}");
                operation.class = if szl::is_identity(id) { Class::Discover } else { Class::Read };
            }
        }
        (BLOCKS, 2) => operation.object = block_type(body.0).into(),
        (BLOCKS, 3) => {
            let number = body.0.get(2..7).and_then(|digits| std::str::from_utf8(digits).ok());
            operation.object = format!("{} {}", block_type(body.0), number.unwrap_or_default());
        }
        (SECURITY, 1) => operation.detail = "password present".into(),
        (CLOCK, 2 | 4) => operation.value = clock(body.0),
        _ => {}
    }
}

/// What an answer says.
fn tell(head: &Head, body: Reader<'_>, answer: &mut Answer, scene: &mut Scene<'_, '_>) {
    match (head.group, head.sub) {
        (CPU, 1) => szl::observe(body, answer, scene),
        (CLOCK, 1 | 3) => answer.value = clock(body.0),
        _ => {}
    }
}

fn block_type(body: &[u8]) -> &'static str {
    body.first_chunk::<2>().and_then(|digits| s7_item::block_type(*digits)).unwrap_or("block")
}

/// A time in binary coded decimals: reserved, century, year, month, day, hour, minute, second.
fn clock(body: &[u8]) -> String {
    match *body {
        [_, _, year, month, day, hour, minute, second, ..] => {
            // Years below 90 are this century's, as everywhere in S7.
            let century = if year < 0x90 { "20" } else { "19" };
            format!("{century}{year:02x}-{month:02x}-{day:02x} {hour:02x}:{minute:02x}:{second:02x}")
        }
        _ => hex(body),
    }
}

fn named(group: u8, sub: u8) -> (String, Class) {
    let (name, class) = match (group, sub) {
        (0, _) => ("mode transition", Class::Other),
        (PROGRAMMER, 0x0c) => ("erase program status", Class::Other),
        (PROGRAMMER, 0x10) => ("force", Class::Write),
        (PROGRAMMER, _) => ("programmer command", Class::Program),
        (CYCLIC, 1) => ("cyclic read", Class::Read),
        (CYCLIC, 4) => ("end cyclic read", Class::Session),
        (CYCLIC, _) => ("cyclic data", Class::Read),
        (BLOCKS, 1) => ("list blocks", Class::Read),
        (BLOCKS, 2) => ("list blocks of a type", Class::Read),
        (BLOCKS, 3) => ("block information", Class::Read),
        (CPU, 1) => ("read system state list", Class::Read),
        (CPU, 2) => ("message service", Class::Session),
        (CPU, 3) => ("diagnostic message", Class::Read),
        (CPU, _) => ("alarm", Class::Read),
        (SECURITY, 1) => ("give password", Class::Session),
        (SECURITY, 2) => ("clear password", Class::Session),
        (CLOCK, 1 | 3) => ("read clock", Class::Read),
        (CLOCK, 2 | 4) => ("set clock", Class::Configure),
        _ => return (format!("user data group {group} function {sub}"), Class::Other),
    };
    (name.into(), class)
}
