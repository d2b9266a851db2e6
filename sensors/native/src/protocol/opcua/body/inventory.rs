//! What a read of the server's own nodes tells of its product (OPC 10000-5, 6.3.3 and 12.4; BuildInfo).

use super::super::reader::{Read, Reader};
use super::super::said::{About, Said};
use super::super::text::TEXT_LIMIT;
use super::super::variant::Extension;
use crate::words::ObservationKind;

/// The types of the structures, in the binary encoding.
const BUILD_INFO: u32 = 340;
const SERVER_STATUS: u32 = 864;

/// Built-in types of a Variant.
const STRING: u8 = 12;
const STRUCTURE: u8 = 22;

/// Looks at one result of a read: a node of the server's status, and the reader before its DataValue.
pub fn read(node: &str, mut reader: Reader<'_>, said: &mut Said) {
    let kind = match node {
        "i=2256" | "i=2260" => None,
        "i=2261" => Some(ObservationKind::ProductName),
        "i=2263" => Some(ObservationKind::Vendor),
        "i=2264" => Some(ObservationKind::Firmware),
        "i=2265" => Some(ObservationKind::Software),
        _ => return,
    };
    // A value that cannot be read is the reading's own flaw.
    let _ = match kind {
        Some(kind) => text(kind, &mut reader, said),
        None => structure(&mut reader, said),
    };
}

/// The Variant's type, where there is a value.
fn variant(reader: &mut Reader<'_>) -> Read<Option<u8>> {
    Ok(if reader.u8()? & 1 != 0 { Some(reader.u8()?) } else { None })
}

fn text(kind: ObservationKind, reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    if variant(reader)? == Some(STRING) {
        let value = reader.text(TEXT_LIMIT)?;
        said.tell(About::Server, kind, labelled(kind, value));
    }
    Ok(())
}

fn structure(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    if variant(reader)? != Some(STRUCTURE) {
        return Ok(());
    }
    let extension = Extension::read(reader)?;
    let mut fields = extension.fields();
    match extension.standard() {
        Some(BUILD_INFO) => {}
        Some(SERVER_STATUS) => {
            // Start time, current time, state.
            fields.bytes(20)?;
        }
        _ => return Ok(()),
    }
    fields.string()?;
    for kind in [
        ObservationKind::Vendor,
        ObservationKind::ProductName,
        ObservationKind::Firmware,
        ObservationKind::Software,
    ] {
        let value = fields.text(TEXT_LIMIT)?;
        said.tell(About::Server, kind, labelled(kind, value));
    }
    Ok(())
}

/// A build number says nothing without its name.
fn labelled(kind: ObservationKind, value: String) -> String {
    match kind {
        ObservationKind::Software if !value.is_empty() => format!("build {value}"),
        _ => value,
    }
}
