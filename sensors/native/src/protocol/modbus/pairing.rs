//! Requests that wait, responses that come, and the row of each pair.
//!
//! Pairing is by order of arrival among the requests of the same transaction identifier, unit and function:
//! clients use an identifier again when they repeat a request. The first request wins, so latency may read
//! high, never low. Where an answer may be lost to a gap, the last request wins instead: who uses one identifier for all
//! waits for its answer, so what comes behind the gap answers what was asked last. RTU has no identifiers, but a unit is asked one thing at a time (Serial Line V1.02, 2.4.1):
//! whoever asks it something else has given up the request before.

use super::detail::joined;
use super::framing::Unit;
use super::pdu::{EXCEPTION, Fields};
use super::pending::Pending;
use super::waiting::Waiting;
use crate::anomaly::At;
use crate::columns::Words16;
use crate::limits::Limits;
use crate::protocol::{Counts, Output, Role};
use crate::tables::{ModbusRow, ROW};
use crate::words::{Confidence, ModbusFraming, Outcome};

/// Answered requests that are remembered, so that a second response is called a duplicate.
const ANSWERED_KEPT: usize = 4;

/// A response, read.
pub struct Reply<'a> {
    pub at: At,
    pub exception_code: Option<u8>,
    exception: bool,
    pub length: u16,
    pub after_gap: bool,
    pub fields: Fields<'a>,
}

impl<'a> Reply<'a> {
    pub fn new(unit: &Unit<'_>, at: At, after_gap: bool, fields: Fields<'a>) -> Self {
        let exception = unit.pdu[0] & EXCEPTION != 0;
        let exception_code = if exception { unit.pdu.get(1).copied() } else { None };
        Self { at, exception_code, exception, length: unit.length, after_gap, fields }
    }

    /// What it makes of the request that it answers.
    pub fn outcome(&self) -> Outcome {
        if self.exception { Outcome::Exception } else { Outcome::Answered }
    }
}

/// What a flow's rows say of all its messages.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub framing: ModbusFraming,
    /// `None` until a request and a response fit, where the port does not speak for it.
    pub confidence: Confidence,
}

type Key = (u16, u8, u8);

/// The requests of one flow that wait.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Pairing {
    waiting: Waiting,
    /// The latest first.
    answered: [Key; ANSWERED_KEPT],
}

