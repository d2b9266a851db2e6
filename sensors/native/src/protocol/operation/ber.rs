//! Elements of basic encoding (X.690, 8.1): tag, length, contents.

use super::Reader;

/// A tag of one or two bytes and its contents, as far as they are there; `None` for forms that protocols here never use.
pub fn element<'a>(reader: &mut Reader<'a>) -> Option<(u16, &'a [u8])> {
    let first = reader.u8()?;
    let mut tag = u16::from(first);
    if first & 0x1f == 0x1f {
        let number = reader.u8()?;
        if number & 0x80 != 0 {
            return None;
        }
        tag = u16::from(first) << 8 | u16::from(number);
    }
    let length = match reader.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(reader.u8()?),
        0x82 => usize::from(reader.u16_be()?),
        _ => return None,
    };
    // A message that was cut still tells its first elements.
    Some((tag, reader.up_to(length)))
}

/// An unsigned number of at most four bytes, a leading zero left out.
pub fn unsigned(bytes: &[u8]) -> Option<u32> {
    let bytes = if let [0, rest @ ..] = bytes { rest } else { bytes };
    (bytes.len() <= 4).then(|| bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}
