//! Bytes of the wire as bounded text.

use std::fmt::Write as _;

/// Bytes that are shown as hex.
const HEX_BYTES: usize = 32;

/// Characters of one text column.
pub const TEXT_LIMIT: usize = 256;

/// Up to 32 bytes as hex; more are told by their number.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().min(HEX_BYTES) * 2);
    for byte in bytes.iter().take(HEX_BYTES) {
        let _ = write!(text, "{byte:02x}");
    }
    if bytes.len() > HEX_BYTES {
        let _ = write!(text, "… ({} bytes)", bytes.len());
    }
    text
}

/// Bytes as text: what no line of text has is escaped; padding of zeros and spaces at the end is left out.
pub fn printable(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(TEXT_LIMIT)];
    let end = bytes.iter().rposition(|byte| !matches!(byte, 0 | b' ')).map_or(0, |last| last + 1);
    let mut text = String::new();
    for chunk in bytes[..end].utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                _ if character.is_control() => {
                    let _ = write!(text, "\\x{:02x}", u32::from(character));
                }
                _ => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// At most 256 bytes of a text; where it was longer, it ends with an ellipsis.
pub fn shortened(text: &mut String) {
    if text.len() <= TEXT_LIMIT {
        return;
    }
    let mut end = TEXT_LIMIT - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push('…');
}

/// Items with commas between, as many as a column has room for.
#[derive(Debug, Default)]
pub struct Listed(String);

impl Listed {
    /// Appends an item; false where there is no room for another one.
    pub fn push(&mut self, item: &str) -> bool {
        if self.is_full() {
            return false;
        }
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        self.0.push_str(item);
        !self.is_full()
    }

    pub fn is_full(&self) -> bool {
        self.0.len() > TEXT_LIMIT
    }

    pub fn into_text(mut self) -> String {
        shortened(&mut self.0);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_line_without_its_padding() {
        assert_eq!(printable(b"PLC 1\0\0  "), "PLC 1");
        assert_eq!(printable(b"a\nb\xff\\"), "a\\x0ab\\xff\\\\");
        assert_eq!(printable("Größe".as_bytes()), "Größe");
        assert_eq!(printable(b"\0\0"), "");
    }

    #[test]
    fn lists_and_long_texts_are_bounded() {
        let mut list = Listed::default();
        while list.push("äöü äöü äöü") {}
        let text = list.into_text();
        assert!(text.len() <= TEXT_LIMIT && text.ends_with('…'), "{text}");
        assert!(hex(&[7; 1000]).ends_with("… (1000 bytes)"));
    }
}
