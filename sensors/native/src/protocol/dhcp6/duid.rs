//! Unique identifiers of DHCP for IPv6 as text (RFC 8415, 11).
//!
//! Whoever gets one compares it as a whole (11): its text says what it is made of, and keeps all of it.

use std::fmt::Write as _;

use crate::protocol::reading::Fields;

/// Type and content together (11.1).
const LONGEST: usize = 130;

/// The kind of card that nearly all are.
const ETHERNET: u16 = 1;

/// An identifier; `None` where it is shorter or longer than one can be.
pub fn text(bytes: &[u8]) -> Option<String> {
    if bytes.len() < 3 || bytes.len() > LONGEST {
        return None;
    }
    let mut fields = Fields(bytes);
    let kind = fields.u16()?;
    let text = match kind {
        // A card and when the identifier was made, in seconds since 2000 (11.2).
        1 => {
            let (hardware, made) = (fields.u16()?, fields.u32()?);
            format!("LLT {}{} at {made}", card(hardware), hex(fields.0))
        }
        2 => {
            let enterprise = fields.u32()?;
            format!("EN {enterprise} {}", hex(fields.0))
        }
        3 => {
            let hardware = fields.u16()?;
            format!("LL {}{}", card(hardware), hex(fields.0))
        }
        4 if fields.0.len() == 16 => format!("UUID {}", uuid(fields.0)),
        _ => format!("type {kind} {}", hex(fields.0)),
    };
    Some(text)
}

/// What kind of card it is, where it is not Ethernet's.
fn card(hardware: u16) -> String {
    if hardware == ETHERNET { String::new() } else { format!("hardware {hardware} ") }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// In groups of 8, 4, 4, 4 and 12 digits (RFC 9562, 4).
fn uuid(bytes: &[u8]) -> String {
    let ends = [0, 4, 6, 8, 10, 16];
    let groups: Vec<_> = ends.windows(2).map(|ends| hex(&bytes[ends[0]..ends[1]])).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_says_what_it_is_made_of() {
        let shown = |bytes: &[u8]| text(bytes);
        let llt = b"\0\x01\0\x01\x2f\0\0\x01\x02\0\x5e\0\x53\x01";
        assert_eq!(shown(llt).as_deref(), Some("LLT 02005e005301 at 788529153"));
        assert_eq!(shown(b"\0\x02\0\0\x9c\x40abc").as_deref(), Some("EN 40000 616263"));
        assert_eq!(shown(b"\0\x03\0\x01\x02\0\x5e\0\x53\x01").as_deref(), Some("LL 02005e005301"));
        assert_eq!(shown(b"\0\x03\0\x20\x01\x02").as_deref(), Some("LL hardware 32 0102"));
        let uuid: Vec<u8> = [&[0, 4][..], &(0..16).collect::<Vec<_>>()].concat();
        assert_eq!(shown(&uuid).as_deref(), Some("UUID 00010203-0405-0607-0809-0a0b0c0d0e0f"));
        assert_eq!(shown(b"\0\x09x").as_deref(), Some("type 9 78"));
    }

    #[test]
    fn what_is_too_short_or_too_long_is_none() {
        for bytes in [&b""[..], b"\0\x01", b"\0\x01\0\x01\0", b"\0\x02\0\0", &[0; 131]] {
            assert_eq!(text(bytes), None, "{bytes:?}");
        }
    }
}
