//! Chunks of one side in; whole messages out (OPC 10000-6, 6.7.2 and 6.7.3).

use std::borrow::Cow;

use super::framing::Part;

/// Messages of one side whose chunks may be mixed; stacks send one after the other.
const OPEN_LIMIT: usize = 8;

/// One chunk of a message, without header, sequence header and signature.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// None where it is encrypted: the chunks between two messages' ends are one message then.
    pub request_id: Option<u32>,
    pub part: Part,
    pub bytes: &'a [u8],
    /// All of it on the wire.
    pub size: u32,
    /// Not all of its bytes are there.
    pub cut: bool,
    pub behind_gap: bool,
}

/// A message, whole, or as much of it as is kept.
#[derive(Debug)]
pub struct Whole<'a> {
    pub request_id: Option<u32>,
    pub bytes: Cow<'a, [u8]>,
    pub chunks: u32,
    pub size: u64,
    pub cut: bool,
    pub aborted: bool,
    /// The bytes are those of the abort.
    pub behind_gap: bool,
}

#[derive(Debug)]
struct Partial {
    request_id: Option<u32>,
    bytes: Vec<u8>,
    chunks: u32,
    size: u64,
    cut: bool,
    behind_gap: bool,
}

/// What became of a chunk.
#[derive(Debug)]
pub enum Taken<'a> {
    Whole(Whole<'a>),
    Kept,
    /// The message has more bytes or chunks than are kept; said once a message.
    OverLimit,
    /// Too many messages are open: the oldest was given up.
    Crowded,
}

/// The messages of one side that are not whole yet.
#[derive(Debug, Default)]
pub struct Assembly {
    open: Vec<Partial>,
}

impl Assembly {
    /// A gap: what is open will not be whole any more.
    pub fn clear(&mut self) {
        self.open.clear();
    }

    pub fn held(&self) -> usize {
        self.open.iter().map(|partial| partial.bytes.capacity() + size_of::<Partial>()).sum()
    }

    /// A message with this identifier has begun.
    pub fn has_begun(&self, request_id: Option<u32>) -> bool {
        self.open.iter().any(|partial| partial.request_id == request_id)
    }

    /// Keeps no more of what is open.
    pub fn cut(&mut self) {
        for partial in &mut self.open {
            partial.cut = true;
            partial.bytes = Vec::new();
        }
    }

    /// Takes a chunk; a message is kept up to `most_bytes` and `most_chunks`.
    pub fn take<'a>(&mut self, chunk: Chunk<'a>, most_bytes: usize, most_chunks: u64) -> Taken<'a> {
        let place = self.open.iter().position(|partial| partial.request_id == chunk.request_id);
        if chunk.part == Part::Continued {
            return self.keep(place, chunk, most_bytes, most_chunks);
        }
        let aborted = chunk.part == Part::Aborted;
        let whole = match place.map(|place| self.open.remove(place)) {
            None => Whole {
                request_id: chunk.request_id,
                bytes: Cow::Borrowed(chunk.bytes),
                chunks: 1,
                size: u64::from(chunk.size),
                cut: chunk.cut,
                aborted,
                behind_gap: chunk.behind_gap,
            },
            Some(mut partial) => {
                let over = partial.add(&chunk, most_bytes, most_chunks);
                Whole {
                    request_id: partial.request_id,
                    bytes: if aborted { Cow::Borrowed(chunk.bytes) } else { Cow::Owned(partial.bytes) },
                    chunks: partial.chunks,
                    size: partial.size,
                    cut: partial.cut || over,
                    aborted,
                    behind_gap: partial.behind_gap,
                }
            }
        };
        Taken::Whole(whole)
    }

    fn keep(
        &mut self,
        place: Option<usize>,
        chunk: Chunk<'_>,
        most_bytes: usize,
        most_chunks: u64,
    ) -> Taken<'static> {
        let mut crowded = false;
        let place = match place {
            Some(place) => place,
            None => {
                if self.open.len() >= OPEN_LIMIT {
                    self.open.remove(0);
                    crowded = true;
                }
                self.open.push(Partial {
                    request_id: chunk.request_id,
                    bytes: Vec::new(),
                    chunks: 0,
                    size: 0,
                    cut: false,
                    behind_gap: false,
                });
                self.open.len() - 1
            }
        };
        let over = self.open[place].add(&chunk, most_bytes, most_chunks);
        match (crowded, over) {
            (true, _) => Taken::Crowded,
            (false, true) => Taken::OverLimit,
            (false, false) => Taken::Kept,
        }
    }
}

