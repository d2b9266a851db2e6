//! Fields of a Protocol Buffers message, read from the front: number, wire type, value; nothing is copied.
//!
//! Source: Protocol Buffers, "Encoding" (protobuf.dev/programming-guides/encoding).

/// One field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: bytes, a text, or a message inside.
    Bytes(&'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
}

/// The fields of a message; ends at its end, or at the first byte that cannot be read.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    /// What was left could not be read.
    pub broken: bool,
}

impl<'a> Fields<'a> {
    pub fn of(message: &'a [u8]) -> Self {
        Self { rest: message, broken: false }
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for (count, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f).checked_shl(7 * count as u32).unwrap_or(0);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[count + 1..];
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u32, Value<'a>)> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number != 0)?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(*self.take(8)?.first_chunk()?)),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(*self.take(4)?.first_chunk()?)),
            _ => return None,
        };
        Some((number, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() || self.broken {
            return None;
        }
        let field = self.field();
        self.broken = field.is_none();
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_s_own_examples() {
        // "Encoding", "A Simple Message" and "Length-Delimited Records".
        let all: Vec<_> = Fields::of(b"\x08\x96\x01\x12\x07testing").collect();
        assert_eq!(all, [(1, Value::Varint(150)), (2, Value::Bytes(b"testing"))]);
    }

    #[test]
    fn fixed_widths_are_little_endian() {
        let all: Vec<_> = Fields::of(b"\x0d\x01\0\0\0\x11\x02\0\0\0\0\0\0\0").collect();
        assert_eq!(all, [(1, Value::Fixed32(1)), (2, Value::Fixed64(2))]);
    }

    #[test]
    fn what_cannot_be_read_ends_the_fields_and_is_said() {
        for broken in
            [&b"\x08\x01\x08"[..], b"\x08\x01\x12\x09a", b"\x08\x01\x0b", b"\x08\x01\0\x01", &[0xff; 12]]
        {
            let mut fields = Fields::of(broken);
            let count = fields.by_ref().count();
            assert!(fields.broken, "{broken:?}");
            assert!(count <= 1);
        }
    }
}
