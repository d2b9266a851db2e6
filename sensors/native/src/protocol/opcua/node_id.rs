//! Node identifiers in all encodings (OPC 10000-6, 5.2.2.9 and 5.2.2.10), and as text (5.3.1.10).

use std::fmt::Write as _;

use super::reader::{Flaw, Read, Reader};
use super::text::{TEXT_LIMIT, Text};

/// What names a node within its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Identifier<'a> {
    Number(u32),
    String(&'a [u8]),
    Guid([u8; 16]),
    Bytes(&'a [u8]),
}

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId<'a> {
    pub namespace: u16,
    pub identifier: Identifier<'a>,
}

/// A node that may be in another server or in a namespace that is named by its URI.
#[derive(Clone, Copy, Debug)]
pub struct ExpandedNodeId<'a> {
    pub node: NodeId<'a>,
    uri: Option<&'a [u8]>,
    server: u32,
}

const HAS_URI: u8 = 0x80;
const HAS_SERVER: u8 = 0x40;

impl<'a> NodeId<'a> {
    /// The number of a node of the specification's own namespace.
    pub fn standard(&self) -> Option<u32> {
        match (self.namespace, self.identifier) {
            (0, Identifier::Number(number)) => Some(number),
            _ => None,
        }
    }

    /// The null node: nothing is meant.
    pub fn is_null(&self) -> bool {
        let empty = match self.identifier {
            Identifier::Number(number) => number == 0,
            Identifier::String(bytes) | Identifier::Bytes(bytes) => bytes.is_empty(),
            Identifier::Guid(bytes) => bytes == [0; 16],
        };
        self.namespace == 0 && empty
    }

    pub fn read(reader: &mut Reader<'a>) -> Read<Self> {
        let encoding = reader.u8()?;
        Self::encoded(encoding, reader)
    }

    fn encoded(encoding: u8, reader: &mut Reader<'a>) -> Read<Self> {
        let (namespace, identifier) = match encoding {
            0 => (0, Identifier::Number(u32::from(reader.u8()?))),
            1 => {
                let namespace = reader.u8()?;
                (u16::from(namespace), Identifier::Number(u32::from(reader.u16()?)))
            }
            2 => (reader.u16()?, Identifier::Number(reader.u32()?)),
            3 => (reader.u16()?, Identifier::String(reader.string()?.unwrap_or_default())),
            4 => (reader.u16()?, Identifier::Guid(guid(reader)?)),
            5 => (reader.u16()?, Identifier::Bytes(reader.string()?.unwrap_or_default())),
            _ => return Err(Flaw::Encoding),
        };
        Ok(Self { namespace, identifier })
    }

    pub fn write(&self, out: &mut Text) {
        if self.namespace != 0 {
            let _ = write!(out, "ns={};", self.namespace);
        }
        match self.identifier {
            Identifier::Number(number) => {
                let _ = write!(out, "i={number}");
            }
            Identifier::String(bytes) => {
                out.push("s=");
                out.push_bytes(bytes);
            }
            Identifier::Guid(bytes) => {
                out.push("g=");
                write_guid(&bytes, out);
            }
            Identifier::Bytes(bytes) => {
                out.push("b=");
                write_base64(bytes, out);
            }
        }
    }

    pub fn text(&self) -> String {
        let mut text = Text::new(TEXT_LIMIT);
        self.write(&mut text);
        text.into_string()
    }
}

impl<'a> ExpandedNodeId<'a> {
    pub fn read(reader: &mut Reader<'a>) -> Read<Self> {
        let encoding = reader.u8()?;
        let node = NodeId::encoded(encoding & !(HAS_URI | HAS_SERVER), reader)?;
        let uri = if encoding & HAS_URI != 0 { reader.string()? } else { None };
        let server = if encoding & HAS_SERVER != 0 { reader.u32()? } else { 0 };
        Ok(Self { node, uri, server })
    }

