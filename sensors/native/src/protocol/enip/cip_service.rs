//! CIP services: their names and what they do (CIP Networks Library, volume 1, appendix A and the objects' chapters;
//! Rockwell Automation, Logix 5000 Data Access).

use std::borrow::Cow;

use crate::words::OperationClass as Class;

pub const MULTIPLE: u8 = 0x0a;
pub const UNCONNECTED_SEND: u8 = 0x52;

pub const IDENTITY: u32 = 0x01;
pub const CONNECTION_MANAGER: u32 = 0x06;
const FILE: u32 = 0x37;
const PCCC: u32 = 0x67;
const PROGRAM: u32 = 0x68;
const ROUTINE: u32 = 0x6d;
const CLOCK: u32 = 0x8b;
const NETWORK: [u32; 3] = [0xf4, 0xf5, 0xf6];

/// Name and class of a service on an object; `class` is the path's, none where it names a tag.
pub fn named(service: u8, class: Option<u32>) -> (Cow<'static, str>, Class) {
    let special = match (class, service) {
        (Some(CONNECTION_MANAGER), _) => connection_manager(service),
        (Some(FILE), _) => file(service),
        (Some(PCCC), 0x4b) => Some(("execute PCCC", Class::Other)),
        (None | Some(0x6b | 0x6c | 0xb2), _) => tag(service),
        _ => None,
    };
    if let Some((name, class)) = special {
        return (name.into(), class);
    }
    let writes = match class {
        Some(class) if NETWORK.contains(&class) || class == CLOCK => Class::Configure,
        Some(PROGRAM..=ROUTINE) => Class::Program,
        _ => Class::Write,
    };
    let makes =
        if matches!(class, Some(PROGRAM..=ROUTINE | 0x70 | 0xb2)) { Class::Program } else { Class::Other };
    let (name, class) = match service {
        0x01 if class == Some(IDENTITY) => ("get attributes all", Class::Discover),
        0x01 => ("get attributes all", Class::Read),
        0x02 => ("set attributes all", writes),
        0x03 => ("get attribute list", Class::Read),
        0x04 => ("set attribute list", writes),
        0x05 => ("reset", Class::Restart),
        0x06 => ("start", Class::Start),
        0x07 => ("stop", Class::Stop),
        0x08 => ("create", makes),
        0x09 => ("delete", makes),
        MULTIPLE => ("multiple service packet", Class::Other),
        0x0d => ("apply attributes", writes),
        0x0e => ("get attribute single", Class::Read),
        0x10 => ("set attribute single", writes),
        0x11 => ("find next object instance", Class::Discover),
        0x15 => ("restore", Class::Configure),
        0x16 => ("save", Class::Configure),
        0x17 => ("no operation", Class::Other),
        0x18 => ("get member", Class::Read),
        0x19 => ("set member", writes),
        0x1a => ("insert member", writes),
        0x1b => ("remove member", writes),
        0x1c => ("group sync", Class::Other),
        _ => {
            let name = match class {
                Some(class) => format!("service 0x{service:02x} of class 0x{class:02x}"),
                None => format!("service 0x{service:02x}"),
            };
            return (name.into(), makes);
        }
    };
    (name.into(), class)
}

fn connection_manager(service: u8) -> Option<(&'static str, Class)> {
    let known = match service {
        0x4e => ("forward close", Class::Session),
        UNCONNECTED_SEND => ("unconnected send", Class::Other),
        0x54 => ("forward open", Class::Session),
        0x56 => ("get connection data", Class::Read),
        0x57 => ("search connection data", Class::Read),
        0x5a => ("get connection owner", Class::Read),
        0x5b => ("large forward open", Class::Session),
        _ => return None,
    };
    Some(known)
}

fn file(service: u8) -> Option<(&'static str, Class)> {
    let known = match service {
        0x4b => ("initiate upload", Class::Program),
        0x4c => ("initiate download", Class::Program),
        0x4d => ("initiate partial read", Class::Program),
        0x4e => ("initiate partial write", Class::Program),
        0x4f => ("upload transfer", Class::Program),
        0x50 => ("download transfer", Class::Program),
        0x51 => ("clear file", Class::Program),
        _ => return None,
    };
    Some(known)
}

fn tag(service: u8) -> Option<(&'static str, Class)> {
    let known = match service {
        0x4c => ("read tag", Class::Read),
        0x4d => ("write tag", Class::Write),
        0x4e => ("read modify write tag", Class::Write),
        0x52 => ("read tag fragmented", Class::Read),
        0x53 => ("write tag fragmented", Class::Write),
        0x55 => ("get instance attribute list", Class::Discover),
        _ => return None,
    };
    Some(known)
}

/// General status codes (volume 1, appendix B-1).
pub fn status(code: u8) -> &'static str {
    match code {
        0x01 => "connection failure",
        0x02 => "resource unavailable",
        0x03 => "invalid parameter value",
        0x04 => "path segment error",
        0x05 => "path destination unknown",
        0x06 => "partial transfer",
        0x07 => "connection lost",
        0x08 => "service not supported",
        0x09 => "invalid attribute value",
        0x0b => "already in requested mode or state",
        0x0c => "object state conflict",
        0x0d => "object already exists",
        0x0e => "attribute not settable",
        0x0f => "privilege violation",
        0x10 => "device state conflict",
        0x11 => "reply data too large",
        0x13 => "not enough data",
        0x14 => "attribute not supported",
        0x15 => "too much data",
        0x16 => "object does not exist",
        0x1e => "embedded service error",
        0x1f => "vendor specific error",
        0x20 => "invalid parameter",
        0x26 => "invalid path size",
        _ => "",
    }
}
