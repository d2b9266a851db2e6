//! Bytes of one side's stream in; control packets out (MQTT 5.0, 2.1).
//!
//! What comes out depends on the bytes alone, never on how they were cut into segments; only behind a gap the start
//! of a segment is a hint. A packet can be 256 MB long: only its first bytes are kept, the rest is counted.

use super::plausible::{self, Verdict};
use super::words::PacketType;

/// A packet, whole on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub kind: PacketType,
    /// The lower half of the first byte.
    pub flags: u8,
    /// Everything behind the fixed header, or the first bytes of it.
    pub body: &'a [u8],
    /// How long the body is on the wire: the remaining length (2.1.4).
    pub body_bytes: u32,
    /// Length with the fixed header.
    pub wire_bytes: u32,
    /// A gap hides some of the body.
    pub holed: bool,
}

impl Packet<'_> {
    /// True where the body is not there to its end.
    pub fn is_cut(&self) -> bool {
        self.body.len() < self.body_bytes as usize
    }
}

/// What the reader comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Packet(Packet<'a>),
    /// A fixed header that is none.
    Broken(&'static str),
}

/// A fixed header, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub kind: PacketType,
    pub flags: u8,
    pub header_bytes: u8,
    pub body_bytes: u32,
}

/// What the start of a packet says before the packet is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Incomplete,
    Broken(&'static str),
    Head(Head),
}

/// Reads a fixed header and holds its flags and length against its type (2.1.2, 2.1.3).
#[inline]
pub fn start(bytes: &[u8]) -> Start {
    let Some((first, lengths)) = bytes.split_first() else { return Start::Incomplete };
    let Some(kind) = PacketType::of(*first) else { return Start::Broken("packet type 0 (2.1.2)") };
    let flags = first & 0x0f;
    let fits = match kind {
        PacketType::Publish => flags & 0b0110 != 0b0110,
        // 3.1 repeats these with the DUP bit.
        PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => flags & !0b1000 == 0b0010,
        _ => flags == 0,
    };
    if !fits {
        return Start::Broken("flags that the packet type does not have (2.1.3)");
    }
    let mut body_bytes = 0;
    let mut header_bytes = 1;
    for shift in [0, 7, 14, 21] {
        let Some(byte) = lengths.get(usize::from(header_bytes) - 1) else { return Start::Incomplete };
        header_bytes += 1;
        body_bytes |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return match has_length(kind, flags, body_bytes, &bytes[usize::from(header_bytes)..]) {
                Some(true) => Start::Head(Head { kind, flags, header_bytes, body_bytes }),
                Some(false) => Start::Broken("remaining length that the packet type does not have (3)"),
                None => Start::Incomplete,
            };
        }
    }
    Start::Broken("remaining length of more than four bytes (2.1.4)")
}

/// True where a packet of this type can be so long; `None` where only more bytes can tell.
#[inline]
fn has_length(kind: PacketType, flags: u8, length: u32, body: &[u8]) -> Option<bool> {
    use PacketType as P;
    let fits = match kind {
        P::Publish => {
            let behind_topic = if flags & 0b0110 == 0 { 2 } else { 4 };
            if length < behind_topic {
                return Some(false);
            }
            let topic = body.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))?;
            u32::from(topic) + behind_topic <= length
        }
        P::Pingreq | P::Pingresp => length == 0,
        P::Connect => length >= 12,
        P::Connack | P::Puback | P::Pubrec | P::Pubrel | P::Pubcomp | P::Unsuback => length >= 2,
        P::Suback => length >= 3,
        P::Subscribe => length >= 6,
        P::Unsubscribe => length >= 5,
        P::Disconnect | P::Auth => true,
    };
    Some(fits)
}

/// A packet whose end is not there yet.
#[derive(Clone, Copy, Debug)]
struct Unfinished {
    head: Head,
    /// Bytes of the body that have passed.
    passed: u32,
    holed: bool,
}

/// One side's stream.
#[derive(Debug)]
pub struct Framing {
    /// The start of a packet, the kept part of an unfinished one's body, or bytes among which a packet is looked for.
    kept: Vec<u8>,
    unfinished: Option<Unfinished>,
    in_step: bool,
    /// Since a gap no packet was found: the start of a segment may be one.
    behind_gap: bool,
    pub skipped_bytes: u64,
}

