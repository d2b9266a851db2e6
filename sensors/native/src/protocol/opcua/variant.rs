//! Values: Variant, DataValue, ExtensionObject (OPC 10000-6, 5.2.2.15 to 5.2.2.17), as bounded text.

use std::fmt::Write as _;

use super::diagnostics;
use super::node_id::{ExpandedNodeId, NodeId, guid, write_guid};
use super::reader::{Flaw, Read, Reader, write_qualified};
use super::status::Status;
use super::text::Text;
use super::time;

/// Values within values; decoders are asked for 100 (5.2.2.16), nobody uses more than a few.
const DEPTH_LIMIT: usize = 100;

/// Elements of an array that are written out.
const ELEMENTS_KEPT: usize = 16;

/// Bytes of a ByteString that are written out.
const BYTES_KEPT: usize = 32;

const ARRAY: u8 = 0x80;
const DIMENSIONS: u8 = 0x40;

/// A value with its quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataValue {
    pub status: Status,
    /// There was a value, be it a null one.
    pub has_value: bool,
}

/// Reads a Variant; its text goes to `out`.
pub fn variant(reader: &mut Reader<'_>, out: &mut Text) -> Read<()> {
    nested_variant(reader, out, 0)
}

/// Reads a DataValue; its value's text goes to `out`.
pub fn data_value(reader: &mut Reader<'_>, out: &mut Text) -> Read<DataValue> {
    nested_data_value(reader, out, 0)
}

fn nested_variant(reader: &mut Reader<'_>, out: &mut Text, depth: usize) -> Read<()> {
    if depth >= DEPTH_LIMIT {
        return Err(Flaw::Depth);
    }
    let encoding = reader.u8()?;
    let kind = encoding & 0x3f;
    if kind > 31 {
        return Err(Flaw::Encoding);
    }
    if encoding & ARRAY == 0 {
        return scalar(kind, reader, out, depth, false);
    }
    let count = reader.count(least_size(kind))?;
    out.push("[");
    for number in 0..count {
        if number >= ELEMENTS_KEPT {
            scalar(kind, reader, &mut Text::nowhere(), depth, true)?;
            continue;
        }
        if number > 0 {
            out.push(", ");
        }
        scalar(kind, reader, out, depth, true)?;
    }
    if count > ELEMENTS_KEPT {
        let _ = write!(out, ", … {count} values");
    }
    out.push("]");
    if encoding & DIMENSIONS != 0 {
        for number in 0..reader.count(4)? {
            let dimension = reader.i32()?;
            let _ = write!(out, "{}{dimension}", if number == 0 { " of " } else { "x" });
        }
    }
    Ok(())
}

/// The fewest bytes that a value of a built-in type has: what an array's length is checked with.
fn least_size(kind: u8) -> usize {
    match kind {
        4 | 5 => 2,
        6 | 7 | 10 | 12 | 15 | 16 | 19 | 26..=31 => 4,
        8 | 9 | 11 | 13 => 8,
        14 => 16,
        17 | 18 => 2,
        20 => 6,
        22 => 3,
        _ => 1,
    }
}

