//! Modbus protocol data units (Modbus Application Protocol V1.1b3, section 6).
//!
//! Two questions a function: does a PDU have the shape of its request or response, and what does it say. The
//! first decides what Modbus is; the second never fails, it says what is wrong instead.

use super::detail;
use crate::anomaly::AnomalyKind;
use crate::columns::Words16;
use crate::protocol::Role;

/// The exception bit of a response's function code (7).
pub const EXCEPTION: u8 = 0x80;

/// What is wrong with a PDU. Fields hold a reference: the pair itself has padding, which is moved in pieces that overlap,
/// and the processor waits where one such move follows another.
pub type Flaw = (AnomalyKind, &'static str);

/// What a PDU says.
#[derive(Debug)]
pub struct Fields<'a> {
    pub address: Option<u16>,
    pub quantity: Option<u16>,
    pub write_address: Option<u16>,
    pub write_quantity: Option<u16>,
    pub read: Words16<'a>,
    pub written: Words16<'a>,
    /// One written value that is not on the wire as a list.
    pub written_one: Option<u16>,
    pub sub_function: Option<u16>,
    pub and_mask: Option<u16>,
    pub or_mask: Option<u16>,
    pub detail: String,
    pub flaw: Option<&'static Flaw>,
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self {
            address: None,
            quantity: None,
            write_address: None,
            write_quantity: None,
            read: Words16::None,
            written: Words16::None,
            written_one: None,
            sub_function: None,
            and_mask: None,
            or_mask: None,
            detail: String::new(),
            flaw: None,
        }
    }
}

impl Fields<'_> {
    fn flawed(flaw: &'static Flaw) -> Self {
        Self { flaw: Some(flaw), ..Self::default() }
    }
}

/// Registers that a queue may hold (6.18).
const MOST_IN_QUEUE: u16 = 31;

/// The last record of a file (6.14).
const LAST_RECORD: u16 = 9_999;

/// The 19 public functions.
pub fn is_public(function: u8) -> bool {
    matches!(function, 1..=8 | 11 | 12 | 15..=17 | 20..=24 | 43)
}

#[inline]
fn word(pdu: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([pdu[at], pdu[at + 1]])
}

/// The most coils or registers that a request of the function may name (6.1 to 6.17).
fn most(function: u8) -> u16 {
    match function {
        1 | 2 => 2000,
        3 | 4 | 23 => 125,
        15 => 1968,
        16 => 123,
        _ => u16::MAX,
    }
}

/// True where a PDU has the length, counts and bounds of a request of its public function.
#[inline]
pub fn is_request(pdu: &[u8]) -> bool {
    let within = |at: usize, function: u8| (1..=most(function)).contains(&word(pdu, at));
    match *pdu {
        [function @ 1..=4, _, _, _, _] => within(3, function),
        [5, _, _, value, 0] => value == 0 || value == 0xff,
        [6, _, _, _, _] => true,
        [7 | 11 | 12 | 17] => true,
        [8, _, _, ref data @ ..] => data.len() % 2 == 0,
        [15, _, _, _, _, count, ref data @ ..] => {
            within(3, 15) && data.len() == usize::from(count) && u16::from(count) == word(pdu, 3).div_ceil(8)
        }
        [16, _, _, _, _, count, ref data @ ..] => {
            within(3, 16) && data.len() == usize::from(count) && u16::from(count) == word(pdu, 3) * 2
        }
        [20, count @ 7..=245, ref groups @ ..] => {
            groups.len() == usize::from(count)
                && groups.chunks(7).all(|group| group.len() == 7 && group[0] == 6)
        }
        [21, count @ 9..=251, ref groups @ ..] => {
            groups.len() == usize::from(count) && are_written_records(groups)
        }
        [22, _, _, _, _, _, _] => true,
        [23, _, _, _, _, _, _, _, _, count, ref data @ ..] => {
            within(3, 23)
                && (1..=121).contains(&word(pdu, 7))
                && data.len() == usize::from(count)
                && u16::from(count) == word(pdu, 7) * 2
        }
        [24, _, _] => true,
        [43, 14, 1..=4, _] => true,
        [43, 13, _, ..] => true,
        _ => false,
    }
}

