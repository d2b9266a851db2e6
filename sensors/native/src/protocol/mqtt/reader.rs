//! The data representations of MQTT (5.0, 1.5), read from the front of bytes; `None` where they do not suffice.

use std::borrow::Cow;

/// Bytes that are not read yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader<'a> {
    pub rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    #[inline]
    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    #[inline]
    pub fn two_bytes(&mut self) -> Option<u16> {
        let (first, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u16::from_be_bytes(*first))
    }

    pub fn four_bytes(&mut self) -> Option<u32> {
        let (first, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*first))
    }

    /// Seven bits a byte, lowest first, at most four bytes (1.5.5).
    pub fn variable(&mut self) -> Option<u32> {
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    #[inline]
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// Binary data, or the bytes of a string: a length of two bytes, then so many (1.5.4, 1.5.6).
    #[inline]
    pub fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.two_bytes()?;
        self.take(usize::from(length))
    }
}

/// Bytes as text of at most `most` bytes; what is no UTF-8 is replaced.
pub fn text(bytes: &[u8], most: usize) -> Cow<'_, str> {
    let short = bytes.get(..most).unwrap_or(bytes);
    match std::str::from_utf8(short) {
        Ok(text) => Cow::Borrowed(text),
        // Only the cut went through a character.
        Err(error) if error.error_len().is_none() && short.len() < bytes.len() => {
            String::from_utf8_lossy(&short[..error.valid_up_to()])
        }
        Err(_) => String::from_utf8_lossy(short),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_number_has_one_to_four_bytes() {
        for (bytes, value) in [
            (&[0x00][..], Some(0)),
            (&[0x7f], Some(127)),
            (&[0x80, 0x01], Some(128)),
            (&[0xff, 0xff, 0xff, 0x7f], Some(268_435_455)),
            (&[0xff, 0xff, 0xff, 0xff], None),
            (&[0x80], None),
        ] {
            assert_eq!(Reader::new(bytes).variable(), value, "{bytes:?}");
        }
    }

    #[test]
    fn a_string_longer_than_what_is_there_is_none() {
        assert_eq!(Reader::new(b"\0\x03abcd").sized(), Some(&b"abc"[..]));
        assert_eq!(Reader::new(b"\0\x05abcd").sized(), None);
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(text("äöü".as_bytes(), 3), "ä");
        assert_eq!(text(b"a\xffb", 9), "a\u{fffd}b");
    }
}
