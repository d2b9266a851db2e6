//! CIP paths as text (CIP Networks Library, volume 1, appendix C-1).

use std::fmt::Write as _;

use crate::protocol::operation::{Reader, hex, printable};

/// What a path names.
#[derive(Clone, Debug, Default)]
pub struct Path {
    pub class: Option<u32>,
    pub instance: Option<u32>,
    pub attribute: Option<u32>,
    /// A tag, with its members and elements.
    pub tag: String,
    /// Ports and link addresses on the way.
    pub route: String,
    points: String,
}

/// Segments of one path that are looked at.
const SEGMENTS: usize = 64;

impl Path {
    /// Reads segments until the bytes end; what is no known segment ends it too.
    pub fn read(bytes: &[u8]) -> Self {
        let mut path = Self::default();
        let mut reader = Reader(bytes);
        for _ in 0..SEGMENTS {
            if reader.is_empty() || path.segment(&mut reader).is_none() {
                break;
            }
        }
        path
    }

    fn segment(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let kind = reader.u8()?;
        match kind {
            0x00..=0x1f => self.port(kind, reader)?,
            // An electronic key: format, then eight bytes of identity.
            0x34..=0x37 => reader.skip(9)?,
            0x20..=0x3f => {
                let value = match kind & 3 {
                    0 => u32::from(reader.u8()?),
                    1 => {
                        reader.skip(1)?;
                        u32::from(reader.u16_le()?)
                    }
                    _ => {
                        reader.skip(1)?;
                        reader.u32_le()?
                    }
                };
                self.logical(kind >> 2 & 7, value);
            }
            0x91 => {
                let length = usize::from(reader.u8()?);
                let name = reader.take(length)?;
                if length % 2 == 1 {
                    reader.up_to(1);
                }
                if !self.tag.is_empty() {
                    self.tag.push('.');
                }
                self.tag.push_str(&printable(name));
            }
            // Simple data: a length in words.
            0x80 => {
                let words = usize::from(reader.u8()?);
                reader.skip(words * 2)?;
            }
            // Network segments: a schedule, a fixed tag, an inhibit time.
            0x41..=0x43 => reader.skip(1)?,
            _ => return None,
        }
        Some(())
    }

    fn logical(&mut self, kind: u8, value: u32) {
        match kind {
            0 => self.class = self.class.or(Some(value)),
            1 => self.instance = self.instance.or(Some(value)),
            // A member: an element of a tag.
            2 if !self.tag.is_empty() => {
                let _ = write!(self.tag, "[{value}]");
            }
            3 => {
                let _ = write!(self.points, " point {value}");
            }
            4 => self.attribute = self.attribute.or(Some(value)),
            _ => {
                let _ = write!(self.points, " member {value}");
            }
        }
    }

    /// A way through a port: its number, then a link address.
    fn port(&mut self, kind: u8, reader: &mut Reader<'_>) -> Option<()> {
        let long = kind & 0x10 != 0;
        let length = if long { usize::from(reader.u8()?) } else { 1 };
        let port = if kind & 15 == 15 { u32::from(reader.u16_le()?) } else { u32::from(kind & 15) };
        let link = reader.take(length)?;
        if length % 2 == 1 && long {
            reader.up_to(1);
        }
        if !self.route.is_empty() {
            self.route.push_str(", ");
        }
        let _ = match link {
            [address] => write!(self.route, "port {port} address {address}"),
            text if text.is_ascii() => write!(self.route, "port {port} address {}", printable(text)),
            other => write!(self.route, "port {port} address {}", hex(other)),
        };
        Some(())
    }

    /// The object: a tag, or class, instance and attribute.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut part = |name: &str, value: Option<u32>| {
            if let Some(value) = value {
                let space = if text.is_empty() { "" } else { " " };
                let _ = write!(text, "{space}{name} {value}");
            }
        };
        part("class", self.class);
        part("instance", self.instance);
        part("attribute", self.attribute);
        text.push_str(&self.points);
        if self.tag.is_empty() {
            return text.trim_start().into();
        }
        // A tag may stand behind the program that it belongs to.
        if text.is_empty() { self.tag.clone() } else { format!("{} {text}", self.tag) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_tags_and_routes() {
        let identity = Path::read(&[0x20, 1, 0x24, 1, 0x30, 7]);
        assert_eq!(identity.text(), "class 1 instance 1 attribute 7");
        let tag = Path::read(b"\x91\x05SCADA\x00\x28\x03\x91\x03ACC\x00");
        assert_eq!(tag.text(), "SCADA[3].ACC");
        let route = Path::read(&[1, 0, 0x20, 6, 0x25, 0, 1, 2]);
        assert_eq!(
            (route.route.as_str(), route.text().as_str()),
            ("port 1 address 0", "class 6 instance 513")
        );
        assert_eq!(Path::read(&[0x91, 9, b'x']).text(), "");
    }
}