/// True where a PDU has the length and counts of a response of its public function, or of an exception.
#[inline]
pub fn is_response(pdu: &[u8]) -> bool {
    match *pdu {
        [1 | 2, count @ 1..=255, ref data @ ..] => data.len() == usize::from(count),
        [3 | 4 | 23, count @ 2..=255, ref data @ ..] => data.len() == usize::from(count) && count % 2 == 0,
        [5, _, _, value, 0] => value == 0 || value == 0xff,
        [6 | 11 | 15 | 16, _, _, _, _] => true,
        [7, _] => true,
        [8, _, _, ref data @ ..] => data.len() % 2 == 0,
        [12, count @ 6..=255, ref data @ ..] => data.len() == usize::from(count),
        [17, count @ 1..=255, ref data @ ..] => data.len() == usize::from(count),
        [20, count @ 2..=245, ref groups @ ..] => {
            groups.len() == usize::from(count) && are_read_records(groups)
        }
        [21, count @ 9..=255, ref groups @ ..] => {
            groups.len() == usize::from(count) && are_written_records(groups)
        }
        [22, _, _, _, _, _, _] => true,
        [24, _, _, _, _, ref data @ ..] => {
            usize::from(word(pdu, 1)) == data.len() + 2
                && usize::from(word(pdu, 3)) * 2 == data.len()
                && word(pdu, 3) <= MOST_IN_QUEUE
        }
        [43, 14, 1..=4, _, _, _, _, ..] => true,
        [43, 13, _, ..] => true,
        [function, code] if function > EXCEPTION => {
            is_public(function ^ EXCEPTION) && matches!(code, 1..=8 | 10 | 11)
        }
        _ => false,
    }
}

/// True where a PDU has the shape that `from` would send.
#[inline]
pub fn has_shape(pdu: &[u8], from: Role) -> bool {
    match from {
        Role::Client => is_request(pdu),
        Role::Server => is_response(pdu),
    }
}

/// Groups of file records that were read: their length, reference type 6, that many bytes less one (6.14).
fn are_read_records(mut groups: &[u8]) -> bool {
    while let [length, kind, rest @ ..] = groups {
        let size = usize::from(*length).saturating_sub(1);
        if *kind != 6 || size % 2 != 0 || *length == 0 {
            return false;
        }
        match rest.get(size..) {
            Some(after) => groups = after,
            None => return false,
        }
    }
    groups.is_empty()
}

/// Groups of a file record write: reference type 6, file, record, length, then that many registers (6.15).
fn are_written_records(mut groups: &[u8]) -> bool {
    while !groups.is_empty() {
        if groups.len() < 7 || groups[0] != 6 {
            return false;
        }
        let size = 7 + usize::from(word(groups, 5)) * 2;
        if size > groups.len() {
            return false;
        }
        groups = &groups[size..];
    }
    true
}

/// Why a request that does not have its function's shape does not.
fn request_flaw(pdu: &[u8]) -> &'static Flaw {
    match (pdu[0], pdu.len()) {
        (0, _) => &(AnomalyKind::IllegalFunction, "function 0 (4.1)"),
        (1..=4, 5) => &(AnomalyKind::IllegalQuantity, "quantity out of bounds (6.1 to 6.4)"),
        (5, 5) => &(AnomalyKind::IllegalValue, "a coil is written with FF00 or 0000 (6.5)"),
        (15, 6..) if word(pdu, 3) == 0 || word(pdu, 3) > most(15) => {
            &(AnomalyKind::IllegalQuantity, "quantity out of bounds (6.11)")
        }
        (16, 6..) if word(pdu, 3) == 0 || word(pdu, 3) > most(16) => {
            &(AnomalyKind::IllegalQuantity, "quantity out of bounds (6.12)")
        }
        (23, 10..) if word(pdu, 3) == 0 || word(pdu, 3) > 125 || word(pdu, 7) == 0 || word(pdu, 7) > 121 => {
            &(AnomalyKind::IllegalQuantity, "quantity out of bounds (6.17)")
        }
        (15 | 16, 6..) | (23, 10..) | (20 | 21, 2..) => &(AnomalyKind::ByteCount, "byte count does not fit"),
        (43, 2..) if !matches!(pdu[1], 13 | 14) => &(AnomalyKind::IllegalValue, "unknown MEI type (6.19)"),
        (43, 4) => &(AnomalyKind::IllegalValue, "unknown device identification code (6.21)"),
        _ => &(AnomalyKind::IllegalLength, "length does not fit the function's request"),
    }
}

