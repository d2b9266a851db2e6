//! DiagnosticInfo: what a server adds to a failure (OPC 10000-6, 5.2.2.12).

use super::reader::{Flaw, Read, Reader};
use super::text::Text;

/// Inner diagnostics of one; more is no server's answer.
const DEPTH_LIMIT: usize = 100;

/// Walks over one; the additional texts that it carries go to `out`.
pub fn read(reader: &mut Reader<'_>, out: &mut Text) -> Read<()> {
    for _ in 0..DEPTH_LIMIT {
        let mask = reader.u8()?;
        for bit in 0..4 {
            // Symbolic id, namespace, localized text and locale: places in the header's string table.
            if mask >> bit & 1 != 0 {
                reader.i32()?;
            }
        }
        if mask & 0x10 != 0 {
            if let Some(text) = reader.string()?.filter(|text| !text.is_empty()) {
                out.separate("; ");
                out.push_bytes(text);
            }
        }
        if mask & 0x20 != 0 {
            reader.u32()?;
        }
        if mask & 0x40 == 0 {
            return Ok(());
        }
    }
    Err(Flaw::Depth)
}

/// Walks over an array of them.
pub fn skip_array(reader: &mut Reader<'_>) -> Read<()> {
    let mut nowhere = Text::nowhere();
    for _ in 0..reader.count(1)? {
        read(reader, &mut nowhere)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_ones_are_followed_and_texts_kept() {
        let bytes = b"\x51\x07\0\0\0\x02\0\0\0ab\x30\x01\0\0\0c\0\0\x34\x80\xff";
        let (mut reader, mut out) = (Reader::new(bytes), Text::new(16));
        read(&mut reader, &mut out).unwrap();
        assert_eq!((out.as_str(), reader.rest()), ("ab; c", &b"\xff"[..]));
    }

    #[test]
    fn endless_nesting_is_refused() {
        assert_eq!(read(&mut Reader::new(&[0x40; 1_000]), &mut Text::nowhere()), Err(Flaw::Depth));
        assert_eq!(read(&mut Reader::new(&[0x40; 10]), &mut Text::nowhere()), Err(Flaw::Short));
    }
}
