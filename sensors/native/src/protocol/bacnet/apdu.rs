//! Application protocol data units (ASHRAE 135, 20.1).

use super::{names, tag};
use crate::protocol::Role;
use crate::protocol::operation::Reader;

/// One unit.
#[derive(Debug)]
pub enum Apdu<'a> {
    /// `first`: not a later segment of a longer one.
    Confirmed {
        invoke: u8,
        service: u8,
        body: &'a [u8],
        first: bool,
    },
    Unconfirmed {
        service: u8,
        body: &'a [u8],
    },
    Acknowledge {
        invoke: u8,
        service: u8,
        body: &'a [u8],
        first: bool,
    },
    SegmentAcknowledge,
    /// An error, a rejection, an abortion: what the code says, from the classes of the standard.
    Refused {
        invoke: u8,
        code: u32,
        detail: String,
    },
}

pub fn read(bytes: &[u8]) -> Option<Apdu<'_>> {
    let mut reader = Reader(bytes);
    let kind = reader.u8()?;
    let segmented = kind & 8 != 0;
    let apdu = match kind >> 4 {
        0 if kind & 1 == 0 => {
            let _sizes = reader.u8()?;
            let invoke = reader.u8()?;
            let first = segment(&mut reader, segmented)?;
            let service = reader.u8()?;
            if service > 34 {
                return None;
            }
            Apdu::Confirmed { invoke, service, body: reader.0, first }
        }
        1 if kind == 0x10 => {
            let service = reader.u8()?;
            if service > 13 {
                return None;
            }
            Apdu::Unconfirmed { service, body: reader.0 }
        }
        2 if kind == 0x20 => {
            let (invoke, service) = (reader.u8()?, reader.u8()?);
            if service > 34 || !reader.is_empty() {
                return None;
            }
            Apdu::Acknowledge { invoke, service, body: &[], first: true }
        }
        3 if kind & 3 == 0 => {
            let invoke = reader.u8()?;
            let first = segment(&mut reader, segmented)?;
            let service = reader.u8()?;
            if service > 34 {
                return None;
            }
            Apdu::Acknowledge { invoke, service, body: reader.0, first }
        }
        4 if kind & 12 == 0 && reader.len() == 3 => Apdu::SegmentAcknowledge,
        5 if kind == 0x50 => {
            let (invoke, _service) = (reader.u8()?, reader.u8()?);
            error(invoke, reader)
        }
        6 if kind == 0x60 && reader.len() == 2 => {
            let (invoke, reason) = (reader.u8()?, reader.u8()?);
            Apdu::Refused {
                invoke,
                code: u32::from(reason),
                detail: format!("rejected: {}", names::reject(reason)),
            }
        }
        7 if kind & 14 == 0 && reader.len() == 2 => {
            let (invoke, reason) = (reader.u8()?, reader.u8()?);
            Apdu::Refused { invoke, code: u32::from(reason), detail: format!("aborted: reason {reason}") }
        }
        _ => return None,
    };
    Some(apdu)
}

/// Sequence number and window of a segment; true where it is the first.
fn segment(reader: &mut Reader<'_>, segmented: bool) -> Option<bool> {
    if !segmented {
        return Some(true);
    }
    let (number, _window) = (reader.u8()?, reader.u8()?);
    Some(number == 0)
}

/// Class and code, both enumerated, perhaps within a constructed tag of the service's own error.
fn error(invoke: u8, mut reader: Reader<'_>) -> Apdu<'_> {
    let mut numbers = Vec::new();
    while let Some(tag) = tag::read(&mut reader) {
        if let (Some(number), false) = (tag.unsigned(), tag.is_context) {
            numbers.push(number);
        }
        if numbers.len() == 2 {
            break;
        }
    }
    let (class, code) = (numbers.first().copied().unwrap_or(0), numbers.get(1).copied().unwrap_or(0));
    let detail = format!("error class {}: {}", names::error_class(class), names::error(code));
    Apdu::Refused { invoke, code, detail }
}

impl Apdu<'_> {
    pub fn speaker(&self) -> Option<Role> {
        match self {
            Apdu::Confirmed { service: 1 | 2 | 31 | 32, .. } => Some(Role::Server),
            Apdu::Confirmed { .. } => Some(Role::Client),
            // Who-is, who-has and orders; I-am, I-have and notifications.
            Apdu::Unconfirmed { service, .. } => match service {
                4 | 6..=10 => Some(Role::Client),
                0..=3 => Some(Role::Server),
                _ => None,
            },
            // Devices acknowledge what they are asked; who was notified acknowledges too.
            Apdu::Acknowledge { service: 1 | 2 | 31 | 32, .. } => Some(Role::Client),
            Apdu::Acknowledge { .. } | Apdu::Refused { .. } => Some(Role::Server),
            Apdu::SegmentAcknowledge => None,
        }
    }
}
