//! S7comm-plus: header, session, sequence, function, and of the bodies what published research agrees on.
//!
//! Siemens publishes no description. Numbers and layouts as in the field lists of the free Wireshark plugin and of the
//! free drivers for S7-1200 and S7-1500. Whatever else a body holds is not decoded, and nothing is guessed of it. Inside
//! TLS, which newer devices begin by a function of their own, nothing is seen.

mod body;
mod function;
mod value;

use super::{Key, Scene};
use crate::protocol::Role;
use crate::protocol::operation::{Operation, Reader};
use crate::words::OperationClass as Class;

const REQUEST: u8 = 0x31;
const RESPONSE: u8 = 0x32;
const NOTIFICATION: u8 = 0x33;

/// Protocol identifier, version, length of the data.
const HEADER: usize = 4;

/// A message whose data goes on in the next unit of its side.
#[derive(Debug, Default)]
pub struct Plus {
    goes_on: [bool; 2],
}

/// Opcode, and what stands before it.
struct Head {
    version: u8,
    /// Bytes of the digest that protects the message; 0 where there is none.
    digest: usize,
    code: u8,
    /// No trailer follows: the data goes on.
    is_part: bool,
}

/// A header with a version that there is, and its data inside the data unit.
pub fn is_plausible(body: &[u8]) -> bool {
    matches!(head(body), Some((Head { code: REQUEST | RESPONSE | NOTIFICATION, .. }, _)))
}

pub fn speaker(body: &[u8]) -> Option<Role> {
    let (head, _) = head(body)?;
    Some(if head.code == REQUEST { Role::Client } else { Role::Server })
}

/// The header, and the data behind the opcode.
fn head(body: &[u8]) -> Option<(Head, Reader<'_>)> {
    let mut reader = Reader(body);
    if reader.u8()? != 0x72 {
        return None;
    }
    let version = reader.u8()?;
    let length = usize::from(reader.u16_be()?);
    let is_part = body.len() == HEADER + length;
    let mut reader = Reader(reader.up_to(length));
    let mut digest = 0;
    if version == 3 {
        // A digest stands before the data.
        digest = usize::from(reader.u8()?);
        reader.skip(digest)?;
    }
    let code = reader.u8()?;
    matches!(version, 1..=3).then_some((Head { version, digest, code, is_part }, reader))
}

impl Plus {
    /// A part of the side's stream is missing.
    pub fn forget(&mut self, from: Role) {
        self.goes_on[from.index()] = false;
    }

    pub fn read(&mut self, body: &[u8], scene: &mut Scene<'_, '_>) -> Option<()> {
        // Keepalives and the system's own events have no opcode.
        let Some((head, reader)) = head(body) else { return Some(()) };
        let goes_on = &mut self.goes_on[scene.from.index()];
        let is_rest = std::mem::replace(goes_on, head.is_part);
        // The rest of a longer message begins anywhere in its data.
        if is_rest { Some(()) } else { message(&head, reader, scene) }
    }
}

fn message(head: &Head, mut reader: Reader<'_>, scene: &mut Scene<'_, '_>) -> Option<()> {
    match head.code {
        REQUEST => {
            reader.skip(2)?;
            let function = reader.u16_be()?;
            reader.skip(2)?;
            let sequence = reader.u16_be()?;
            let session = reader.u32_be()?;
            // Flags of the transport: nobody has told what they mean.
            reader.skip(1)?;
            let mut operation = described(function, head.version);
            let protected = if head.digest > 0 { ", with a digest" } else { "" };
            operation.detail =
                format!("version {}, session 0x{session:08x}, sequence {sequence}{protected}", head.version);
            body::request(function, session, reader, &mut operation);
            scene.ask(Key::Plus(sequence), operation);
        }
        RESPONSE => {
            reader.skip(2)?;
            let function = reader.u16_be()?;
            reader.skip(2)?;
            let sequence = reader.u16_be()?;
            reader.skip(1)?;
            let answer = body::response(function, reader);
            scene.answer(&Key::Plus(sequence), &answer, || described(function, head.version));
        }
        NOTIFICATION => {
            // The subscription that it is told for.
            let subscription = reader.u32_be()?;
            let key = u64::from(head.code) | u64::from(subscription) << 8;
            let operation = Operation::new("notification", Class::Read).told();
            let operation = operation.on(format!("subscription 0x{subscription:08x}"));
            let operation = scene.place(operation, scene.other());
            scene.exchange.count(key, scene.from, None, scene.at, scene.out, || operation);
        }
        _ => {}
    }
    Some(())
}

fn described(function: u16, version: u8) -> Operation {
    Operation::new(function::name(function), function::class(function, version))
}
