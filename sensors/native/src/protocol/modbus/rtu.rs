//! Bytes of one side's stream in; whole RTU units out (Modbus over Serial Line V1.02, 2.5.1): unit, PDU, checksum.
//!
//! RTU ends a unit by silence, which no TCP stream has. Here the function says how long its unit is, and the
//! checksum says whether that was true; where a function has no length of its own, the first length at which the
//! checksum fits is the unit's. Out of step, the first sound unit to be complete that has the shape of a public
//! function is the next. What comes out depends on the bytes alone, never on how they were cut.

use super::framing::{Event, Unit};
use super::pdu;
use crate::protocol::Role;

/// Unit identifier and function.
const HEAD: usize = 2;

/// The checksum behind the PDU.
const CHECKSUM: usize = 2;

/// The shortest unit: a function without data.
const LEAST: usize = HEAD + CHECKSUM;

/// The longest unit: one byte, a PDU of 253, two bytes (2.5.1.1).
const MOST: usize = 256;

/// The checksum's steps for every byte: polynomial 0xA001, lowest bit first (6.2.2).
static STEPS: [u16; 256] = {
    let mut steps = [0u16; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xa001 } else { sum >> 1 };
            bit += 1;
        }
        steps[byte] = sum;
        byte += 1;
    }
    steps
};

fn step(sum: u16, byte: u8) -> u16 {
    sum >> 8 ^ STEPS[usize::from(sum as u8 ^ byte)]
}

/// True where the last two bytes are the checksum of those before: over all of them it is 0.
fn is_sound(bytes: &[u8]) -> bool {
    bytes.iter().fold(0xffff, |sum, byte| step(sum, *byte)) == 0
}

/// How long the unit is that starts here.
#[derive(Debug, PartialEq, Eq)]
enum Length {
    /// It cannot be said yet.
    Open,
    /// No unit starts here.
    None,
    Known(usize),
    /// Its checksum has to tell, from this length on.
    ByChecksum(usize),
}

fn length(bytes: &[u8], from: Role) -> Length {
    let [_, function, body @ ..] = bytes else { return Length::Open };
    // A byte count `at` its place behind the function, with `before` bytes up to what it counts.
    let counted = |at: usize, before: usize| match body.get(at) {
        Some(count) => Length::Known(before + usize::from(*count) + CHECKSUM),
        None => Length::Open,
    };
    let known = match (from, *function) {
        (_, 0) => Length::None,
        (_, pdu::EXCEPTION..) => Length::Known(5),
        (_, 5 | 6) | (Role::Client, 1..=4) | (Role::Server, 11 | 15 | 16) => Length::Known(8),
        (_, 22) => Length::Known(10),
        (Role::Client, 7 | 11 | 12 | 17) => Length::Known(4),
        (Role::Client, 15 | 16) => counted(4, 7),
        (Role::Client, 20 | 21) | (Role::Server, 1..=4 | 12 | 17 | 20 | 21 | 23) => counted(0, 3),
        (Role::Client, 23) => counted(8, 11),
        (Role::Client, 24) => Length::Known(6),
        (Role::Server, 7) => Length::Known(5),
        (Role::Server, 24) => match body {
            [high, low, ..] => Length::Known(4 + usize::from(u16::from_be_bytes([*high, *low])) + CHECKSUM),
            _ => Length::Open,
        },
        (Role::Client, 43) if body.first() == Some(&14) => Length::Known(7),
        (Role::Server, 43) if body.first() == Some(&14) => identification(body),
        (_, 8) => Length::ByChecksum(6),
        _ => Length::ByChecksum(LEAST),
    };
    match known {
        Length::Known(length) if length > MOST => Length::None,
        known => known,
    }
}

/// A device identification has as many objects as it says, each with its length (V1.1b3, 6.21).
fn identification(body: &[u8]) -> Length {
    let [_, _, _, _, _, count, objects @ ..] = body else { return Length::Open };
    let mut rest = objects;
    for _ in 0..*count {
        let [_, length, after @ ..] = rest else { return Length::Open };
        match after.get(usize::from(*length)..) {
            Some(next) => rest = next,
            // Too long is told by the bytes that would be needed, not by those that are there.
            None => return Length::Known(HEAD + body.len() - after.len() + usize::from(*length) + CHECKSUM),
        }
    }
    Length::Known(HEAD + body.len() - rest.len() + CHECKSUM)
}

/// What starts here, as far as the bytes tell.
enum Head {
    Incomplete,
    /// The length is told, the checksum does not fit.
    Unsound,
    Unit(usize),
}

fn head(bytes: &[u8], from: Role) -> Head {
    match length(bytes, from) {
        Length::Open => Head::Incomplete,
        Length::None => Head::Unsound,
        Length::Known(length) => match bytes.get(..length) {
            None => Head::Incomplete,
            Some(unit) if is_sound(unit) => Head::Unit(length),
            Some(_) => Head::Unsound,
        },
        Length::ByChecksum(least) => {
            let mut sum = 0xffff;
            for (at, byte) in bytes.iter().take(MOST).enumerate() {
                sum = step(sum, *byte);
                if sum == 0 && at + 1 >= least {
                    return Head::Unit(at + 1);
                }
            }
            if bytes.len() < MOST { Head::Incomplete } else { Head::Unsound }
        }
    }
}

