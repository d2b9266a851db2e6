//! A request that waits for its response: small, since every polled device has one.

use super::framing::Unit;
use super::pdu::{EXCEPTION, Fields};
use crate::anomaly::At;
use crate::columns::{VALUES_KEPT, Words16};

/// What most requests do not have.
#[derive(Debug, PartialEq, Eq)]
pub struct Rare {
    pub write_address: Option<u16>,
    pub write_quantity: Option<u16>,
    pub sub_function: Option<u16>,
    pub and_mask: Option<u16>,
    pub or_mask: Option<u16>,
    pub written: Vec<u16>,
    pub detail: String,
}

/// A request that waits for its response.
#[derive(Debug)]
pub struct Pending {
    pub at: At,
    pub transaction_id: u16,
    pub unit: u8,
    pub function: u8,
    pub address: Option<u16>,
    pub quantity: Option<u16>,
    written_one: Option<[u16; 1]>,
    pub length: u16,
    pub after_gap: bool,
    /// Its answer may be among bytes that are missing.
    pub answer_may_be_lost: bool,
    rare: Option<Box<Rare>>,
}

impl Pending {
    #[inline]
    pub fn new(unit: &Unit<'_>, at: At, after_gap: bool, fields: Fields<'_>) -> Self {
        let plain = matches!(fields.written, Words16::None)
            && (fields.write_address, fields.write_quantity) == (None, None)
            && fields.sub_function.is_none()
            && fields.and_mask.is_none()
            && fields.detail.is_empty();
        Self {
            at,
            transaction_id: unit.transaction_id,
            unit: unit.unit,
            function: unit.pdu[0],
            address: fields.address,
            quantity: fields.quantity,
            written_one: fields.written_one.map(|value| [value]),
            length: unit.length,
            after_gap,
            answer_may_be_lost: false,
            rare: if plain { None } else { Some(rare(fields)) },
        }
    }

    #[inline]
    pub fn write_address(&self) -> Option<u16> {
        self.rare.as_ref().and_then(|rare| rare.write_address)
    }

    #[inline]
    pub fn write_quantity(&self) -> Option<u16> {
        self.rare.as_ref().and_then(|rare| rare.write_quantity)
    }

    #[inline]
    pub fn sub_function(&self) -> Option<u16> {
        self.rare.as_ref().and_then(|rare| rare.sub_function)
    }

    #[inline]
    pub fn and_mask(&self) -> Option<u16> {
        self.rare.as_ref().and_then(|rare| rare.and_mask)
    }

    #[inline]
    pub fn or_mask(&self) -> Option<u16> {
        self.rare.as_ref().and_then(|rare| rare.or_mask)
    }

    #[inline]
    pub fn detail(&self) -> &str {
        self.rare.as_ref().map_or("", |rare| &rare.detail)
    }

    /// What it writes.
    #[inline]
    pub fn written(&self) -> Words16<'_> {
        match (&self.written_one, &self.rare) {
            (Some(one), _) => Words16::Values(one),
            (None, Some(rare)) => Words16::Values(&rare.written),
            (None, None) => Words16::None,
        }
    }

    /// True where a response, whole in itself, has the counts and echoes of this request (6.1 to 6.18).
    #[inline]
    pub fn is_answered_by(&self, response: &[u8]) -> bool {
        let quantity = self.quantity.unwrap_or(0);
        let echoed = |at: usize| response.get(at..at + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        match response[0] {
            function if function & EXCEPTION != 0 => true,
            1 | 2 => u16::from(response[1]) == quantity.div_ceil(8),
            3 | 4 | 23 => u16::from(response[1]) == quantity.wrapping_mul(2),
            5 | 6 | 22 => echoed(1) == self.address,
            15 | 16 => echoed(1) == self.address && echoed(3) == self.quantity,
            8 => echoed(1) == self.sub_function(),
            _ => true,
        }
    }

    /// True where another request asks the same unit for the same thing: a retry, where there are no identifiers.
    pub fn is_repeated_by(&self, other: &Self) -> bool {
        self.function == other.function
            && (self.address, self.quantity) == (other.address, other.quantity)
            && self.written_one == other.written_one
            && self.rare == other.rare
    }
}

#[cold]
fn rare(fields: Fields<'_>) -> Box<Rare> {
    let mut written = Vec::new();
    fields.written.append_to(&mut written, VALUES_KEPT);
    Box::new(Rare {
        write_address: fields.write_address,
        write_quantity: fields.write_quantity,
        sub_function: fields.sub_function,
        and_mask: fields.and_mask,
        or_mask: fields.or_mask,
        written,
        detail: fields.detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_request_is_small() {
        assert!(size_of::<Option<Pending>>() <= 48, "{}", size_of::<Option<Pending>>());
    }
}
