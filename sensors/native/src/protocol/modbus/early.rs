//! Responses that were captured before their requests: a SPAN port may swap what it copies from two directions.

use std::collections::VecDeque;

use super::framing::Unit;
use super::pairing::Pending;
use super::pdu::{self, EXCEPTION};
use crate::anomaly::At;

/// How much later a request may have been captured than its response. Switches swap frames within microseconds;
/// more than this is no swap, and would pair a stray response with the next poll.
const WINDOW_NS: i64 = 5_000_000;

/// Responses of one flow that are held.
const HELD: usize = 8;

/// A response that is held.
#[derive(Debug)]
pub struct Response {
    pub at: At,
    transaction_id: u16,
    unit: u8,
    pdu: Vec<u8>,
    length: u16,
    pub after_gap: bool,
}

impl Response {
    pub fn unit(&self) -> Unit<'_> {
        Unit { transaction_id: self.transaction_id, unit: self.unit, pdu: &self.pdu, length: self.length }
    }

    /// True where this, whole in itself, answers a request.
    fn answers(&self, request: &Pending) -> bool {
        (self.transaction_id, self.unit) == (request.transaction_id, request.unit)
            && self.pdu[0] & !EXCEPTION == request.function
            && (pdu::is_response(&self.pdu) || !pdu::is_public(request.function))
            && request.is_answered_by(&self.pdu)
    }
}

/// One flow's held responses, the oldest first.
#[derive(Debug, Default)]
pub struct Early {
    held: VecDeque<Response>,
}

impl Early {
    /// True where a response has waited for its request for too long.
    #[inline]
    pub fn is_due(&self, now: i64) -> bool {
        self.held.front().is_some_and(|oldest| now.saturating_sub(oldest.at.ts) > WINDOW_NS)
    }

    /// Holds a response; the oldest one where there is no room left.
    pub fn hold(&mut self, unit: &Unit<'_>, at: At, after_gap: bool) -> Option<Response> {
        let (transaction_id, length, pdu) = (unit.transaction_id, unit.length, unit.pdu.to_vec());
        self.held.push_back(Response { at, transaction_id, unit: unit.unit, pdu, length, after_gap });
        if self.held.len() > HELD { self.held.pop_front() } else { None }
    }

    /// The response that a request, captured now, was answered with.
    #[inline]
    pub fn answer(&mut self, request: &Pending) -> Option<Response> {
        if self.held.is_empty() {
            return None;
        }
        let index = self.held.iter().position(|response| response.answers(request))?;
        self.held.remove(index)
    }

    /// The oldest response whose request did not come in time.
    pub fn overdue(&mut self, now: i64) -> Option<Response> {
        if self.is_due(now) { self.held.pop_front() } else { None }
    }
}
