//! Text that cannot grow: everything a row says of a message goes through here.

use std::fmt;

/// Characters of one node, value or name.
pub const TEXT_LIMIT: usize = 256;

/// Characters of a detail.
pub const DETAIL_LIMIT: usize = 512;

/// Entries of one list.
pub const LIST_LIMIT: usize = 64;

/// Bytes of all entries of one list.
const LIST_BYTES: usize = 8_192;

/// One text with a limit. Control characters become spaces: a terminal would act on them.
#[derive(Clone, Debug)]
pub struct Text {
    text: String,
    room: usize,
}

impl Text {
    /// At most `limit` characters, and a mark where there were more.
    pub fn new(limit: usize) -> Self {
        Self { text: String::new(), room: limit }
    }

    /// Takes nothing: what is written to it is only walked over.
    pub fn nowhere() -> Self {
        Self::new(0)
    }

    /// What is written from here on is lost.
    pub fn is_full(&self) -> bool {
        self.room == 0
    }

    pub fn push(&mut self, text: &str) {
        for character in text.chars() {
            match self.room {
                0 => return,
                1 => self.text.push('…'),
                _ if character.is_control() => self.text.push(' '),
                _ => self.text.push(character),
            }
            self.room -= 1;
        }
    }

    /// Bytes that should be UTF-8; what is not is marked.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        // No character has more than four bytes, so no more can be needed.
        let enough = bytes.len().min(self.room.saturating_mul(4));
        for chunk in bytes[..enough].utf8_chunks() {
            self.push(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.push("\u{fffd}");
            }
        }
    }

    /// Starts another part of a list in prose.
    pub fn separate(&mut self, separator: &str) {
        if !self.text.is_empty() {
            self.push(separator);
        }
    }

    pub fn into_string(self) -> String {
        self.text
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Write for Text {
    /// Fails where the text is full, so that formatting stops there.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        if self.room == 0 { Err(fmt::Error) } else { Ok(()) }
    }
}

/// A text of bytes.
pub fn text_of(bytes: &[u8], limit: usize) -> String {
    let mut text = Text::new(limit);
    text.push_bytes(bytes);
    text.into_string()
}

/// A list of texts with limits of its own.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    items: Vec<String>,
    bytes: usize,
}

impl Texts {
    /// A text for the next entry; one that takes nothing where the list is full.
    pub fn entry(&self) -> Text {
        if self.has_room() { Text::new(TEXT_LIMIT) } else { Text::nowhere() }
    }

    pub fn has_room(&self) -> bool {
        self.items.len() < LIST_LIMIT && self.bytes < LIST_BYTES
    }

    /// Appends an entry, while there is room.
    pub fn push(&mut self, entry: Text) {
        self.push_string(entry.into_string());
    }

    pub fn push_string(&mut self, entry: String) {
        if self.has_room() {
            self.bytes += entry.len();
            self.items.push(entry);
        }
    }

    pub fn items(&self) -> &[String] {
        &self.items
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What it costs to keep.
    pub fn size(&self) -> usize {
        self.bytes + self.items.len() * size_of::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn a_text_ends_with_a_mark_where_it_was_cut() {
        let mut text = Text::new(4);
        text.push("abcdef");
        assert_eq!(text.as_str(), "abc…");
        assert!(write!(text, "more").is_err());
        assert_eq!(text.into_string(), "abc…");
    }

    #[test]
    fn broken_bytes_and_control_characters_do_no_harm() {
        assert_eq!(text_of(b"a\x1bb\xff\xc3\xa4", 16), "a b\u{fffd}\u{e4}");
    }

    #[test]
    fn a_list_takes_so_many_and_no_more() {
        let mut list = Texts::default();
        for _ in 0..1_000 {
            list.push_string("x".repeat(100));
        }
        assert_eq!(list.items().len(), LIST_LIMIT);
        let mut long = Texts::default();
        for _ in 0..1_000 {
            long.push_string("x".repeat(1_000));
        }
        assert_eq!(long.items().len(), 9);
    }
}
