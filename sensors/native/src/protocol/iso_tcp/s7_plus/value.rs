//! Numbers of variable length and typed values of S7comm-plus, as far as they are known: plain ones, texts and blobs.

use crate::protocol::operation::{Reader, hex, printable};

/// Most elements of an array that are read.
const ELEMENTS: u32 = 4_096;

/// A number in groups of seven bits, the highest first; a set top bit says that another one follows.
pub fn number(reader: &mut Reader<'_>) -> Option<u32> {
    let mut value = 0;
    for _ in 0..5 {
        let octet = reader.u8()?;
        value = value << 7 | u32::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The same of up to 64 bits: a ninth octet has eight of them.
pub fn long(reader: &mut Reader<'_>) -> Option<u64> {
    let mut value = 0;
    for _ in 0..8 {
        let octet = reader.u8()?;
        value = value << 7 | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            return Some(value);
        }
    }
    Some(value << 8 | u64::from(reader.u8()?))
}

/// The same with a sign: the second bit of the first octet.
fn signed(reader: &mut Reader<'_>, most: usize) -> Option<i64> {
    let first = reader.u8()?;
    let mut value = i64::from(first & 0x3f) - i64::from(first & 0x40);
    let mut more = first & 0x80 != 0;
    for _ in 1..most {
        if !more {
            break;
        }
        let octet = reader.u8()?;
        value = value << 7 | i64::from(octet & 0x7f);
        more = octet & 0x80 != 0;
    }
    (!more).then_some(value)
}

/// A value with its flags and type; `None` for one whose layout is not known, behind which nothing can be read.
pub fn typed(reader: &mut Reader<'_>) -> Option<String> {
    let (flags, kind) = (reader.u8()?, reader.u8()?);
    match flags {
        0 => plain(kind, reader),
        0x10 => {
            let count = number(reader).filter(|count| *count <= ELEMENTS)?;
            let mut shown = String::new();
            for place in 0..count {
                let element = plain(kind, reader)?;
                if shown.len() <= 64 {
                    shown.push_str(if place > 0 { " " } else { "" });
                    shown.push_str(&element);
                }
            }
            Some(format!("[{shown}]"))
        }
        _ => None,
    }
}

fn plain(kind: u8, reader: &mut Reader<'_>) -> Option<String> {
    let text = match kind {
        0x00 => String::new(),
        0x01 => if reader.u8()? == 0 { "off" } else { "on" }.into(),
        0x02 => reader.u8()?.to_string(),
        0x03 => reader.u16_be()?.to_string(),
        0x04 | 0x13 => number(reader)?.to_string(),
        0x05 => long(reader)?.to_string(),
        0x06 => (reader.u8()? as i8).to_string(),
        0x07 => (reader.u16_be()? as i16).to_string(),
        0x08 => signed(reader, 5)?.to_string(),
        0x0a => hex(reader.take(1)?),
        0x0b => hex(reader.take(2)?),
        0x0c | 0x12 => hex(reader.take(4)?),
        0x0d | 0x10 => hex(reader.take(8)?),
        0x0e => f32::from_bits(reader.u32_be()?).to_string(),
        0x0f => f64::from_be_bytes(*reader.chunk()?).to_string(),
        // A blob that names no root; others have fields of their own.
        0x14 if number(reader)? == 0 => {
            let length = number(reader)? as usize;
            hex(reader.take(length)?)
        }
        0x15 => {
            let length = number(reader)? as usize;
            printable(reader.take(length)?)
        }
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_variable_length() {
        let numbers = [
            (&[0x3f][..], 63),
            (&[0x80, 0x40], 64),
            (&[0x81, 0x7f], 255),
            (&[0x88, 0xd0, 0xb8, 0x80, 0x01], 0x8a0e_0001),
        ];
        for (bytes, value) in numbers {
            assert_eq!(number(&mut Reader(bytes)), Some(value));
        }
        assert_eq!(number(&mut Reader(&[0x80; 9])), None);
        assert_eq!(number(&mut Reader(&[0x80])), None);
        // As published of a controller's answers: a DINT of so much has these bytes.
        let signs = [
            (&[0x7f][..], -1),
            (&[0x7c], -4),
            (&[0xff, 0x01], -127),
            (&[0xfe, 0x7f], -129),
            (&[0x80, 0x7e], 126),
            (&[0xba, 0xef, 0x9a, 0x15], 123_456_789),
        ];
        for (bytes, value) in signs {
            assert_eq!(signed(&mut Reader(bytes), 5), Some(value), "{bytes:?}");
        }
        let nine = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(long(&mut Reader(&nine)), Some(u64::MAX));
    }

    #[test]
    fn values_by_their_type_and_none_of_an_unknown_one() {
        let shown = |bytes: &[u8]| typed(&mut Reader(bytes));
        assert_eq!(shown(&[0, 0x0e, 0x41, 0x20, 0, 0]).as_deref(), Some("10"));
        assert_eq!(shown(&[0, 0x14, 0, 2, 0xab, 0xcd]).as_deref(), Some("abcd"));
        assert_eq!(shown(&[0, 0x15, 3, b'P', b'L', b'C']).as_deref(), Some("PLC"));
        assert_eq!(shown(&[0x10, 2, 3, 1, 2, 3]).as_deref(), Some("[1 2 3]"));
        for bytes in
            [&[0, 0x17, 0, 0, 0, 1][..], &[0x40, 2, 1], &[0, 0x14, 7, 1, 1], &[0, 0x15, 9, b'P'], &[0]]
        {
            assert_eq!(shown(bytes), None, "{bytes:?}");
        }
    }
}
