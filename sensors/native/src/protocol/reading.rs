//! Bytes of a message in, its fields out: a cursor that never reads past the end.

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Big-endian, as the next ones.
    pub fn u16(&mut self) -> Option<u16> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*first))
    }

    pub fn u24(&mut self) -> Option<u32> {
        let ([a, b, c], rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes([0, *a, *b, *c]))
    }

    pub fn u32(&mut self) -> Option<u32> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*first))
    }

    /// Little-endian.
    pub fn u16_le(&mut self) -> Option<u16> {
        self.u16().map(u16::swap_bytes)
    }

    pub fn u32_le(&mut self) -> Option<u32> {
        self.u32().map(u32::swap_bytes)
    }

    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    pub fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(first)
    }

    /// A length of one octet and so many octets.
    pub fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.take(usize::from(length))
    }

    /// A length of two octets and so many octets.
    pub fn medium(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// A length of three octets and so many octets.
    pub fn long_24(&mut self) -> Option<&'a [u8]> {
        let length = self.u24()?;
        self.take(usize::try_from(length).ok()?)
    }

    /// A length of four octets and so many octets.
    pub fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(usize::try_from(length).ok()?)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Bytes as bounded text: one line, without control characters, trimmed.
pub fn text(bytes: &[u8], most: usize) -> String {
    let bounded = &bytes[..bytes.len().min(most.saturating_mul(4))];
    let read = String::from_utf8_lossy(bounded);
    let readable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    read.trim_matches(|c: char| c.is_whitespace() || c == '\0').chars().map(readable).take(most).collect()
}

/// Little-endian UTF-16 as bounded text.
pub fn utf16_text(bytes: &[u8], most: usize) -> String {
    let units = bytes.chunks_exact(2).take(most).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let read: String = char::decode_utf16(units).map(|read| read.unwrap_or('\u{fffd}')).collect();
    text(read.as_bytes(), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_order_and_end_where_the_message_ends() {
        let mut fields = Fields(&[1, 0, 2, 0, 0, 3, 2, b'a', b'b', 9]);
        assert_eq!((fields.u8(), fields.u16(), fields.u24()), (Some(1), Some(2), Some(3)));
        assert_eq!(fields.short(), Some(&b"ab"[..]));
        assert_eq!((fields.u16(), fields.u8(), fields.is_empty()), (None, Some(9), true));
    }

    #[test]
    fn text_is_bounded_and_has_no_control_characters() {
        assert_eq!(text(b" a\x1b[0m\xff\n", 64), "a\u{fffd}[0m\u{fffd}");
        assert_eq!(text(&[b'x'; 100], 8), "xxxxxxxx");
        assert_eq!(utf16_text(b"P\0L\0C\0\0\0", 64), "PLC");
    }
}
