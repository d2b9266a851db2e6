//! Bytes of one side's stream in; whole messages out.
//!
//! What comes out depends on the bytes alone, never on how they were cut into segments. A header that cannot be one
//! puts the stream out of step; it is in step again at the next plausible header.

use std::cell::Cell;

use super::MESSAGE_KEPT;

/// What the bytes at a place say, judged by a protocol in constant time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// More bytes are needed to tell.
    Incomplete,
    /// No header of this protocol.
    Wrong,
    /// A message of so many bytes, with its header.
    Message(usize),
}

/// Judges the bytes at a place; `in_step` where a message has to begin there.
pub type Judge = fn(bytes: &[u8], in_step: bool) -> Head;

/// One message: the first of its bytes, and how many it has.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub bytes: &'a [u8],
    pub length: usize,
}

impl Message<'_> {
    /// Bytes at its end were not kept.
    pub fn is_cut(&self) -> bool {
        self.bytes.len() < self.length
    }
}

/// What the reader comes to.
#[derive(Debug)]
pub enum Event<'a> {
    Message(Message<'a>),
    /// The stream was in step and what follows is no header.
    LostStep,
}

/// One side's stream.
#[derive(Debug)]
pub struct Framing {
    judge: Judge,
    /// Bytes of a header, or of a message, that is not whole yet.
    kept: Vec<u8>,
    /// Length of the message that is being read, and how many of its bytes were seen; 0 between messages.
    length: usize,
    seen: usize,
    in_step: bool,
    /// Kept bytes that are booked in the room of all flows.
    booked: u64,
}

impl Framing {
    pub fn new(judge: Judge) -> Self {
        Self { judge, kept: Vec::new(), length: 0, seen: 0, in_step: true, booked: 0 }
    }

    /// Bytes are missing, or the stream was joined in its middle: the next header has to be found.
    pub fn lose_step(&mut self) {
        self.kept = Vec::new();
        (self.length, self.seen, self.in_step) = (0, 0, false);
    }

    /// Bytes that it keeps, as far as they are booked; what it keeps now takes their place.
    pub fn book(&mut self) -> (u64, u64) {
        let now = self.kept.len() as u64;
        (std::mem::replace(&mut self.booked, now), now)
    }

    /// Takes bytes; `each` is called with all that they complete, and tells what is free then. At most `free` bytes more
    /// may be kept: messages that lose bytes for want of them are counted in `cut`.
    pub fn feed(&mut self, bytes: &[u8], free: u64, cut: &mut u64, mut each: impl FnMut(Event<'_>) -> u64) {
        let booked = self.booked;
        let free = Cell::new(free);
        let mut each = |event: Event<'_>| free.set(each(event));
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = if self.length > 0 {
                let most = usize::try_from(free.get().saturating_add(booked)).unwrap_or(usize::MAX);
                self.go_on(rest, most, cut, &mut each)
            } else if self.kept.is_empty() {
                self.begin(rest, &mut each)
            } else {
                self.begin_kept(rest, &mut each)
            };
        }
    }

