//! What a payload looks like, from its first bytes: a hint for a reader, never a proof.

use super::words::PayloadKind;

/// Bytes that are looked at.
const LOOKED_AT: usize = 256;

/// The kind of a payload of `length` bytes, of which `kept` are there.
#[inline]
pub fn kind(kept: &[u8], length: u32, is_sparkplug: bool) -> PayloadKind {
    if length == 0 {
        return PayloadKind::Empty;
    }
    if is_sparkplug {
        return PayloadKind::SparkplugB;
    }
    if !is_text(kept) {
        return PayloadKind::Binary;
    }
    let opens = kept.iter().find(|byte| !byte.is_ascii_whitespace());
    let closes = kept.iter().rfind(|byte| !byte.is_ascii_whitespace());
    let closed = |bracket: u8| kept.len() < length as usize || closes == Some(&bracket);
    match opens {
        Some(b'{') if closed(b'}') => PayloadKind::Json,
        Some(b'[') if closed(b']') => PayloadKind::Json,
        _ => PayloadKind::Text,
    }
}

/// True where the first bytes are UTF-8 without control characters but white space.
pub fn is_text(bytes: &[u8]) -> bool {
    let looked_at = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    // Without an early end, so that many bytes are looked at together.
    let control = looked_at.iter().fold(false, |any, byte| any | matches!(byte, 0..=8 | 14..=31 | 127));
    if looked_at.is_empty() || control {
        return false;
    }
    match std::str::from_utf8(looked_at) {
        Ok(_) => true,
        // Only the cut went through a character.
        Err(error) => error.error_len().is_none() && looked_at.len() == LOOKED_AT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_named_by_what_it_looks_like() {
        for (bytes, expected) in [
            (&b""[..], PayloadKind::Empty),
            (b" {\"a\": 1}\n", PayloadKind::Json),
            (b"[1, 2]", PayloadKind::Json),
            (b"{1, 2]", PayloadKind::Text),
            (b"23.5", PayloadKind::Text),
            ("Öl".as_bytes(), PayloadKind::Text),
            (b"\xff\xd8\xff\xe0", PayloadKind::Binary),
            (b"a\0", PayloadKind::Binary),
        ] {
            assert_eq!(kind(bytes, bytes.len() as u32, false), expected, "{bytes:?}");
        }
        assert_eq!(kind(b"{\"a\": [1, 2", 5_000, false), PayloadKind::Json);
        assert_eq!(kind(b"\x08", 1, true), PayloadKind::SparkplugB);
    }
}