fn unit(bytes: &[u8]) -> Unit<'_> {
    Unit {
        transaction_id: 0,
        unit: bytes[0],
        pdu: &bytes[1..bytes.len() - CHECKSUM],
        length: bytes.len() as u16,
    }
}

/// True where the bytes are whole units, sound ones; `shaped` where each has to be a public function's, too.
fn are_whole(mut bytes: &[u8], from: Role, shaped: bool) -> bool {
    let any = !bytes.is_empty();
    while !bytes.is_empty() {
        let Head::Unit(length) = head(bytes, from) else { return false };
        if shaped && !pdu::has_shape(unit(&bytes[..length]).pdu, from) {
            return false;
        }
        bytes = &bytes[length..];
    }
    any
}

/// True where the bytes are whole, sound units that all have the shape that `from` would send.
pub fn are_units(bytes: &[u8], from: Role) -> bool {
    // Most payloads of other protocols end here.
    bytes.len() >= LEAST && pdu::is_public(bytes[1] & !pdu::EXCEPTION) && are_whole(bytes, from, true)
}

/// One side's stream.
#[derive(Debug)]
pub struct Framing {
    from: Role,
    /// Bytes of a unit that is not whole yet, or among which the next one is looked for.
    kept: Vec<u8>,
    in_step: bool,
    /// Out of step: how many of the kept bytes were looked through for units that end among them.
    searched: usize,
    /// The next bytes are the first behind a gap.
    behind_gap: bool,
    /// Bytes that no unit was found in, since they were last asked for.
    pub skipped_bytes: u32,
}

impl Framing {
    pub fn new(from: Role) -> Self {
        Self { from, kept: Vec::new(), in_step: true, searched: 0, behind_gap: false, skipped_bytes: 0 }
    }

    /// Bytes are missing, or the stream was joined in its middle: the next unit has to be found.
    pub fn lose_step(&mut self) {
        self.skipped_bytes = self.skipped_bytes.saturating_add(self.kept.len() as u32);
        self.kept = Vec::new();
        self.searched = 0;
        self.in_step = false;
        self.behind_gap = true;
    }

    /// The next bytes start a unit, whatever came before: datagrams do.
    pub fn start_afresh(&mut self) {
        self.skipped_bytes = self.skipped_bytes.saturating_add(self.kept.len() as u32);
        self.kept = Vec::new();
        self.in_step = true;
    }

    /// Takes bytes; `each` is called with all that they complete.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Event<'_>)) {
        if std::mem::take(&mut self.behind_gap) && are_whole(bytes, self.from, false) {
            self.in_step = true;
        }
        // A unit is at most 256 bytes, so only so many have to be put behind the kept ones at once.
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(MOST));
            let mut kept = std::mem::take(&mut self.kept);
            kept.extend_from_slice(now);
            let used = self.read(&kept, &mut each);
            kept.drain(..used);
            self.kept = if kept.is_empty() { Vec::new() } else { kept };
            bytes = later;
        }
    }

    /// Reads what is whole; how many bytes are done with.
    fn read(&mut self, bytes: &[u8], each: &mut impl FnMut(Event<'_>)) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            if !self.in_step {
                match self.search(rest) {
                    Some(start) => {
                        at += start;
                        self.skipped_bytes = self.skipped_bytes.saturating_add(start as u32);
                        self.in_step = true;
                    }
                    None => {
                        // What can still become a unit is kept, from the first place on where one may start.
                        let kept = (0..rest.len()).find(|start| is_open(&rest[*start..], self.from));
                        let done = kept.unwrap_or(rest.len());
                        self.skipped_bytes = self.skipped_bytes.saturating_add(done as u32);
                        self.searched = rest.len() - done;
                        return at + done;
                    }
                }
            }
            match head(&bytes[at..], self.from) {
                Head::Incomplete => return at,
                Head::Unit(length) => {
                    each(Event::Unit(unit(&bytes[at..at + length])));
                    at += length;
                }
                Head::Unsound => {
                    each(Event::Checksum);
                    self.in_step = false;
                    self.searched = 0;
                    self.skipped_bytes = self.skipped_bytes.saturating_add(1);
                    at += 1;
                }
            }
        }
        at
    }

    /// Where the unit starts that is complete first, by its end.
    #[cold]
    fn search(&self, bytes: &[u8]) -> Option<usize> {
        let mut first: Option<(usize, usize)> = None;
        for start in 0..bytes.len() {
            let Some(length) = shaped_length(&bytes[start..], self.from) else { continue };
            let end = start + length;
            if end <= self.searched || first.is_some_and(|(known, _)| known <= end) {
                continue;
            }
            let Some(found) = bytes.get(start..end) else { continue };
            if is_sound(found) && pdu::has_shape(unit(found).pdu, self.from) {
                first = Some((end, start));
            }
        }
        first.map(|(_, start)| start)
    }
}