    /// Reads on in a message that began earlier.
    fn go_on<'a>(
        &mut self,
        bytes: &'a [u8],
        most: usize,
        cut: &mut u64,
        each: &mut impl FnMut(Event<'_>),
    ) -> &'a [u8] {
        let (part, rest) = bytes.split_at((self.length - self.seen).min(bytes.len()));
        // Only what stands without a hole before it may be kept.
        if self.kept.len() == self.seen {
            let wanted = part.len().min(MESSAGE_KEPT.saturating_sub(self.kept.len()));
            let kept = wanted.min(most.saturating_sub(self.kept.len()));
            *cut += u64::from(kept < wanted);
            self.kept.extend_from_slice(&part[..kept]);
        }
        self.seen += part.len();
        if self.seen == self.length {
            let kept = std::mem::take(&mut self.kept);
            each(Event::Message(Message { bytes: &kept, length: self.length }));
            (self.length, self.seen) = (0, 0);
        }
        rest
    }

    /// Looks at a place where a message has to begin, or may.
    fn begin<'a>(&mut self, bytes: &'a [u8], each: &mut impl FnMut(Event<'_>)) -> &'a [u8] {
        match (self.judge)(bytes, self.in_step) {
            Head::Message(length) if length > 0 && length <= bytes.len() => {
                self.in_step = true;
                let (message, rest) = bytes.split_at(length);
                let kept = &message[..length.min(MESSAGE_KEPT)];
                each(Event::Message(Message { bytes: kept, length }));
                rest
            }
            Head::Message(length) if length > 0 => {
                self.in_step = true;
                self.length = length;
                bytes
            }
            Head::Incomplete => {
                self.kept.extend_from_slice(bytes);
                &[]
            }
            Head::Message(_) | Head::Wrong => {
                if std::mem::replace(&mut self.in_step, false) {
                    each(Event::LostStep);
                }
                &bytes[1..]
            }
        }
    }

    /// The same where the header's first bytes came earlier: a header is short, so this is done byte by byte.
    fn begin_kept<'a>(&mut self, bytes: &'a [u8], each: &mut impl FnMut(Event<'_>)) -> &'a [u8] {
        let [first, rest @ ..] = bytes else { return bytes };
        self.kept.push(*first);
        while !self.kept.is_empty() {
            match (self.judge)(&self.kept, self.in_step) {
                Head::Incomplete => break,
                Head::Message(length) if length >= self.kept.len() => {
                    self.in_step = true;
                    self.seen = self.kept.len();
                    self.length = length;
                    if self.seen == self.length {
                        let kept = std::mem::take(&mut self.kept);
                        each(Event::Message(Message { bytes: &kept, length }));
                        (self.length, self.seen) = (0, 0);
                    }
                    break;
                }
                Head::Message(_) | Head::Wrong => {
                    if std::mem::replace(&mut self.in_step, false) {
                        each(Event::LostStep);
                    }
                    self.kept.remove(0);
                }
            }
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `!`, then the whole length.
    fn judge(bytes: &[u8], _in_step: bool) -> Head {
        match bytes {
            [b'!'] => Head::Incomplete,
            [b'!', length, ..] if *length >= 2 => Head::Message(usize::from(*length)),
            _ => Head::Wrong,
        }
    }

    fn told(pieces: &[&[u8]], limit: u64) -> (Vec<String>, u64) {
        let mut framing = Framing::new(judge);
        let mut cut = 0;
        let mut kept = 0;
        let mut seen = Vec::new();
        for piece in pieces {
            framing.feed(piece, limit - kept, &mut cut, |event| {
                seen.push(match event {
                    Event::Message(message) => format!("{:?} of {}", message.bytes, message.length),
                    Event::LostStep => "lost".into(),
                });
                limit - kept
            });
            let (before, now) = framing.book();
            kept = kept - before + now;
        }
        framing.lose_step();
        let (before, now) = framing.book();
        assert_eq!(kept - before + now, 0);
        (seen, cut)
    }

    #[test]
    fn any_split_gives_the_same_messages_and_noise_is_skipped() {
        let stream = b"!\x03a!\x02xy!\x04bc!\x02";
        let whole = told(&[stream], 1_000);
        assert_eq!(whole.0.len(), 5, "{whole:?}");
        for at in 0..stream.len() {
            assert_eq!(told(&[&stream[..at], &stream[at..]], 1_000), whole);
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(told(&bytes, 1_000), whole);
    }

    #[test]
    fn without_room_a_message_loses_its_end_and_is_counted() {
        let (seen, cut) = told(&[b"!\x08ab", b"cd", b"ef", b"!\x02"], 5);
        assert_eq!(seen, ["[33, 8, 97, 98, 99] of 8", "[33, 2] of 2"]);
        assert_eq!(cut, 1);
    }

    #[test]
    fn room_that_a_message_took_is_not_used_again() {
        let mut framing = Framing::new(judge);
        let mut cut = 0;
        // The first message leaves room for one byte more.
        framing.feed(b"!\x03a!\x08abcd", 100, &mut cut, |_| 1);
        assert_eq!((framing.book(), cut), ((0, 1), 1));
    }
}