/// A value of a built-in type (5.1.2); in arrays texts have quotes.
fn scalar(kind: u8, reader: &mut Reader<'_>, out: &mut Text, depth: usize, quoted: bool) -> Read<()> {
    // `write!` fails where the text is full: the rest of the value is only walked over.
    let _ = match kind {
        0 => {
            // A null value takes no bytes of its own; in an array it could be repeated for nothing.
            if quoted {
                return Err(Flaw::Encoding);
            }
            out.push("null");
            Ok(())
        }
        1 => write!(out, "{}", reader.bool()?),
        2 => write!(out, "{}", i8::from_le_bytes([reader.u8()?])),
        3 => write!(out, "{}", reader.u8()?),
        4 => write!(out, "{}", i16::from_le_bytes(reader.u16()?.to_le_bytes())),
        5 => write!(out, "{}", reader.u16()?),
        6 => write!(out, "{}", reader.i32()?),
        7 => write!(out, "{}", reader.u32()?),
        8 => write!(out, "{}", reader.i64()?),
        9 => write!(out, "{}", reader.u64()?),
        10 => write!(out, "{}", reader.f32()?),
        11 => write!(out, "{}", reader.f64()?),
        12 | 16 => {
            string(reader.string()?, out, quoted);
            Ok(())
        }
        13 => {
            time::write(reader.i64()?, out);
            Ok(())
        }
        14 => {
            write_guid(&guid(reader)?, out);
            Ok(())
        }
        // 26 to 31 are reserved: as a ByteString (5.2.2.16).
        15 | 26..=31 => {
            bytes(reader.string()?, out);
            Ok(())
        }
        17 => {
            NodeId::read(reader)?.write(out);
            Ok(())
        }
        18 => {
            ExpandedNodeId::read(reader)?.write(out);
            Ok(())
        }
        19 => {
            Status(reader.u32()?).write(out);
            Ok(())
        }
        20 => {
            write_qualified(reader.qualified_name()?, out);
            Ok(())
        }
        21 => {
            string(Some(reader.localized_text()?), out, quoted);
            Ok(())
        }
        22 => {
            Extension::read(reader)?.write(out);
            Ok(())
        }
        23 => return nested_data_value(reader, out, depth + 1).map(|_| ()),
        24 => return nested_variant(reader, out, depth + 1),
        25 => {
            out.push("diagnostics ");
            return diagnostics::read(reader, out);
        }
        _ => return Err(Flaw::Encoding),
    };
    Ok(())
}

fn nested_data_value(reader: &mut Reader<'_>, out: &mut Text, depth: usize) -> Read<DataValue> {
    if depth >= DEPTH_LIMIT {
        return Err(Flaw::Depth);
    }
    let mask = reader.u8()?;
    let has_value = mask & 1 != 0;
    if has_value {
        nested_variant(reader, out, depth + 1)?;
    }
    let status = if mask & 2 != 0 { Status(reader.u32()?) } else { Status::GOOD };
    // Source time, its picoseconds, server time, its picoseconds.
    for (bit, size) in [(0x04, 8), (0x10, 2), (0x08, 8), (0x20, 2)] {
        if mask & bit != 0 {
            reader.bytes(size)?;
        }
    }
    Ok(DataValue { status, has_value })
}

fn string(bytes: Option<&[u8]>, out: &mut Text, quoted: bool) {
    match bytes {
        None => out.push("null"),
        Some(bytes) if quoted => {
            out.push("\"");
            out.push_bytes(bytes);
            out.push("\"");
        }
        Some(bytes) => out.push_bytes(bytes),
    }
}

/// Bytes as hex; more than a few are told by their number.
fn bytes(bytes: Option<&[u8]>, out: &mut Text) {
    let Some(bytes) = bytes else { return out.push("null") };
    out.push("0x");
    for byte in bytes.iter().take(BYTES_KEPT) {
        if write!(out, "{byte:02x}").is_err() {
            return;
        }
    }
    if bytes.len() > BYTES_KEPT {
        let _ = write!(out, "… ({} bytes)", bytes.len());
    }
}

/// A structure that says its own type.
#[derive(Clone, Copy, Debug)]
pub struct Extension<'a> {
    pub kind: ExpandedNodeId<'a>,
    /// Its bytes, where they are in the binary encoding.
    pub body: &'a [u8],
    is_binary: bool,
}

impl<'a> Extension<'a> {
    pub fn read(reader: &mut Reader<'a>) -> Read<Self> {
        // A NodeId by the specification; namespace URIs, which some stacks send, do no harm.
        let kind = ExpandedNodeId::read(reader)?;
        let (body, is_binary) = match reader.u8()? {
            0 => (&[][..], false),
            1 => (reader.string()?.unwrap_or_default(), true),
            2 => (reader.string()?.unwrap_or_default(), false),
            _ => return Err(Flaw::Encoding),
        };
        Ok(Self { kind, body, is_binary })
    }