/// What a request says.
#[inline]
pub fn request(pdu: &[u8]) -> Fields<'_> {
    let function = pdu[0];
    if function > EXCEPTION {
        let mut fields =
            Fields::flawed(&(AnomalyKind::IllegalFunction, "a request with the exception bit (7)"));
        fields.detail = detail::hex(&pdu[1..]);
        return fields;
    }
    if function != 0 && !is_public(function) {
        // Reserved or user-defined (5.1): kept as bytes, since only its maker knows what they mean.
        return Fields { detail: detail::hex(&pdu[1..]), ..Fields::default() };
    }
    let mut fields = Fields::default();
    if !is_request(pdu) {
        fields.flaw = Some(request_flaw(pdu));
    }
    let both = pdu.len() >= 5;
    match function {
        1..=4 if both => {
            fields.address = Some(word(pdu, 1));
            fields.quantity = Some(word(pdu, 3));
        }
        5 | 6 if both => {
            fields.address = Some(word(pdu, 1));
            fields.quantity = Some(1);
            let value = word(pdu, 3);
            fields.written_one = Some(if function == 5 { u16::from(value == 0xff00) } else { value });
        }
        8 if pdu.len() >= 3 => {
            fields.sub_function = Some(word(pdu, 1));
            fields.detail = detail::hex(&pdu[3..]);
        }
        15 | 16 if both => {
            fields.address = Some(word(pdu, 1));
            fields.quantity = Some(word(pdu, 3));
            let data = pdu.get(6..).unwrap_or_default();
            fields.written =
                if function == 15 { Words16::Bits(data, word(pdu, 3)) } else { Words16::Wire(data) };
        }
        20 | 21 if pdu.len() >= 2 => fields.detail = detail::records(&pdu[2..], function == 21),
        22 if pdu.len() >= 7 => {
            fields.address = Some(word(pdu, 1));
            fields.quantity = Some(1);
            fields.and_mask = Some(word(pdu, 3));
            fields.or_mask = Some(word(pdu, 5));
        }
        23 if pdu.len() >= 9 => {
            fields.address = Some(word(pdu, 1));
            fields.quantity = Some(word(pdu, 3));
            fields.write_address = Some(word(pdu, 5));
            fields.write_quantity = Some(word(pdu, 7));
            fields.written = Words16::Wire(pdu.get(10..).unwrap_or_default());
        }
        24 if pdu.len() >= 3 => fields.address = Some(word(pdu, 1)),
        43 if pdu.len() >= 2 => {
            fields.sub_function = Some(u16::from(pdu[1]));
            fields.detail = detail::device_request(&pdu[1..]);
        }
        _ if fields.flaw.is_some() => fields.detail = detail::hex(&pdu[1..]),
        _ => {}
    }
    if matches!(function, 5 | 6 | 15 | 16 | 22) {
        fields.write_address = fields.address;
        fields.write_quantity = fields.quantity;
    }
    if matches!(function, 8 | 20 | 21) && fields.flaw.is_none() {
        fields.flaw = out_of_bounds(pdu);
    }
    fields
}