impl Partial {
    /// Appends a chunk; true where this is the first that has no room.
    fn add(&mut self, chunk: &Chunk<'_>, most_bytes: usize, most_chunks: u64) -> bool {
        self.chunks = self.chunks.saturating_add(1);
        self.size = self.size.saturating_add(u64::from(chunk.size));
        self.behind_gap |= chunk.behind_gap;
        if chunk.part == Part::Aborted || self.cut {
            return false;
        }
        let room = most_bytes.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&chunk.bytes[..chunk.bytes.len().min(room)]);
        self.cut = chunk.cut || chunk.bytes.len() > room || u64::from(self.chunks) > most_chunks;
        self.cut && !chunk.cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(request_id: u32, part: Part, bytes: &[u8]) -> Chunk<'_> {
        let size = bytes.len() as u32;
        Chunk { request_id: Some(request_id), part, bytes, size, cut: false, behind_gap: false }
    }

    fn whole(taken: Taken<'_>) -> (Vec<u8>, u32, bool) {
        let Taken::Whole(whole) = taken else { panic!("{taken:?}") };
        (whole.bytes.into_owned(), whole.chunks, whole.cut)
    }

    #[test]
    fn mixed_chunks_find_their_messages() {
        let mut assembly = Assembly::default();
        assert!(matches!(assembly.take(chunk(1, Part::Continued, b"a"), 9, 9), Taken::Kept));
        assert!(matches!(assembly.take(chunk(2, Part::Continued, b"x"), 9, 9), Taken::Kept));
        assert_eq!(whole(assembly.take(chunk(1, Part::Final, b"b"), 9, 9)), (b"ab".to_vec(), 2, false));
        assert_eq!(whole(assembly.take(chunk(3, Part::Final, b"z"), 9, 9)), (b"z".to_vec(), 1, false));
        assert_eq!(whole(assembly.take(chunk(2, Part::Final, b"y"), 9, 9)), (b"xy".to_vec(), 2, false));
        assert_eq!(assembly.held(), 0);
    }

    #[test]
    fn over_a_limit_the_rest_is_counted_only() {
        let mut assembly = Assembly::default();
        assembly.take(chunk(1, Part::Continued, b"abc"), 4, 9);
        assert!(matches!(assembly.take(chunk(1, Part::Continued, b"def"), 4, 9), Taken::OverLimit));
        assert!(matches!(assembly.take(chunk(1, Part::Continued, b"ghi"), 4, 9), Taken::Kept));
        assert_eq!(whole(assembly.take(chunk(1, Part::Final, b"j"), 4, 9)), (b"abcd".to_vec(), 4, true));
        assembly.take(chunk(2, Part::Continued, b"a"), 9, 1);
        assert!(matches!(assembly.take(chunk(2, Part::Continued, b"b"), 9, 1), Taken::OverLimit));
    }

    #[test]
    fn an_abort_has_its_own_bytes() {
        let mut assembly = Assembly::default();
        assembly.take(chunk(1, Part::Continued, b"data"), 9, 9);
        let Taken::Whole(aborted) = assembly.take(chunk(1, Part::Aborted, b"why"), 9, 9) else { panic!() };
        assert!(aborted.aborted);
        assert_eq!((&*aborted.bytes, aborted.chunks), (&b"why"[..], 2));
    }

    #[test]
    fn open_messages_are_bounded() {
        let mut assembly = Assembly::default();
        for number in 0..OPEN_LIMIT as u32 {
            assembly.take(chunk(number, Part::Continued, b"a"), 9, 9);
        }
        assert!(matches!(assembly.take(chunk(99, Part::Continued, b"a"), 9, 9), Taken::Crowded));
        assert!(!assembly.has_begun(Some(0)) && assembly.has_begun(Some(1)));
    }
}