impl Pairing {
    /// Reads its first byte.
    #[inline]
    pub fn glance(&self) -> u64 {
        self.waiting.glance()
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// A request joins those that wait; over the limit the oldest is given up.
    pub fn ask(&mut self, request: Pending, manner: Manner, out: &mut Output<'_>) {
        self.expire(request.at.ts, manner, out);
        if manner.framing.is_rtu() {
            self.give_up_others(&request, manner, out);
        }
        let waiting = self.waiting.len() as u64;
        if waiting < out.limits.pending_limit && out.counts.waiting_requests.admit(waiting, out.limits) {
            self.waiting.push(request);
            return;
        }
        match manner.confidence {
            Confidence::None => out.counts.evicted_requests += 1,
            _ => out.give_up_request("requests", self.waiting.len(), request.at),
        }
        // Its own oldest: it holds its own share, or others could not have taken more than theirs.
        self.waiting.push(request);
        let oldest = self.waiting.remove(0);
        if let (Some(oldest), true) = (oldest, manner.confidence != Confidence::None) {
            write(&oldest, None, Outcome::Unanswered, manner, out);
        }
    }

    /// A unit that is asked something else is no longer waited for.
    fn give_up_others(&mut self, request: &Pending, manner: Manner, out: &mut Output<'_>) {
        let mut at = 0;
        while let Some(waits) = self.waiting.get(at) {
            if waits.unit != request.unit || waits.is_repeated_by(request) {
                at += 1;
                continue;
            }
            self.give_up(at, manner, out);
        }
    }

    fn give_up(&mut self, index: usize, manner: Manner, out: &mut Output<'_>) {
        let given_up = self.take(index, out.counts, out.limits);
        if let (Some(given_up), true) = (given_up, manner.confidence != Confidence::None) {
            write(&given_up, None, Outcome::Unanswered, manner, out);
        }
    }

    fn take(&mut self, index: usize, counts: &mut Counts, limits: &Limits) -> Option<Pending> {
        let taken = self.waiting.remove(index)?;
        counts.waiting_requests.leave(self.waiting.len() as u64 + 1, limits);
        Some(taken)
    }

    /// The request that a response answers, taken out.
    #[inline]
    pub fn answer(
        &mut self,
        response: &Unit<'_>,
        at: At,
        manner: Manner,
        out: &mut Output<'_>,
    ) -> Option<Pending> {
        let function = response.pdu[0] & !EXCEPTION;
        let rtu = manner.framing.is_rtu();
        let is_meant = |request: &Pending| {
            request.transaction_id == response.transaction_id
                && request.unit == response.unit
                && request.function == function
                // Without an identifier only what it says shows which request it answers.
                && (!rtu || request.is_answered_by(response.pdu))
        };
        let mut index = self.waiting.position(is_meant)?;
        if self.waiting.get(index).is_some_and(|request| request.answer_may_be_lost) {
            let is_later = |request: &Pending| is_meant(request) && request.at.frame < at.frame;
            while let Some(later) = self.waiting.position_after(index, is_later) {
                self.give_up(index, manner, out);
                index = later - 1;
            }
        }
        self.answered.copy_within(..ANSWERED_KEPT - 1, 1);
        self.answered[0] = (response.transaction_id, response.unit, function);
        self.take(index, out.counts, out.limits)
    }

    pub fn was_answered(&self, transaction_id: u16, unit: u8, function: u8) -> bool {
        function != 0 && self.answered.contains(&(transaction_id, unit, function))
    }

    /// A gap may hide the response of any request that waits, where it is in the server's stream.
    pub fn mark_gap(&mut self, from: Role) {
        self.waiting.for_each(|request| {
            request.after_gap = true;
            request.answer_may_be_lost |= from == Role::Server;
        });
    }

    /// Gives up requests that have waited for longer than the limit.
    pub fn expire(&mut self, now: i64, manner: Manner, out: &mut Output<'_>) {
        if manner.confidence == Confidence::None {
            return;
        }
        while self.waiting.front().is_some_and(|request| is_overdue(request, now, out)) {
            if let Some(overdue) = self.take(0, out.counts, out.limits) {
                write(&overdue, None, Outcome::Unanswered, manner, out);
            }
        }
    }

    /// The flow is over: what still waits was never answered, or the capture ended too early to tell.
    pub fn end(&mut self, now: i64, capture_ended: bool, manner: Manner, out: &mut Output<'_>) {
        while let Some(request) = self.take(0, out.counts, out.limits) {
            if manner.confidence == Confidence::None {
                continue;
            }
            let pending = capture_ended && !is_overdue(&request, now, out);
            let outcome = if pending { Outcome::Pending } else { Outcome::Unanswered };
            write(&request, None, outcome, manner, out);
        }
    }
}

fn is_overdue(request: &Pending, now: i64, out: &Output<'_>) -> bool {
    let waited_ns = u64::try_from(now.saturating_sub(request.at.ts)).unwrap_or(0);
    waited_ns / 1_000_000_000 >= out.limits.modbus_pending_s
}

/// The row of a request and its response, of which either may be missing, not both.
pub fn write(
    request: &Pending,
    reply: Option<&Reply<'_>>,
    outcome: Outcome,
    manner: Manner,
    out: &mut Output<'_>,
) {
    let answer = reply.map(|reply| &reply.fields);
    let detail;
    let detail = match answer {
        Some(fields) if !fields.detail.is_empty() => {
            detail = joined(request.detail(), &fields.detail);
            detail.as_str()
        }
        _ => request.detail(),
    };
    let latency_ns =
        reply.filter(|reply| reply.at.ts >= request.at.ts).map(|reply| reply.at.ts.abs_diff(request.at.ts));
    out.tables.modbus.push(ModbusRow {
        ts: request.at.ts,
        flow_id: out.flow_id,
        client_ip: out.client_ip,
        server_ip: out.server_ip,
        client_port: out.client_port,
        server_port: out.server_port,
        framing: manner.framing,
        request_frame: Some(request.at.frame),
        response_frame: reply.map(|reply| reply.at.frame),
        transaction_id: request.transaction_id,
        unit: request.unit,
        function: request.function & !EXCEPTION,
        outcome,
        exception_code: reply.and_then(|reply| reply.exception_code),
        latency_ns,
        address: request.address,
        quantity: request.quantity.or_else(|| answer.and_then(|fields| fields.quantity)),
        write_address: request.write_address(),
        write_quantity: request.write_quantity(),
        values_read: answer.map_or(Words16::None, |fields| fields.read),
        values_written: request.written(),
        sub_function: request.sub_function(),
        and_mask: request.and_mask(),
        or_mask: request.or_mask(),
        detail,
        request_bytes: request.length,
        response_bytes: reply.map_or(0, |reply| reply.length),
        after_gap: request.after_gap || reply.is_some_and(|reply| reply.after_gap),
        confidence: manner.confidence,
        _borrow: ROW,
    });
}

/// The row of a response that nobody asked for: what it echoes is all that is known.
pub fn write_orphan(unit: &Unit<'_>, function: u8, reply: &Reply<'_>, manner: Manner, out: &mut Output<'_>) {
    let fields = &reply.fields;
    let one = fields.written_one.map(|value| [value]);
    out.tables.modbus.push(ModbusRow {
        ts: reply.at.ts,
        flow_id: out.flow_id,
        client_ip: out.client_ip,
        server_ip: out.server_ip,
        client_port: out.client_port,
        server_port: out.server_port,
        framing: manner.framing,
        request_frame: None,
        response_frame: Some(reply.at.frame),
        transaction_id: unit.transaction_id,
        unit: unit.unit,
        function,
        outcome: Outcome::Orphan,
        exception_code: reply.exception_code,
        latency_ns: None,
        address: fields.address,
        quantity: fields.quantity,
        write_address: fields.write_address,
        write_quantity: fields.write_quantity,
        values_read: fields.read,
        values_written: one.as_ref().map_or(Words16::None, |value| Words16::Values(value)),
        sub_function: fields.sub_function,
        and_mask: fields.and_mask,
        or_mask: fields.or_mask,
        detail: &fields.detail,
        request_bytes: 0,
        response_bytes: reply.length,
        after_gap: reply.after_gap,
        confidence: manner.confidence,
        _borrow: ROW,
    });
}