/// What has the right shape and still says what no request may: reserved diagnostics, records beyond a file's end.
#[cold]
fn out_of_bounds(pdu: &[u8]) -> Option<&'static Flaw> {
    if pdu[0] == 8 {
        let reserved = matches!(word(pdu, 1), 5..=9 | 19 | 21..);
        return reserved.then_some(&(AnomalyKind::IllegalValue, "reserved sub-function (6.8)"));
    }
    let mut groups = &pdu[2..];
    while groups.len() >= 7 {
        if word(groups, 1) == 0 || word(groups, 3) > LAST_RECORD {
            return Some(&(AnomalyKind::IllegalValue, "file 0, or a record above 9999 (6.14, 6.15)"));
        }
        let registers = if pdu[0] == 21 { usize::from(word(groups, 5)) * 2 } else { 0 };
        groups = groups.get(7 + registers..).unwrap_or_default();
    }
    None
}

/// What a response says; `quantity` is what its request asked for, where that was seen.
#[inline]
pub fn response(pdu: &[u8], quantity: Option<u16>) -> Fields<'_> {
    let function = pdu[0];
    let mut fields = Fields::default();
    if function & EXCEPTION != 0 {
        if pdu.len() != 2 {
            fields.flaw = Some(&(AnomalyKind::IllegalLength, "an exception has 2 bytes (7)"));
        } else if !matches!(pdu[1], 1..=8 | 10 | 11) {
            fields.flaw = Some(&(AnomalyKind::IllegalValue, "unknown exception code (7)"));
        }
        return fields;
    }
    if !is_public(function) {
        if function == 0 {
            fields.flaw = Some(&(AnomalyKind::IllegalFunction, "function 0 (4.1)"));
        }
        fields.detail = detail::hex(&pdu[1..]);
        return fields;
    }
    if !is_response(pdu) {
        fields.flaw =
            Some(&(AnomalyKind::IllegalLength, "length or byte count does not fit the function's response"));
    }
    let data = pdu.get(2..).unwrap_or_default();
    match function {
        1 | 2 => {
            let there = u16::try_from(data.len() * 8).unwrap_or(u16::MAX);
            fields.read = Words16::Bits(data, quantity.unwrap_or(there).min(there));
        }
        3 | 4 | 23 => fields.read = Words16::Wire(data),
        5 | 6 if pdu.len() >= 5 => {
            let value = word(pdu, 3);
            fields.address = Some(word(pdu, 1));
            fields.quantity = Some(1);
            fields.written_one = Some(if function == 5 { u16::from(value == 0xff00) } else { value });
        }
        7 if pdu.len() >= 2 => fields.detail = format!("exception status {:02x}", pdu[1]),
        8 if pdu.len() >= 3 => {
            fields.sub_function = Some(word(pdu, 1));
            fields.detail = detail::hex(&pdu[3..]);
        }
        11 if pdu.len() >= 5 => {
            fields.detail = format!("status {:04x}, {} events", word(pdu, 1), word(pdu, 3));
        }
        12 if pdu.len() >= 8 => {
            let (status, events, messages) = (word(pdu, 2), word(pdu, 4), word(pdu, 6));
            let log = detail::hex(&pdu[8..]);
            fields.detail = format!("status {status:04x}, {events} events, {messages} messages, log {log}");
        }
        15 | 16 if pdu.len() >= 5 => {
            fields.address = Some(word(pdu, 1));
            fields.quantity = Some(word(pdu, 3));
        }
        17 => fields.detail = detail::text(data),
        20 => fields.detail = detail::read_records(data),
        21 => fields.detail = detail::records(data, true),
        22 if pdu.len() >= 7 => {
            fields.address = Some(word(pdu, 1));
            fields.quantity = Some(1);
            fields.and_mask = Some(word(pdu, 3));
            fields.or_mask = Some(word(pdu, 5));
        }
        24 if pdu.len() >= 5 => {
            fields.quantity = Some(word(pdu, 3));
            fields.read = Words16::Wire(&pdu[5..]);
        }
        43 if pdu.len() >= 2 => {
            fields.sub_function = Some(u16::from(pdu[1]));
            fields.detail = detail::device_response(&pdu[1..]);
        }
        _ => {}
    }
    if matches!(function, 5 | 6 | 15 | 16 | 22) {
        fields.write_address = fields.address;
        fields.write_quantity = fields.quantity;
    }
    fields
}