    /// The number of its type, where it is one of the specification's in the binary encoding.
    pub fn standard(&self) -> Option<u32> {
        if self.is_binary { self.kind.node.standard() } else { None }
    }

    /// A reader of its fields.
    pub fn fields(&self) -> Reader<'a> {
        Reader::new(self.body)
    }

    pub fn write(&self, out: &mut Text) {
        out.push("{");
        self.kind.write(out);
        let _ = write!(out, ", {} bytes}}", self.body.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        let (mut reader, mut out) = (Reader::new(bytes), Text::new(200));
        variant(&mut reader, &mut out).unwrap();
        assert!(reader.rest().is_empty(), "{:?}", reader.rest());
        out.into_string()
    }

    #[test]
    fn scalars_are_written_as_they_are_read() {
        assert_eq!(text(&[1, 1]), "true");
        assert_eq!(text(&[2, 0xff]), "-1");
        assert_eq!(text(&[6, 42, 0, 0, 0]), "42");
        assert_eq!(text(&[11, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f]), "1.5");
        assert_eq!(text(b"\x0c\x02\0\0\0ab"), "ab");
        assert_eq!(text(b"\x0f\x02\0\0\0ab"), "0x6162");
        assert_eq!(text(&[17, 0, 85]), "i=85");
        assert_eq!(text(&[19, 0, 0, 0x34, 0x80]), "BadNodeIdUnknown");
        assert_eq!(text(b"\x15\x03\x02\0\0\0en\x01\0\0\0x"), "x");
        assert_eq!(text(b"\x16\x01\x02\x07\0\x01\x02\0\0\0ab"), "{ns=2;i=7, 2 bytes}");
        assert_eq!(text(&[0]), "null");
    }

    #[test]
    fn arrays_are_lists_with_an_end() {
        assert_eq!(text(&[0x85, 2, 0, 0, 0, 1, 0, 2, 0]), "[1, 2]");
        assert_eq!(text(b"\x8c\x01\0\0\0\x01\0\0\0a"), "[\"a\"]");
        assert_eq!(text(&[&[0x83, 20, 0, 0, 0][..], &[7; 20]].concat()).matches('7').count(), 16);
        assert!(text(&[&[0x83, 20, 0, 0, 0][..], &[7; 20]].concat()).ends_with(", … 20 values]"));
        let matrix = [0xc3, 2, 0, 0, 0, 1, 2, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0];
        assert_eq!(text(&matrix), "[1, 2] of 2x1");
    }

    #[test]
    fn values_in_values_are_followed_to_a_depth() {
        assert_eq!(text(&[0x98, 1, 0, 0, 0, 3, 9]), "[9]");
        let deep = [24u8; 5_000];
        assert_eq!(variant(&mut Reader::new(&deep), &mut Text::nowhere()), Err(Flaw::Depth));
        let values = [23u8, 1].repeat(3_000);
        assert_eq!(variant(&mut Reader::new(&values), &mut Text::nowhere()), Err(Flaw::Depth));
    }

    #[test]
    fn lengths_that_do_not_fit_cost_nothing() {
        let huge = [0x8b, 0xff, 0xff, 0xff, 0x7f, 0];
        assert_eq!(variant(&mut Reader::new(&huge), &mut Text::nowhere()), Err(Flaw::Length));
        let nulls = [0x80, 0xff, 0, 0, 0, 0];
        assert!(variant(&mut Reader::new(&nulls), &mut Text::nowhere()).is_err());
    }

    #[test]
    fn a_data_value_has_its_status() {
        let bytes = [0x0f, 3, 5, 0, 0, 0xaf, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8];
        let mut out = Text::new(16);
        let value = data_value(&mut Reader::new(&bytes), &mut out).unwrap();
        assert_eq!(value, DataValue { status: Status(0x80af_0000), has_value: true });
        assert_eq!(out.as_str(), "5");
    }
}
