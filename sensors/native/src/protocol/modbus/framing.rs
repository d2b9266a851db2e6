//! Bytes of one side's stream in; whole application data units out (Messaging on TCP/IP V1.0b, 3.1.3).
//!
//! What comes out depends on the bytes alone, never on how they were cut into segments. A header that cannot be
//! one puts the stream out of step; it is in step again at the next byte where a whole unit has the shape of a
//! public function.

use crate::protocol::Role;

use super::pdu;

/// Transaction, protocol, length and unit identifier.
pub const HEADER: usize = 7;

/// The length field counts the unit identifier and a PDU of 1 to 253 bytes.
const LEAST_LENGTH: usize = 2;
const MOST_LENGTH: usize = 254;

/// What the length field does not count.
const PREFIX: usize = 6;

/// One application data unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit<'a> {
    pub transaction_id: u16,
    pub unit: u8,
    /// Function code and data; never empty.
    pub pdu: &'a [u8],
    /// Length with all that surrounds the PDU.
    pub length: u16,
}

/// What the reader comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Unit(Unit<'a>),
    /// A header with a protocol identifier other than 0.
    ProtocolId(u16),
    /// A header with a length that no unit has.
    Length(u16),
    /// An RTU unit whose checksum does not fit.
    Checksum,
}

/// What a header says before its unit is whole.
enum Head {
    Incomplete,
    ProtocolId(u16),
    Length(u16),
    /// The whole unit's length.
    Unit(usize),
}

#[inline]
fn head(bytes: &[u8]) -> Head {
    if bytes.len() < PREFIX {
        return Head::Incomplete;
    }
    let protocol = u16::from_be_bytes([bytes[2], bytes[3]]);
    if protocol != 0 {
        return Head::ProtocolId(protocol);
    }
    let length = u16::from_be_bytes([bytes[4], bytes[5]]);
    if !(LEAST_LENGTH..=MOST_LENGTH).contains(&usize::from(length)) {
        return Head::Length(length);
    }
    Head::Unit(PREFIX + usize::from(length))
}

fn unit(bytes: &[u8]) -> Unit<'_> {
    Unit {
        transaction_id: u16::from_be_bytes([bytes[0], bytes[1]]),
        unit: bytes[6],
        pdu: &bytes[HEADER..],
        length: bytes.len() as u16,
    }
}

/// True where the bytes are whole units that all have the shape that `from` would send.
pub fn are_units(mut bytes: &[u8], from: Role) -> bool {
    let mut any = false;
    while !bytes.is_empty() {
        let Head::Unit(length) = head(bytes) else { return false };
        if length > bytes.len() || !pdu::has_shape(unit(&bytes[..length]).pdu, from) {
            return false;
        }
        bytes = &bytes[length..];
        any = true;
    }
    any
}

/// True where headers and lengths alone make the bytes whole units. Behind a gap this is enough, since what comes
/// first there is the start of a segment, and units seldom begin anywhere else.
pub fn are_framed(mut bytes: &[u8]) -> bool {
    let any = !bytes.is_empty();
    while !bytes.is_empty() {
        let Head::Unit(length) = head(bytes) else { return false };
        if length > bytes.len() || bytes[HEADER] == 0 {
            return false;
        }
        bytes = &bytes[length..];
    }
    any
}

/// One side's stream.
#[derive(Debug)]
pub struct Framing {
    /// Bytes of a unit that is not whole yet, or among which the next header is looked for; at least one.
    #[expect(
        clippy::box_collection,
        reason = "most streams keep nothing: a pointer costs every polled flow less than a vector"
    )]
    kept: Option<Box<Vec<u8>>>,
    /// Bytes that no unit was found in, since they were last asked for.
    pub skipped_bytes: u32,
    from: Role,
    in_step: bool,
    /// The next bytes are the first behind a gap.
    behind_gap: bool,
}

impl Framing {
    pub fn new(from: Role) -> Self {
        Self { from, kept: None, in_step: true, behind_gap: false, skipped_bytes: 0 }
    }

    /// Bytes are missing, or the stream was joined in its middle: the next header has to be found.
    pub fn lose_step(&mut self) {
        self.skip_kept();
        self.in_step = false;
        self.behind_gap = true;
    }

    /// The next bytes start a unit, whatever came before: datagrams do.
    pub fn start_afresh(&mut self) {
        self.skip_kept();
        self.in_step = true;
    }

    fn skip_kept(&mut self) {
        let skipped = self.kept.take().map_or(0, |kept| kept.len());
        self.skipped_bytes = self.skipped_bytes.saturating_add(skipped as u32);
    }