    pub fn write(&self, out: &mut Text) {
        if self.server != 0 {
            let _ = write!(out, "svr={};", self.server);
        }
        match self.uri {
            Some(uri) if !uri.is_empty() => {
                out.push("nsu=");
                out.push_bytes(uri);
                out.push(";");
                NodeId { namespace: 0, ..self.node }.write(out);
            }
            _ => self.node.write(out),
        }
    }
}

/// A Guid's 16 bytes (5.2.2.6).
pub fn guid(reader: &mut Reader<'_>) -> Read<[u8; 16]> {
    let bytes = reader.bytes(16)?;
    bytes.try_into().map_err(|_| Flaw::Short)
}

pub fn write_guid(bytes: &[u8; 16], out: &mut Text) {
    let [a, b, c, d, e, f, g, h, tail @ ..] = bytes;
    let first = u32::from_le_bytes([*a, *b, *c, *d]);
    let (second, third) = (u16::from_le_bytes([*e, *f]), u16::from_le_bytes([*g, *h]));
    let _ = write!(out, "{first:08x}-{second:04x}-{third:04x}-");
    for (number, byte) in tail.iter().enumerate() {
        let _ = write!(out, "{}{byte:02x}", if number == 2 { "-" } else { "" });
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn write_base64(bytes: &[u8], out: &mut Text) {
    for group in bytes.chunks(3) {
        if out.is_full() {
            return;
        }
        let mut word = [0u8; 4];
        word[1..=group.len()].copy_from_slice(group);
        let number = u32::from_be_bytes(word);
        for place in 0..4usize {
            let sextet = number >> (18 - 6 * place) & 63;
            let character = if place > group.len() { b'=' } else { BASE64[sextet as usize] };
            let _ = out.write_char(char::from(character));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        let mut out = Text::new(TEXT_LIMIT);
        ExpandedNodeId::read(&mut Reader::new(bytes)).unwrap().write(&mut out);
        out.into_string()
    }

    #[test]
    fn every_encoding_has_its_text() {
        // The examples of OPC 10000-6, 5.2.2.9, and one of each other encoding.
        assert_eq!(text(&[0, 0x72]), "i=114");
        assert_eq!(text(&[1, 5, 0x01, 0x04]), "ns=5;i=1025");
        assert_eq!(text(&[2, 1, 0, 0, 0, 1, 0]), "ns=1;i=65536");
        assert_eq!(text(b"\x03\x01\0\x06\0\0\0Hot\xe6\xb0\xb4"), "ns=1;s=Hot\u{6c34}");
        let guid = [
            4, 2, 0, 0x91, 0x2b, 0x96, 0x72, 0x75, 0xfa, 0xe6, 0x4a, 0x8d, 0x28, 0xb4, 0x04, 0xdc, 0x7d,
            0xaf, 0x63,
        ];
        assert_eq!(text(&guid), "ns=2;g=72962b91-fa75-4ae6-8d28-b404dc7daf63");
        assert_eq!(text(b"\x05\x02\0\x04\0\0\0abcd"), "ns=2;b=YWJjZA==");
    }

    #[test]
    fn an_expanded_one_has_its_namespace_and_server() {
        assert_eq!(text(b"\xc0\x05\x03\0\0\0urn\x07\0\0\0"), "svr=7;nsu=urn;i=5");
        assert_eq!(text(b"\x40\x05\x07\0\0\0"), "svr=7;i=5");
    }

    #[test]
    fn what_is_no_encoding_is_refused() {
        assert_eq!(NodeId::read(&mut Reader::new(&[6, 0, 0])).unwrap_err(), Flaw::Encoding);
        assert_eq!(NodeId::read(&mut Reader::new(&[0x80, 0])).unwrap_err(), Flaw::Encoding);
        assert_eq!(NodeId::read(&mut Reader::new(&[2, 0])).unwrap_err(), Flaw::Short);
    }
}
