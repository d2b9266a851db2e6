//! Values of OPC UA binary out of the bytes of one message (OPC 10000-6, 5.2).
//!
//! Everything is checked against the bytes that are there, so that a length from the wire costs nothing.

use super::text::{Text, text_of};

/// Why a value cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The message ends inside it.
    Short,
    /// A length that is neither that of something nor -1.
    Length,
    /// An encoding that the specification does not have.
    Encoding,
    /// Nested deeper than anything real.
    Depth,
}

impl Flaw {
    pub fn word(self) -> &'static str {
        match self {
            Flaw::Short => "it ends inside a field",
            Flaw::Length => "a length does not fit into it",
            Flaw::Encoding => "an encoding byte that OPC UA does not have",
            Flaw::Depth => "values are nested too deep",
        }
    }
}

pub type Read<T> = Result<T, Flaw>;

/// A place in the bytes of a message.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes that were not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn bytes(&mut self, length: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Flaw::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Flaw::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub fn u8(&mut self) -> Read<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub fn bool(&mut self) -> Read<bool> {
        Ok(self.u8()? != 0)
    }

    pub fn u16(&mut self) -> Read<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn i32(&mut self) -> Read<i32> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub fn i64(&mut self) -> Read<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub fn f32(&mut self) -> Read<f32> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    pub fn f64(&mut self) -> Read<f64> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// A String or ByteString; none where it is null (5.2.2.4).
    pub fn string(&mut self) -> Read<Option<&'a [u8]>> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| Flaw::Length)?;
                self.bytes(length).map(Some)
            }
        }
    }

    /// A String as bounded text; empty where it is null.
    pub fn text(&mut self, limit: usize) -> Read<String> {
        Ok(text_of(self.string()?.unwrap_or_default(), limit))
    }

    /// How many elements follow, each of `least` bytes or more; 0 where the array is null (5.2.5).
    pub fn count(&mut self, least: usize) -> Read<usize> {
        match self.i32()? {
            -1 => Ok(0),
            count => {
                let count = usize::try_from(count).map_err(|_| Flaw::Length)?;
                let fits = count.checked_mul(least).is_some_and(|bytes| bytes <= self.rest.len());
                if fits { Ok(count) } else { Err(Flaw::Length) }
            }
        }
    }

    /// Skips an array of strings.
    pub fn skip_strings(&mut self) -> Read<()> {
        for _ in 0..self.count(4)? {
            self.string()?;
        }
        Ok(())
    }

    /// A LocalizedText's text; empty where it has none (5.2.2.14).
    pub fn localized_text(&mut self) -> Read<&'a [u8]> {
        let mask = self.u8()?;
        if mask & 1 != 0 {
            self.string()?;
        }
        let text = if mask & 2 != 0 { self.string()? } else { None };
        Ok(text.unwrap_or_default())
    }

    /// A QualifiedName: namespace and name (5.2.2.13).
    pub fn qualified_name(&mut self) -> Read<(u16, &'a [u8])> {
        Ok((self.u16()?, self.string()?.unwrap_or_default()))
    }
}

/// A qualified name as text: `2:Pump`, or the name alone in namespace 0.
pub fn write_qualified((namespace, name): (u16, &[u8]), out: &mut Text) {
    use std::fmt::Write as _;
    if namespace != 0 {
        let _ = write!(out, "{namespace}:");
    }
    out.push_bytes(name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_are_two_things() {
        let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        assert_eq!(reader.string(), Ok(None));
        assert_eq!(reader.string(), Ok(Some(&[][..])));
        assert_eq!(reader.u8(), Err(Flaw::Short));
    }

    #[test]
    fn lengths_that_cannot_be_are_refused_before_anything_is_done() {
        assert_eq!(Reader::new(&[0xfe, 0xff, 0xff, 0xff]).string(), Err(Flaw::Length));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0x7f]).string(), Err(Flaw::Short));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0x7f, 0]).count(1), Err(Flaw::Length));
        assert_eq!(Reader::new(&[2, 0, 0, 0, 7, 7]).count(1), Ok(2));
    }

    #[test]
    fn names_have_their_namespace() {
        let bytes = [2, 0, 1, 0, 0, 0, b'P'];
        let mut out = Text::new(16);
        write_qualified(Reader::new(&bytes).qualified_name().unwrap(), &mut out);
        assert_eq!(out.as_str(), "2:P");
        assert_eq!(Reader::new(&[2, 1, 0, 0, 0, b'x']).localized_text(), Ok(&b"x"[..]));
        assert_eq!(Reader::new(&[0]).localized_text(), Ok(&b""[..]));
    }
}