/// The length of the public function's unit that may start here, where it can be said.
fn shaped_length(bytes: &[u8], from: Role) -> Option<usize> {
    match length(bytes, from) {
        Length::Known(length) => Some(length),
        Length::ByChecksum(_) if bytes[1] == 8 => Some(8),
        _ => None,
    }
}

/// True where more bytes could complete a public function's unit that starts here.
fn is_open(bytes: &[u8], from: Role) -> bool {
    match shaped_length(bytes, from) {
        Some(length) => length > bytes.len(),
        None => length(bytes, from) == Length::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit with its checksum, bit by bit as the standard's figure has it (6.2.2).
    fn sealed(bytes: &[u8]) -> Vec<u8> {
        let mut sum = 0xffffu16;
        for byte in bytes {
            sum ^= u16::from(*byte);
            for _ in 0..8 {
                let carry = sum & 1;
                sum >>= 1;
                if carry == 1 {
                    sum ^= 0xa001;
                }
            }
        }
        [bytes, &sum.to_le_bytes()].concat()
    }

    fn units(from: Role, pieces: &[&[u8]]) -> Vec<String> {
        let mut framing = Framing::new(from);
        let mut seen = Vec::new();
        for piece in pieces {
            framing.feed(piece, |event| {
                seen.push(match event {
                    Event::Unit(unit) => format!("{} {:?}", unit.unit, unit.pdu),
                    other => format!("{other:?}"),
                });
            });
        }
        seen
    }

    #[test]
    fn the_standards_own_example_is_sound() {
        // 6.2.2: slave 02, function 07 has the checksum 0x1241, sent low byte first.
        assert!(is_sound(&[0x02, 0x07, 0x41, 0x12]));
        assert!(!is_sound(&[0x02, 0x07, 0x12, 0x41]));
    }

    #[test]
    fn every_function_has_its_length_both_ways() {
        let asked: [&[u8]; 14] = [
            &[1, 3, 0, 0, 0, 2],
            &[1, 5, 0, 0, 0xff, 0],
            &[1, 7],
            &[1, 8, 0, 0, 0xa5, 0x37],
            &[1, 8, 0, 0, 1, 2, 3, 4],
            &[1, 15, 0, 1, 0, 3, 1, 5],
            &[1, 16, 0, 1, 0, 1, 2, 0, 9],
            &[1, 20, 7, 6, 0, 4, 0, 1, 0, 2],
            &[1, 22, 0, 4, 0, 0xf2, 0, 0x25],
            &[1, 23, 0, 3, 0, 2, 0, 14, 0, 1, 2, 0, 255],
            &[1, 24, 4, 0xde],
            &[1, 43, 14, 1, 0],
            &[1, 43, 13, 1, 2, 3],
            &[1, 90, 0, 1, 2],
        ];
        let answered: [&[u8]; 12] = [
            &[1, 3, 4, 0, 1, 0, 2],
            &[1, 5, 0, 0, 0xff, 0],
            &[1, 7, 0x6d],
            &[1, 11, 0, 0, 0, 1],
            &[1, 12, 8, 0, 0, 1, 8, 1, 0x21, 0x20, 0],
            &[1, 16, 0, 1, 0, 1],
            &[1, 17, 2, 9, 0xff],
            &[1, 20, 6, 5, 6, 0x0d, 0xfe, 0, 0x20],
            &[1, 24, 0, 4, 0, 1, 1, 0xb8],
            &[1, 43, 14, 1, 1, 0, 0, 2, 0, 1, 65, 1, 2, 66, 67],
            &[1, 0x83, 2],
            &[1, 90, 0, 0xfe],
        ];
        for (from, pdus) in [(Role::Client, &asked[..]), (Role::Server, &answered[..])] {
            let stream: Vec<u8> = pdus.iter().flat_map(|bytes| sealed(bytes)).collect();
            let expected: Vec<_> =
                pdus.iter().map(|bytes| format!("{} {:?}", bytes[0], &bytes[1..])).collect();
            assert_eq!(units(from, &[&stream]), expected);
            let single: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(units(from, &single), expected);
        }
    }

    #[test]
    fn a_broken_unit_is_told_once_and_the_next_one_is_found() {
        let mut broken = sealed(&[1, 3, 0, 0, 0, 2]);
        broken[5] ^= 1;
        let stream = [broken, sealed(&[1, 3, 0, 7, 0, 1])].concat();
        assert_eq!(units(Role::Client, &[&stream]), ["Checksum", "1 [3, 0, 7, 0, 1]"]);
    }

    #[test]
    fn units_are_recognised_and_a_wrong_checksum_is_not() {
        let sound = sealed(&[1, 3, 0, 0, 0, 2]);
        assert!(are_units(&sound, Role::Client));
        assert!(!are_units(&sound, Role::Server));
        let mut broken = sound.clone();
        broken[7] ^= 1;
        assert!(!are_units(&broken, Role::Client));
        assert!(!are_units(&sound[..7], Role::Client));
    }
}
