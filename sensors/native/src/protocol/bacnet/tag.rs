//! Tagged values (ASHRAE 135, 20.2).

use super::names;
use crate::protocol::operation::{Reader, hex, printable};

/// One tag with its value.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    pub number: u8,
    pub is_context: bool,
    pub kind: Kind,
    /// The value; of a boolean and of brackets nothing.
    pub value: &'a [u8],
    /// The length field, which is the value of a boolean.
    length: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Value,
    Opening,
    Closing,
}

pub fn read<'a>(reader: &mut Reader<'a>) -> Option<Tag<'a>> {
    let first = reader.u8()?;
    let number = if first >> 4 == 15 { reader.u8()? } else { first >> 4 };
    let is_context = first & 8 != 0;
    let bracket = |kind| Tag { number, is_context, kind, value: &[], length: 0 };
    match first & 7 {
        6 if is_context => return Some(bracket(Kind::Opening)),
        7 if is_context => return Some(bracket(Kind::Closing)),
        _ => {}
    }
    let length = match first & 7 {
        5 => match reader.u8()? {
            254 => u32::from(reader.u16_be()?),
            255 => reader.u32_be()?,
            length => u32::from(length),
        },
        length => u32::from(length),
    };
    // An application boolean has its value in the length field.
    let bytes = if !is_context && number == 1 { 0 } else { usize::try_from(length).ok()? };
    let value = reader.take(bytes)?;
    Some(Tag { number, is_context, kind: Kind::Value, value, length })
}

impl Tag<'_> {
    /// True for a context tag of that number with a value.
    pub fn is(&self, number: u8) -> bool {
        self.is_context && self.kind == Kind::Value && self.number == number
    }

    pub fn opens(&self, number: u8) -> bool {
        self.kind == Kind::Opening && self.number == number
    }

    pub fn closes(&self, number: u8) -> bool {
        self.kind == Kind::Closing && self.number == number
    }

    pub fn unsigned(&self) -> Option<u32> {
        let fits = self.kind == Kind::Value && (1..=4).contains(&self.value.len());
        fits.then(|| self.value.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    /// An object's type and instance as text.
    pub fn object(&self) -> Option<String> {
        let id = Reader(self.value).u32_be()?;
        Some(names::object(id))
    }

    /// Text, where the value is a character string in UTF-8.
    pub fn text(&self) -> Option<String> {
        match self.value {
            [0, text @ ..] if !self.is_context && self.number == 7 => Some(printable(text)),
            _ => None,
        }
    }

    /// An application value as text (20.2.1.4).
    pub fn show(&self) -> String {
        if self.is_context {
            return hex(self.value);
        }
        match (self.number, self.value) {
            (0, _) => "null".into(),
            (1, _) => if self.length == 0 { "false" } else { "true" }.into(),
            (2 | 9, _) => self.unsigned().map_or_else(|| hex(self.value), |number| number.to_string()),
            (3, bytes @ [first, ..]) if bytes.len() <= 8 => {
                let start = if *first & 0x80 != 0 { -1i64 } else { 0 };
                bytes.iter().fold(start, |sum, byte| sum << 8 | i64::from(*byte)).to_string()
            }
            (4, _) => match self.value.first_chunk() {
                Some(bytes) => f32::from_be_bytes(*bytes).to_string(),
                None => hex(self.value),
            },
            (5, _) => match self.value.first_chunk() {
                Some(bytes) => f64::from_be_bytes(*bytes).to_string(),
                None => hex(self.value),
            },
            (7, _) => self.text().unwrap_or_else(|| hex(self.value)),
            (12, _) => self.object().unwrap_or_else(|| hex(self.value)),
            (10, [year, month, day, ..]) => format!("{}-{month:02}-{day:02}", 1900 + u32::from(*year)),
            (11, [hour, minute, second, ..]) => format!("{hour:02}:{minute:02}:{second:02}"),
            _ => hex(self.value),
        }
    }
}
