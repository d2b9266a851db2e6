//! S7comm-plus, named by its operation code and function; its bodies are not read.
//!
//! Siemens publishes no description. Numbers as in the free Wireshark plugin's field lists.

use super::{Key, Scene};
use crate::protocol::Role;
use crate::protocol::operation::{Answer, Operation, Reader};
use crate::words::OperationClass as Class;

const REQUEST: u8 = 0x31;
const RESPONSE: u8 = 0x32;
const NOTIFICATION: u8 = 0x33;

/// A header with a version that there is, and its data inside the data unit.
pub fn is_plausible(body: &[u8]) -> bool {
    matches!(head(body), Some((_, REQUEST | RESPONSE | NOTIFICATION, _)))
}

pub fn speaker(body: &[u8]) -> Option<Role> {
    let (_, code, _) = head(body)?;
    Some(if code == REQUEST { Role::Client } else { Role::Server })
}

/// Version, operation code and what follows it.
fn head(body: &[u8]) -> Option<(u8, u8, Reader<'_>)> {
    let mut reader = Reader(body);
    if reader.u8()? != 0x72 {
        return None;
    }
    let version = reader.u8()?;
    let _length = reader.u16_be()?;
    if version == 3 {
        // A digest stands before the data.
        let digest = usize::from(reader.u8()?);
        reader.skip(digest)?;
    }
    let code = reader.u8()?;
    matches!(version, 1..=3).then_some((version, code, reader))
}

pub fn read(body: &[u8], scene: &mut Scene<'_, '_>) -> Option<()> {
    // The last part of a longer message, and keepalives, have no operation code.
    let Some((version, code, mut reader)) = head(body) else { return Some(()) };
    let describe = |function: u16| Operation::new(name(function), class(function, version));
    match code {
        REQUEST | RESPONSE => {
            reader.skip(2)?;
            let function = reader.u16_be()?;
            reader.skip(2)?;
            let sequence = reader.u16_be()?;
            if code == REQUEST {
                scene.ask(Key::Plus(sequence), describe(function));
            } else {
                scene.answer(&Key::Plus(sequence), &Answer::default(), || describe(function));
            }
        }
        NOTIFICATION => {
            let operation = scene.place(Operation::new("notification", Class::Read).told(), scene.other());
            scene.exchange.count(u64::from(code), scene.from, None, scene.at, scene.out, || operation);
        }
        _ => {}
    }
    Some(())
}

fn name(function: u16) -> String {
    let known = match function {
        0x04bb => "explore",
        0x04ca => "create object",
        0x04d4 => "delete object",
        0x04f2 => "set variable",
        0x0524 => "get link",
        0x0542 => "set multiple variables",
        0x054c => "get multiple variables",
        0x0556 => "begin sequence",
        0x0560 => "end sequence",
        0x056b => "invoke",
        0x0586 => "get variable substream",
        _ => return format!("function 0x{function:04x}"),
    };
    known.into()
}

fn class(function: u16, version: u8) -> Class {
    match function {
        0x04bb => Class::Discover,
        // The session is an object too: it is made before protection is agreed, in version 1.
        0x04ca | 0x04d4 if version == 1 => Class::Session,
        0x04ca | 0x04d4 => Class::Program,
        0x04f2 | 0x0542 => Class::Write,
        0x0524 | 0x054c | 0x0586 => Class::Read,
        0x0556 | 0x0560 => Class::Session,
        _ => Class::Other,
    }
}
