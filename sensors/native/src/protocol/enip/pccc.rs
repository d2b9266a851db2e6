//! PCCC commands inside CIP (Rockwell Automation, DF1 Protocol and Command Set, 1770-6.5.16, chapter 7).

use crate::protocol::operation::{Answer, Operation, Reader};
use crate::words::OperationClass as Class;

/// Behind the requestor's identity: command, status, transaction, function.
fn command(mut data: Reader<'_>) -> Option<(u8, u8, u16, Option<u8>)> {
    let length = usize::from(data.u8()?);
    data.skip(length.checked_sub(1)?)?;
    let (command, status, transaction) = (data.u8()?, data.u8()?, data.u16_le()?);
    Some((command, status, transaction, data.u8()))
}

pub fn request(data: Reader<'_>, operation: &mut Operation) {
    let Some((command, _, _, function)) = command(data) else { return };
    let (name, class) = named(command, function.unwrap_or(0));
    operation.detail = format!("PCCC {name}");
    operation.class = class;
}

pub fn answer(data: Reader<'_>, answer: &mut Answer) {
    if let Some((_, status, ..)) = command(data) {
        answer.error = (status != 0).then_some(u32::from(status));
    }
}

fn named(command: u8, function: u8) -> (String, Class) {
    let (name, class) = match (command & 0x0f, function) {
        (0x0f, 0x00) => ("word range write", Class::Write),
        (0x0f, 0x01) => ("word range read", Class::Read),
        (0x0f, 0x02 | 0x26) => ("bit write", Class::Write),
        (0x0f, 0x07) => ("disable forces", Class::Write),
        (0x0f, 0x11) => ("get edit resource", Class::Program),
        (0x0f, 0x12) => ("return edit resource", Class::Program),
        (0x0f, 0x29) => ("read section size", Class::Read),
        (0x0f, 0x3a) => ("set CPU mode", Class::Stop),
        (0x0f, 0x50) => ("download all", Class::Program),
        (0x0f, 0x52) => ("download completed", Class::Program),
        (0x0f, 0x53) => ("upload all", Class::Program),
        (0x0f, 0x55) => ("upload completed", Class::Program),
        (0x0f, 0x57) => ("initialize memory", Class::Program),
        (0x0f, 0x67) => ("typed write", Class::Write),
        (0x0f, 0x68) => ("typed read", Class::Read),
        (0x0f, 0x80) => ("change mode", Class::Stop),
        (0x0f, 0x8f) => ("apply port configuration", Class::Configure),
        (0x0f, 0xa1 | 0xa2) => ("protected typed logical read", Class::Read),
        (0x0f, 0xa9..=0xab) => ("protected typed logical write", Class::Write),
        (0x06, 0x03) => ("diagnostic status", Class::Discover),
        (0x01, _) => ("unprotected read", Class::Read),
        (0x08, _) => ("unprotected write", Class::Write),
        _ => return (format!("command 0x{command:02x} function 0x{function:02x}"), Class::Other),
    };
    (name.into(), class)
}
