//! S7comm items: addresses as an engineer writes them, values, return codes.

use crate::protocol::operation::{Listed, Reader, hex};

/// Return code of an item that was done.
pub const SUCCESS: u8 = 0xff;

/// An address in the parameters of a job (variable specification).
pub fn address(reader: &mut Reader<'_>) -> Option<String> {
    let [0x12, length] = *reader.chunk()? else { return None };
    let whole = reader.take(usize::from(length))?;
    let mut item = Reader(whole);
    // Items begin at even places.
    if length % 2 == 1 && reader.0.first() == Some(&0) {
        reader.skip(1)?;
    }
    let syntax = item.u8()?;
    if syntax != 0x10 || length != 10 {
        let kind = match syntax {
            0xb0 => "DB read ",
            0xb2 => "symbol ",
            0x82..=0x84 => "drive ",
            _ => "",
        };
        return Some(format!("{kind}{}", hex(whole)));
    }
    let size = item.u8()?;
    let (count, block, area) = (item.u16_be()?, item.u16_be()?, item.u8()?);
    let place = item.u24_be()?;
    let (byte, bit) = (place >> 3, place & 7);
    let area = match area {
        0x03 => "SI".into(),
        0x05 => "SF".into(),
        0x06 => "AI".into(),
        0x07 => "AQ".into(),
        0x80 => "P".into(),
        0x81 => "I".into(),
        0x82 => "Q".into(),
        0x83 => "M".into(),
        0x84 => format!("DB{block}.DBX"),
        0x85 => format!("DI{block}.DIX"),
        0x86 => "L".into(),
        0x87 => "V".into(),
        // Counters and timers have numbers, not bytes and bits.
        0x1c => return Some(format!("C{place} {count}")),
        0x1d => return Some(format!("T{place} {count}")),
        other => format!("area 0x{other:02x} "),
    };
    Some(format!("{area}{byte}.{bit} {} {count}", type_name(size)))
}

fn type_name(size: u8) -> String {
    let known = match size {
        1 => "BIT",
        2 => "BYTE",
        3 => "CHAR",
        4 => "WORD",
        5 => "INT",
        6 => "DWORD",
        7 => "DINT",
        8 => "REAL",
        9 => "DATE",
        10 => "TOD",
        11 => "TIME",
        12 => "S5TIME",
        15 => "DATE_AND_TIME",
        28 => "COUNTER",
        29 => "TIMER",
        _ => return format!("type {size}"),
    };
    known.into()
}

/// The two digits that name a kind of block in a file name.
pub fn block_type(digits: [u8; 2]) -> Option<&'static str> {
    let kind = match &digits {
        b"08" => "OB",
        b"0A" => "DB",
        b"0B" => "SDB",
        b"0C" => "FC",
        b"0D" => "SFC",
        b"0E" => "FB",
        b"0F" => "SFB",
        _ => return None,
    };
    Some(kind)
}

/// The items of a read's answer, or of a write.
#[derive(Debug, Default)]
pub struct Values {
    pub text: String,
    /// The first return code that is no success; a write's items have none.
    pub failed: Option<u8>,
}

/// Reads items: return code, size, length, bytes; each fills up to an even length, the last one need not.
pub fn values(mut data: Reader<'_>, count: u8) -> Values {
    let mut values = Values::default();
    let mut texts = Listed::default();
    for _ in 0..count {
        let Some([code, size]) = data.chunk().copied() else { break };
        let Some(length) = data.u16_be() else { break };
        // These sizes count bits, the others bytes.
        let length = usize::from(length);
        let length = if matches!(size, 3..=5) { length.div_ceil(8) } else { length };
        let value = data.up_to(length);
        if length % 2 == 1 {
            data.up_to(1);
        }
        if !matches!(code, 0 | SUCCESS) {
            values.failed.get_or_insert(code);
        }
        texts.push(&hex(value));
    }
    values.text = texts.into_text();
    values
}

pub fn return_code(code: u32) -> &'static str {
    match code {
        0x01 => "hardware fault",
        0x03 => "access denied",
        0x05 => "address out of range",
        0x06 => "data type not supported",
        0x07 => "data type inconsistent",
        0x0a => "object does not exist",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(item: &[u8]) -> Option<String> {
        address(&mut Reader(item))
    }

    #[test]
    fn addresses_are_written_as_engineers_do() {
        let item = [0x12, 10, 0x10, 2, 0, 8, 0, 1, 0x84, 0, 0, 0x50];
        assert_eq!(text(&item).unwrap(), "DB1.DBX10.0 BYTE 8");
        let bit = [0x12, 10, 0x10, 1, 0, 1, 0, 0, 0x83, 0, 0, 0x0b];
        assert_eq!(text(&bit).unwrap(), "M1.3 BIT 1");
        let timer = [0x12, 10, 0x10, 0x1d, 0, 2, 0, 0, 0x1d, 0, 0, 5];
        assert_eq!(text(&timer).unwrap(), "T5 2");
        assert!(text(&[0x12, 10, 0x10, 2]).is_none());
    }

    #[test]
    fn values_have_lengths_in_bits_or_bytes_and_codes() {
        let data = [0xff, 4, 0, 16, 1, 2, 0x0a, 0, 0, 0, 0xff, 9, 0, 1, 7];
        let values = values(Reader(&data), 3);
        assert_eq!(values.text, "0102, , 07");
        assert_eq!(values.failed, Some(0x0a));
    }
}
