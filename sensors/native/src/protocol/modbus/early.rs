//! A response that was captured before its request: a SPAN port may swap what it copies from two directions.
//!
//! It is held until the flow's next message, which is its request or makes it one that nobody asked for: what comes
//! out depends on messages and their times, never on how they were cut into segments.

use super::framing::Unit;
use super::pdu::{self, EXCEPTION};
use super::pending::Pending;
use crate::anomaly::At;

/// How much later a request may have been captured than its response. Switches swap frames within microseconds;
/// more than this is no swap, and would pair a stray response with the next poll.
const WINDOW_NS: i64 = 5_000_000;

/// A response that is held.
#[derive(Debug)]
pub struct Response {
    pub at: At,
    transaction_id: u16,
    unit: u8,
    pdu: Vec<u8>,
    length: u16,
    pub after_gap: bool,
    /// Its request may have been lost, by what was known when it came: what is lost later changes nothing of it.
    pub is_explained: bool,
}

impl Response {
    pub fn new(unit: &Unit<'_>, at: At, after_gap: bool, is_explained: bool) -> Self {
        let (transaction_id, length, pdu) = (unit.transaction_id, unit.length, unit.pdu.to_vec());
        Self { at, transaction_id, unit: unit.unit, pdu, length, after_gap, is_explained }
    }

    pub fn unit(&self) -> Unit<'_> {
        Unit { transaction_id: self.transaction_id, unit: self.unit, pdu: &self.pdu, length: self.length }
    }

    /// True where this, whole in itself, answers a request that was captured just after it. Behind a gap the request
    /// that it did answer may be the one that is missing.
    pub fn answers(&self, request: &Pending) -> bool {
        !request.after_gap
            && request.at.ts.saturating_sub(self.at.ts) <= WINDOW_NS
            && (self.transaction_id, self.unit) == (request.transaction_id, request.unit)
            && self.pdu[0] & !EXCEPTION == request.function
            && (pdu::is_response(&self.pdu) || !pdu::is_public(request.function))
            && request.is_answered_by(&self.pdu)
    }
}
