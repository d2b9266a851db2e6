//! Bodies of S7comm-plus: which objects and variables, and of plain values what they are.
//!
//! Values written to objects by their attributes are never shown: among these are what a password becomes on its way.

use super::function as f;
use super::value::{long, number, typed};
use crate::protocol::operation::{Answer, Listed, Operation, Reader};
use crate::words::OperationClass as Class;

/// The class of a session, and the attribute of the processor that asks for another operating state.
const SESSION_CLASS: u32 = 287;
const PROCESSOR: u32 = 52;
const WANTED_STATE: u32 = 2_167;

/// Variables of one message that are named.
const NAMED: usize = 8;

/// What a request says behind its header; what is not known leaves the operation as it is.
pub fn request(function: u16, session: u32, mut reader: Reader<'_>, operation: &mut Operation) {
    let read = match function {
        f::GET_VARIABLES => read_variables(&mut reader, operation),
        f::SET_VARIABLES => write_variables(session, &mut reader, operation),
        f::SET_VARIABLE => write_attribute(session, &mut reader, operation),
        f::CREATE_OBJECT => create(&mut reader, operation),
        f::EXPLORE | f::DELETE_OBJECT | f::GET_LINK | f::INVOKE | f::GET_SUBSTREAM | f::SET_SUBSTREAM => {
            reader.u32_be().map(|object| {
                operation.object = self::object(object);
                if function == f::DELETE_OBJECT && object == session {
                    operation.class = Class::Session;
                }
            })
        }
        _ => None,
    };
    // Not decoded: the row says what the header does.
    let _ = read;
}

fn object(object: u32) -> String {
    let area = match object {
        PROCESSOR => "processor",
        80 => "inputs",
        81 => "outputs",
        82 => "memory",
        83 => "counters",
        84 => "timers",
        _ if object >> 16 == 0x8a0e => return format!("DB {}", object & 0xffff),
        _ => return format!("object 0x{object:08x}"),
    };
    area.into()
}

/// A variable: a checksum of its symbol, its block or area, and the way to it by local identifiers.
fn variable(reader: &mut Reader<'_>) -> Option<String> {
    number(reader)?;
    let mut text = object(number(reader)?);
    let depth = number(reader)?;
    // The kind of content, then one identifier for each level.
    number(reader)?;
    for level in 1..depth {
        let part = number(reader)?;
        if level <= NAMED as u32 {
            text.push_str(if level == 1 { " LID " } else { "." });
            text.push_str(&part.to_string());
        }
    }
    Some(text)
}

/// Variables, or attributes of one object: how many are known before they are read.
fn addresses(object_id: u32, reader: &mut Reader<'_>, operation: &mut Operation) -> Option<u32> {
    let count = number(reader)?;
    number(reader)?;
    operation.quantity = Some(count);
    let mut named = Listed::default();
    for place in 0..count {
        let one = if object_id == 0 { variable(reader) } else { number(reader).map(|id| id.to_string()) };
        let Some(one) = one else {
            operation.object = named.into_text();
            return None;
        };
        if (place as usize) < NAMED {
            named.push(&one);
        }
    }
    let more = if count as usize > NAMED { "…" } else { "" };
    let named = named.into_text();
    operation.object = match object_id {
        0 => format!("{named}{more}"),
        _ => format!("{} attribute {named}{more}", object(object_id)),
    };
    Some(count)
}

fn read_variables(reader: &mut Reader<'_>, operation: &mut Operation) -> Option<()> {
    let object = reader.u32_be()?;
    addresses(object, reader, operation).map(|_| ())
}

fn write_variables(session: u32, reader: &mut Reader<'_>, operation: &mut Operation) -> Option<()> {
    let object = reader.u32_be()?;
    if object == session && object != 0 {
        // What the session is made of: versions, and how its user proves himself.
        operation.class = Class::Session;
    }
    let count = addresses(object, reader, operation)?;
    if object == 0 {
        operation.value = values(count, reader).0;
    } else if object == PROCESSOR && operation.object.ends_with(" attribute 2167") {
        number(reader)?;
        state(reader, operation);
    }
    Some(())
}

fn write_attribute(session: u32, reader: &mut Reader<'_>, operation: &mut Operation) -> Option<()> {
    let object = reader.u32_be()?;
    if object == session {
        operation.class = Class::Session;
    }
    // How many: one.
    number(reader)?;
    let attribute = number(reader)?;
    operation.object = format!("{} attribute {attribute}", self::object(object));
    if (object, attribute) == (PROCESSOR, WANTED_STATE) {
        state(reader, operation);
    }
    Some(())
}

/// The operating state that a processor is asked to go to.
fn state(reader: &mut Reader<'_>, operation: &mut Operation) {
    let Some(wanted) = typed(reader) else { return };
    (operation.class, operation.value) = match wanted.as_str() {
        "1" => (Class::Stop, "stop".into()),
        "3" => (Class::Start, "run".into()),
        _ => (Class::Other, format!("operating state {wanted}")),
    };
}

/// Where an object is made, and the class that it has.
fn create(reader: &mut Reader<'_>, operation: &mut Operation) -> Option<()> {
    let parent = reader.u32_be()?;
    typed(reader)?;
    reader.skip(4)?;
    // Start of an object: its own number, which the device replaces, then its class.
    if reader.u8()? != 0xa1 {
        return None;
    }
    reader.skip(4)?;
    let class = number(reader)?;
    operation.class = if class == SESSION_CLASS { Class::Session } else { Class::Program };
    operation.object = format!("class {class} in {}", object(parent));
    Some(())
}

/// Values with their place from 1 on, up to a 0; whether all of them could be read.
fn values(count: u32, reader: &mut Reader<'_>) -> (String, bool) {
    let mut shown = Listed::default();
    for _ in 0..=count {
        match number(reader) {
            Some(0) => return (shown.into_text(), true),
            Some(_) => match typed(reader) {
                Some(value) => {
                    shown.push(&value);
                }
                None => break,
            },
            None => break,
        }
        if shown.is_full() {
            break;
        }
    }
    (shown.into_text(), false)
}

/// What an answer says: whether it failed, and the values that were read.
pub fn response(function: u16, mut reader: Reader<'_>) -> Answer {
    let mut answer = Answer::default();
    let Some(returned) = long(&mut reader) else { return answer };
    refuse(returned, &mut answer);
    match function {
        f::GET_VARIABLES => {
            let (values, all) = values(u32::MAX - 1, &mut reader);
            answer.value = values;
            if all {
                first_error(&mut reader, &mut answer);
            }
        }
        f::SET_VARIABLES => first_error(&mut reader, &mut answer),
        _ => {}
    }
    answer
}

/// The lowest sixteen bits are the error, below zero where it is one; above them stands where it was found.
fn refuse(returned: u64, answer: &mut Answer) {
    let code = returned as u16 as i16;
    if code < 0 && answer.error.is_none() {
        answer.error = Some(u32::from(code.unsigned_abs()));
        answer.detail = format!("error {code}");
    }
}

/// Places with their errors, up to a 0.
fn first_error(reader: &mut Reader<'_>, answer: &mut Answer) {
    while let Some(1..) = number(reader) {
        let Some(error) = long(reader) else { return };
        refuse(error, answer);
    }
}
