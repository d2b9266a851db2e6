//! Initial packets of a client: the ClientHello that they carry (RFC 9000, 17.2.2 and 19; RFC 9001, 4).
//!
//! A hello may be larger than a packet, and its parts may come in any order.

use super::IDENTIFIER_LIMIT;
use super::keys::Keys;
use crate::protocol::reading::Fields;

/// Bytes of the hello, and parts of it, that are kept until it is whole.
const HELLO_LIMIT: usize = 16_384;
const PARTS_LIMIT: usize = 64;

/// Frames of one packet that are looked at; padding is none.
const FRAMES_LIMIT: usize = 128;

/// The tag behind the ciphertext.
const TAG: usize = 16;

const CLIENT_HELLO: u8 = 1;

/// What a client's Initial packets have said so far.
#[derive(Default)]
pub struct Hello {
    parts: Vec<(usize, Vec<u8>)>,
    held: usize,
    is_read: bool,
}

impl Hello {
    pub fn held_bytes(&self) -> usize {
        self.held
    }

    /// Takes a client's datagram; the body of the ClientHello when that is whole, once.
    pub fn take(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        if self.is_read {
            return None;
        }
        let frames = opened(datagram)?;
        self.keep_parts(&frames);
        let body = self.whole()?;
        self.is_read = true;
        self.parts = Vec::new();
        self.held = 0;
        Some(body)
    }

    /// The CRYPTO frames of a packet (19.6), among those that an Initial packet may have.
    fn keep_parts(&mut self, frames: &[u8]) -> Option<()> {
        let mut fields = Fields(frames);
        for _ in 0..FRAMES_LIMIT {
            let padding = fields.0.iter().take_while(|byte| **byte == 0).count();
            fields.take(padding)?;
            match fields.u8()? {
                1 => {}
                kind @ (2 | 3) => acknowledgement(kind, &mut fields)?,
                6 => {
                    let offset = usize::try_from(varint(&mut fields)?).ok()?;
                    let length = usize::try_from(varint(&mut fields)?).ok()?;
                    self.keep(offset, fields.take(length)?);
                }
                _ => return None,
            }
        }
        None
    }

    fn keep(&mut self, offset: usize, part: &[u8]) {
        let fits = offset.saturating_add(part.len()) <= HELLO_LIMIT && self.held + part.len() <= HELLO_LIMIT;
        if fits && self.parts.len() < PARTS_LIMIT && !part.is_empty() {
            self.held += part.len();
            self.parts.push((offset, part.to_vec()));
            self.parts.sort_by_key(|(offset, _)| *offset);
        }
    }

    fn whole(&self) -> Option<Vec<u8>> {
        let mut stream: Vec<u8> = Vec::new();
        for (offset, part) in &self.parts {
            let known = stream.len().checked_sub(*offset)?;
            stream.extend(part.get(known..).unwrap_or_default());
        }
        let mut fields = Fields(&stream);
        if fields.u8()? != CLIENT_HELLO {
            return None;
        }
        fields.long_24().map(<[u8]>::to_vec)
    }
}

/// Acknowledged ranges say nothing here (19.3).
fn acknowledgement(kind: u8, fields: &mut Fields<'_>) -> Option<()> {
    varint(fields)?;
    varint(fields)?;
    let ranges = varint(fields)?;
    varint(fields)?;
    // Each takes two bytes or more of the packet.
    for _ in 0..ranges {
        varint(fields)?;
        varint(fields)?;
    }
    for _ in 0..if kind == 3 { 3 } else { 0 } {
        varint(fields)?;
    }
    Some(())
}

/// A number whose first two bits tell its length (16).
fn varint(fields: &mut Fields<'_>) -> Option<u64> {
    let first = fields.u8()?;
    let more = fields.take((1 << (first >> 6)) - 1)?;
    Some(more.iter().fold(u64::from(first & 0x3f), |sum, byte| sum << 8 | u64::from(*byte)))
}

/// The frames of the Initial packet that a datagram begins with.
fn opened(datagram: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Fields(datagram);
    let first = fields.u8()?;
    let version = fields.u32()?;
    let identifier = fields.short().filter(|identifier| identifier.len() <= IDENTIFIER_LIMIT)?;
    fields.short()?;
    if first >> 4 & 3 != super::initial_type(version) {
        return None;
    }
    let token = usize::try_from(varint(&mut fields)?).ok()?;
    fields.take(token)?;
    let length = usize::try_from(varint(&mut fields)?).ok()?;
    let sealed = fields.take(length)?;
    let keys = Keys::of_client(version, identifier)?;
    let mask = keys.header_mask(sealed.get(4..)?.first_chunk()?);
    let number_bytes = usize::from((first ^ mask[0]) & 3) + 1;
    let (number, payload) = sealed.split_at_checked(number_bytes)?;
    let number = number.iter().zip(&mask[1..]).fold(0, |sum, (byte, mask)| sum << 8 | u64::from(byte ^ mask));
    // The first packets of a connection have small numbers: none of their bytes is left out (17.1).
    let sealed = payload.len().checked_sub(TAG).map(|length| &payload[..length])?;
    Some(keys.opened(number, sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        // RFC 9000, A.1.
        for (bytes, number) in [
            (&b"\xc2\x19\x7c\x5e\xff\x14\xe8\x8c"[..], 151_288_809_941_952_652),
            (b"\x9d\x7f\x3e\x7d", 494_878_333),
            (b"\x7b\xbd", 15_293),
            (b"\x25", 37),
        ] {
            assert_eq!(varint(&mut Fields(bytes)), Some(number));
            assert_eq!(varint(&mut Fields(&bytes[..bytes.len() - 1])), None);
        }
    }

    #[test]
    fn parts_come_in_any_order_and_overlap() {
        let message = b"\x01\0\0\x05hello";
        let mut hello = Hello::default();
        hello.keep(6, &message[6..]);
        assert_eq!(hello.whole(), None);
        hello.keep(3, &message[3..7]);
        hello.keep(0, &message[..4]);
        assert_eq!(hello.whole(), Some(b"hello".to_vec()));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut hello = Hello::default();
        for offset in 0..1_000 {
            hello.keep(offset * 1_000, &[7; 1_000]);
        }
        assert!(hello.held_bytes() <= HELLO_LIMIT);
        let mut many = Hello::default();
        (0..1_000).for_each(|offset| many.keep(offset * 2, &[7]));
        assert_eq!(many.parts.len(), PARTS_LIMIT);
    }
}