    /// Takes bytes; `each` is called with all that they complete.
    #[inline]
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(Event<'_>)) {
        if std::mem::take(&mut self.behind_gap) && are_framed(bytes) {
            self.in_step = true;
        }
        if let Some(kept) = self.kept.take() {
            return self.feed_kept(*kept, bytes, &mut each);
        }
        let used = self.read(bytes, &mut each);
        if used < bytes.len() {
            self.kept = Some(Box::new(bytes[used..].to_vec()));
        }
    }

    /// A unit is at most 260 bytes, so only so many of a segment have to be put behind the kept ones at once.
    fn feed_kept(&mut self, mut kept: Vec<u8>, mut bytes: &[u8], each: &mut impl FnMut(Event<'_>)) {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(PREFIX + MOST_LENGTH));
            kept.extend_from_slice(now);
            bytes = rest;
            let used = self.read(&kept, each);
            kept.drain(..used);
        }
        // An idle flow holds no room for what it has not got.
        self.kept = (!kept.is_empty()).then(|| Box::new(kept));
    }

    /// Reads what is whole; how many bytes are done with.
    #[inline]
    fn read(&mut self, bytes: &[u8], each: &mut impl FnMut(Event<'_>)) -> usize {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            if !self.in_step {
                match self.search(rest) {
                    Some(skipped) if self.in_step => at += skipped,
                    Some(skipped) => return at + skipped,
                    None => return at,
                }
                continue;
            }
            match head(rest) {
                Head::Unit(length) if length <= rest.len() => {
                    each(Event::Unit(unit(&rest[..length])));
                    at += length;
                }
                Head::Incomplete | Head::Unit(_) => return at,
                Head::ProtocolId(protocol) => {
                    each(Event::ProtocolId(protocol));
                    at += self.stumble();
                }
                Head::Length(length) => {
                    each(Event::Length(length));
                    at += self.stumble();
                }
            }
        }
    }

    /// Out of step: the byte that cannot start a header is skipped.
    #[cold]
    fn stumble(&mut self) -> usize {
        self.in_step = false;
        self.skipped_bytes = self.skipped_bytes.saturating_add(1);
        1
    }

    /// Looks for the next whole unit. How many bytes to skip; in step again where it was found.
    #[cold]
    fn search(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            match head(&bytes[at..]) {
                Head::Incomplete => break,
                Head::Unit(length) if at + length > bytes.len() => break,
                Head::Unit(length) if pdu::has_shape(unit(&bytes[at..at + length]).pdu, self.from) => {
                    self.in_step = true;
                    break;
                }
                _ => at += 1,
            }
        }
        self.skipped_bytes = self.skipped_bytes.saturating_add(at as u32);
        (at > 0 || self.in_step).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: [u8; 12] = [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2];

    fn events(framing: &mut Framing, bytes: &[u8]) -> Vec<String> {
        let mut seen = Vec::new();
        framing.feed(bytes, |event| seen.push(format!("{event:?}")));
        seen
    }

    #[test]
    fn several_units_of_one_segment_and_one_of_several() {
        let mut framing = Framing::new(Role::Client);
        let stream = [READ, READ, READ].concat();
        assert_eq!(events(&mut framing, &stream[..30]).len(), 2);
        assert_eq!(events(&mut framing, &stream[30..]).len(), 1);
    }

    #[test]
    fn a_foreign_header_is_told_and_the_next_unit_is_found() {
        let mut framing = Framing::new(Role::Client);
        let stream = [&[0, 1, 7, 7, 0, 6][..], &READ].concat();
        let seen = events(&mut framing, &stream);
        assert_eq!(seen[0], "ProtocolId(1799)");
        assert!(seen[1].starts_with("Unit("), "{seen:?}");
        assert_eq!(framing.skipped_bytes, 6);
    }

    #[test]
    fn a_stream_joined_inside_a_unit_is_in_step_at_the_next() {
        let mut framing = Framing::new(Role::Client);
        framing.lose_step();
        let stream = [&READ[5..], &READ].concat();
        assert_eq!(events(&mut framing, &stream).len(), 1);
    }

    #[test]
    fn behind_a_gap_a_whole_unit_of_any_shape_is_in_step() {
        let mut framing = Framing::new(Role::Client);
        framing.lose_step();
        assert_eq!(events(&mut framing, &[0, 16, 0, 0, 0, 3, 8, 20, 0]).len(), 1);
        framing.lose_step();
        assert_eq!(events(&mut framing, &[0, 16, 0, 0, 0, 4, 8, 20, 0]).len(), 0);
    }

    #[test]
    fn lengths_that_no_unit_has_are_told() {
        for length in [0u16, 1, 255, 65535] {
            let mut unit = READ;
            unit[4..6].copy_from_slice(&length.to_be_bytes());
            let seen = events(&mut Framing::new(Role::Client), &unit);
            assert_eq!(seen[0], format!("Length({length})"));
        }
    }
}