impl Default for Framing {
    fn default() -> Self {
        Self { kept: Vec::new(), unfinished: None, in_step: true, behind_gap: false, skipped_bytes: 0 }
    }
}

impl Framing {
    /// Bytes that are kept until there are more.
    pub fn held(&self) -> usize {
        self.kept.capacity()
    }

    /// `length` bytes are missing; 0 where the stream was joined in its middle. A gap inside a packet whose length is
    /// known costs nothing but that packet's payload: true where it is so.
    pub fn gap(&mut self, length: u64) -> bool {
        if let Some(unfinished) = &mut self.unfinished {
            let missing = unfinished.head.body_bytes - unfinished.passed;
            if length > 0 && length < u64::from(missing) {
                unfinished.passed += length as u32;
                unfinished.holed = true;
                return true;
            }
        }
        self.skipped_bytes += self.kept.len() as u64;
        self.kept = Vec::new();
        self.unfinished = None;
        self.in_step = false;
        self.behind_gap = true;
        false
    }

    /// Takes bytes; `each` is called with all that they complete. At most `most` bytes of a body are kept.
    #[inline]
    pub fn feed(&mut self, bytes: &[u8], most: usize, mut each: impl FnMut(Event<'_>)) {
        if self.behind_gap {
            self.behind_gap = !self.in_step;
            if self.behind_gap && plausible::are_packets(bytes) {
                self.skipped_bytes += std::mem::take(&mut self.kept).len() as u64;
                (self.in_step, self.behind_gap) = (true, false);
            }
        }
        if self.kept.is_empty() || self.unfinished.is_some() {
            self.read(bytes, most, &mut each);
        } else {
            // The start of a packet, or of what may be one: a few bytes.
            let mut joined = std::mem::take(&mut self.kept);
            joined.extend_from_slice(bytes);
            self.read(&joined, most, &mut each);
        }
    }

    #[inline]
    fn read(&mut self, mut rest: &[u8], most: usize, each: &mut impl FnMut(Event<'_>)) {
        while !rest.is_empty() {
            if self.unfinished.is_some() {
                rest = self.pass(rest, most, each);
                continue;
            }
            if !self.in_step {
                rest = self.search(rest);
                continue;
            }
            match start(rest) {
                Start::Head(head) => {
                    rest = &rest[usize::from(head.header_bytes)..];
                    if let Some((body, behind)) = rest.split_at_checked(head.body_bytes as usize) {
                        each(Event::Packet(packet(head, body.get(..most).unwrap_or(body), false)));
                        rest = behind;
                    } else {
                        self.unfinished = Some(Unfinished { head, passed: 0, holed: false });
                    }
                }
                Start::Incomplete => {
                    self.kept.extend_from_slice(rest);
                    return;
                }
                Start::Broken(why) => {
                    each(Event::Broken(why));
                    self.in_step = false;
                    self.skipped_bytes += 1;
                    rest = &rest[1..];
                }
            }
        }
    }

    /// Bytes of the body of an unfinished packet pass; what is left behind it.
    fn pass<'a>(&mut self, bytes: &'a [u8], most: usize, each: &mut impl FnMut(Event<'_>)) -> &'a [u8] {
        let Some(unfinished) = &mut self.unfinished else { return bytes };
        let missing = (unfinished.head.body_bytes - unfinished.passed) as usize;
        let (body, rest) = bytes.split_at(missing.min(bytes.len()));
        if !unfinished.holed {
            let room = most.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(body.get(..room).unwrap_or(body));
        }
        unfinished.passed += body.len() as u32;
        if unfinished.passed == unfinished.head.body_bytes {
            let Unfinished { head, holed, .. } = *unfinished;
            self.unfinished = None;
            let kept = std::mem::take(&mut self.kept);
            each(Event::Packet(packet(head, &kept, holed)));
        }
        rest
    }

    /// Out of step: the bytes from where a packet starts; none where there is none, and what may be one is kept.
    #[cold]
    fn search<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let mut rest = bytes;
        loop {
            match plausible::verdict(rest) {
                Verdict::No => {
                    let Some((_, behind)) = rest.split_first() else { break };
                    rest = behind;
                    self.skipped_bytes += 1;
                }
                Verdict::Yes => {
                    self.in_step = true;
                    return rest;
                }
                Verdict::Incomplete => {
                    self.kept.extend_from_slice(rest);
                    break;
                }
            }
        }
        &[]
    }
}

fn packet(head: Head, body: &[u8], holed: bool) -> Packet<'_> {
    Packet {
        kind: head.kind,
        flags: head.flags,
        body,
        body_bytes: head.body_bytes,
        wire_bytes: head.body_bytes.saturating_add(u32::from(head.header_bytes)),
        holed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISH: &[u8] = b"\x30\x08\0\x03a/bxyz";

    fn events(framing: &mut Framing, bytes: &[u8]) -> Vec<String> {
        let mut seen = Vec::new();
        framing.feed(bytes, 6, |event| {
            seen.push(match event {
                Event::Packet(packet) => {
                    format!("{:?} {} {:?} {}", packet.kind, packet.body_bytes, packet.body, packet.holed)
                }
                Event::Broken(why) => why.to_owned(),
            });
        });
        seen
    }

    #[test]
    fn any_split_gives_the_same_packets_and_keeps_as_much_of_them() {
        let stream = [PUBLISH, b"\xc0\0", PUBLISH, b"\x40\x02\0\x01"].concat();
        let whole = events(&mut Framing::default(), &stream);
        assert_eq!(whole.len(), 4);
        assert_eq!(whole[0], "Publish 8 [0, 3, 97, 47, 98, 120] false");
        for at in 0..stream.len() {
            let mut framing = Framing::default();
            let mut seen = events(&mut framing, &stream[..at]);
            seen.extend(events(&mut framing, &stream[at..]));
            assert_eq!(seen, whole, "{at}");
        }
        let mut framing = Framing::default();
        let seen: Vec<_> = stream.iter().flat_map(|byte| events(&mut framing, &[*byte])).collect();
        assert_eq!(seen, whole);
    }

    #[test]
    fn headers_that_are_none_are_told_and_the_next_packet_is_found() {
        for broken in [
            &b"\x00\x02"[..],
            b"\x36\x05",
            b"\x80\x08",
            b"\xc0\x01",
            b"\x30\x04\0\x09",
            b"\x10\xff\xff\xff\xff",
        ] {
            let mut framing = Framing::default();
            let seen = events(&mut framing, &[broken, PUBLISH, PUBLISH].concat());
            assert_eq!(seen.len(), 3, "{broken:?}: {seen:?}");
            assert!(seen[1].starts_with("Publish 8"), "{seen:?}");
            assert_eq!(framing.skipped_bytes, broken.len() as u64);
        }
    }

    #[test]
    fn a_gap_inside_a_long_packet_costs_only_its_payload() {
        let mut framing = Framing::default();
        assert!(events(&mut framing, b"\x30\x10\0\x03a/b12").is_empty());
        assert!(framing.gap(5));
        let seen = events(&mut framing, &[b"8901", PUBLISH].concat());
        assert_eq!(seen[0], "Publish 16 [0, 3, 97, 47, 98, 49] true");
        assert_eq!(seen.len(), 2);
    }

    #[test]
    fn a_gap_longer_than_the_packet_loses_the_step_until_the_next_one() {
        let mut framing = Framing::default();
        events(&mut framing, b"\x30\x10\0\x03a/b12");
        assert!(!framing.gap(50));
        let seen = events(&mut framing, &[b"789", PUBLISH].concat());
        assert_eq!(seen.len(), 1);
    }

    #[test]
    fn behind_a_gap_a_segment_of_whole_packets_is_in_step() {
        let mut framing = Framing::default();
        framing.gap(9);
        assert_eq!(events(&mut framing, b"\x40\x02\0\x01").len(), 1);
    }

    #[test]
    fn so_is_a_later_segment_where_the_first_were_a_payload_s() {
        let mut framing = Framing::default();
        framing.gap(9);
        assert!(events(&mut framing, &[0x55; 40]).is_empty());
        // What may be a packet's start is none: a new segment is a better sign.
        assert!(events(&mut framing, b"\x30\x40\0\x20abc").is_empty());
        assert_eq!(events(&mut framing, b"\xe0\0").len(), 1);
        assert_eq!(framing.skipped_bytes, 47);
    }

    #[test]
    fn of_a_packet_as_long_as_can_be_only_the_first_bytes_are_kept() {
        let mut framing = Framing::default();
        events(&mut framing, b"\x30\xff\xff\xff\x7f\0\x03a/b");
        for _ in 0..100 {
            assert!(events(&mut framing, &[0; 1_000]).is_empty());
        }
        assert!(framing.held() < 64, "{}", framing.held());
    }
}
