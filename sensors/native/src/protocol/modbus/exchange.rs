//! Units of both sides in; transactions, and what is odd about them, out.

use super::early::Response;
use super::framing::{Event, Unit};
use super::pairing::{self, Manner, Pairing, Reply};
use super::pending::Pending;
use super::{SURE_UNITS, UNCONFIRMED_LIMIT, identity, pdu};
use crate::anomaly::{AnomalyKind, At};
use crate::protocol::{Loss, Output, Role};
use crate::words::{Confidence, ModbusFraming};

/// The exchange of messages on one flow.
///
/// In this order, so that `glance` knows which cache lines there are.
#[derive(Debug)]
#[repr(C)]
pub struct Exchange {
    pairing: Pairing,
    unusual: Option<Box<Unusual>>,
    /// A response may answer one of the requests that were lost, for as long as it would wait.
    requests_lost: Loss,
    /// The frame of the last message, the lower half of its number, and how many it had so far: 0 before the first.
    last_frame: u32,
    in_frame: u8,
    manner: Manner,
    marks: u8,
}

/// Marks of an exchange: the next message of that side stands behind a gap.
const AFTER_GAP: [u8; 2] = [1, 2];
/// It is no Modbus.
const WRONG: u8 = 4;

/// What few flows have, or only at their beginning.
#[derive(Debug, Default)]
struct Unusual {
    /// A response that may only have been captured before its request. Nothing else here matters any more then.
    early: Option<Response>,
    unconfirmed_messages: u32,
    /// RTU units of each side whose checksum and shape fit.
    sound_units: [u8; 2],
    /// That side sent a header that is none, before any message was read.
    unreadable: [bool; 2],
}

impl Exchange {
    pub fn new(framing: ModbusFraming, confidence: Confidence) -> Self {
        Self {
            pairing: Pairing::default(),
            unusual: None,
            requests_lost: Loss::default(),
            last_frame: 0,
            in_frame: 0,
            manner: Manner { framing, confidence },
            marks: 0,
        }
    }

    #[inline]
    pub fn framing(&self) -> ModbusFraming {
        self.manner.framing
    }

    #[inline]
    pub fn confidence(&self) -> Confidence {
        self.manner.confidence
    }

    #[inline]
    pub fn is_wrong(&self) -> bool {
        self.marks & WRONG != 0
    }

    #[cold]
    fn give_up(&mut self) {
        self.marks |= WRONG;
    }

    #[cold]
    fn unusual(&mut self) -> &mut Unusual {
        self.unusual.get_or_insert_default()
    }

    #[cold]
    fn take_early(&mut self) -> Option<Response> {
        let early = self.unusual.as_mut()?.early.take()?;
        self.unusual = None;
        Some(early)
    }

    /// Reads a little of both cache lines that a message needs, its streams' too; the value means nothing.
    #[inline]
    pub fn glance(&self) -> u64 {
        self.pairing.glance() ^ u64::from(self.last_frame)
    }

    /// Takes what a side's stream comes to.
    #[inline]
    pub fn take(&mut self, event: Event<'_>, from: Role, at: At, out: &mut Output<'_>) {
        match event {
            Event::Unit(unit) => self.unit(from, &unit, at, out),
            Event::ProtocolId(protocol) => {
                out.counts.modbus_bad_protocol_id += u64::from(self.is_confirmed());
                self.stumble(AnomalyKind::ProtocolId, at, out, &|| {
                    format!("protocol identifier {protocol}, Modbus has 0 (Messaging V1.0b, 3.1.3)")
                });
                self.unreadable_header(from);
            }
            Event::Length(length) => {
                self.stumble(AnomalyKind::IllegalLength, at, out, &|| {
                    format!("length field {length}, a unit has 2 to 254 (Messaging V1.0b, 3.1.3)")
                });
                self.unreadable_header(from);
            }
            Event::Checksum => self.stumble(AnomalyKind::Checksum, at, out, &|| {
                "a unit's length or checksum does not fit (Serial Line V1.02, 2.5.1)".to_owned()
            }),
        }
    }

    /// Bytes of a side's stream are missing here.
    pub fn gap(&mut self, from: Role, length: u64) {
        if from == Role::Client {
            self.requests_lost.note();
        }
        if length > 0 {
            self.marks |= AFTER_GAP[from.index()];
            self.pairing.mark_gap(from);
        }
    }

    /// The other side goes on to speak after bytes of this side that were not seen.
    pub fn unseen(&mut self, from: Role) {
        match from {
            Role::Client => self.requests_lost.note(),
            Role::Server => self.pairing.mark_gap(from),
        }
    }

    /// Gives up what waited too long.
    pub fn expire(&mut self, now: i64, out: &mut Output<'_>) {
        if self.is_confirmed() {
            self.give_up_early(out);
            self.pairing.expire(now, self.manner, out);
        }
    }

    /// The flow is over, or only the capture.
    pub fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>) {
        self.give_up_early(out);
        self.pairing.end(now, capture_ended, self.manner, out);
    }

    fn is_confirmed(&self) -> bool {
        self.manner.confidence != Confidence::None
    }

    /// A header that is none: on its port an anomaly, elsewhere another protocol.
    fn stumble(&mut self, kind: AnomalyKind, at: At, out: &mut Output<'_>, detail: &dyn Fn() -> String) {
        if self.is_confirmed() {
            out.anomaly(kind, at, detail);
        } else {
            self.give_up();
        }
    }

    /// Where both sides send headers that are none and not one message was read, the port is no evidence:
    /// something else hides behind it. One side alone may only be broken.
    fn unreadable_header(&mut self, from: Role) {
        if self.manner.confidence != Confidence::Port || self.in_frame > 0 {
            return;
        }
        let unreadable = &mut self.unusual().unreadable;
        unreadable[from.index()] = true;
        if *unreadable == [true; 2] {
            self.give_up();
        }
    }

    fn unit(&mut self, from: Role, unit: &Unit<'_>, at: At, out: &mut Output<'_>) {
        if self.is_wrong() {
            return;
        }
        if self.in_frame > 0 && self.last_frame == at.frame as u32 {
            self.in_frame = self.in_frame.saturating_add(1);
            out.counts.modbus_frames_multi_pdu += u64::from(self.in_frame == 2);
        } else {
            self.last_frame = at.frame as u32;
            self.in_frame = 1;
        }
        if self.is_confirmed() {
            out.counts.modbus_messages += 1;
        } else {
            let unconfirmed = &mut self.unusual().unconfirmed_messages;
            *unconfirmed = unconfirmed.saturating_add(1);
        }
        if self.framing().is_rtu() && !self.is_confirmed() && pdu::has_shape(unit.pdu, from) {
            let sound = &mut self.unusual().sound_units[from.index()];
            *sound = sound.saturating_add(1);
            if *sound >= SURE_UNITS {
                self.confirm(out);
            }
        }
        let after_gap = self.marks & AFTER_GAP[from.index()] != 0;
        self.marks &= !AFTER_GAP[from.index()];
        self.requests_lost.pass(at);
        match from {
            // Only a response has the exception bit, whoever sends it.
            Role::Client if unit.pdu[0] & pdu::EXCEPTION != 0 => {
                self.reversed(unit, at, after_gap, out);
            }
            Role::Client => self.request(unit, at, after_gap, out),
            Role::Server => self.response(unit, at, after_gap, out),
        }
    }

    fn request(&mut self, unit: &Unit<'_>, at: At, after_gap: bool, out: &mut Output<'_>) {
        let fields = pdu::request(unit.pdu);
        if let Some(&(kind, text)) = fields.flaw {
            self.stumble(kind, at, out, &|| format!("request of function {}: {text}", unit.pdu[0]));
        }
        let pending = Pending::new(unit, at, after_gap, fields);
        if !self.is_confirmed() && self.pairing.waiting() >= UNCONFIRMED_LIMIT {
            self.give_up();
            return;
        }
        if let Some(early) = self.unusual.is_some().then(|| self.take_early()).flatten() {
            if early.answers(&pending) {
                return self.answered_early(&pending, &early, out);
            }
            self.orphan(&early, false, out);
        }
        self.pairing.ask(pending, self.manner, out);
    }

    /// An exception from the side that opened the connection: the roles of Modbus and TCP are crossed there.
    fn reversed(&mut self, unit: &Unit<'_>, at: At, after_gap: bool, out: &mut Output<'_>) {
        if !self.is_confirmed() {
            self.give_up();
            return;
        }
        let function = unit.pdu[0] & !pdu::EXCEPTION;
        out.anomaly(AnomalyKind::ReversedRoles, at, &|| {
            format!("exception of function {function} from the side that opened the connection")
        });
        let fields = pdu::response(unit.pdu, None);
        if let Some(&(kind, text)) = fields.flaw {
            out.anomaly(kind, at, &|| format!("exception of function {function}: {text}"));
        }
        let reply = Reply::new(unit, at, after_gap, fields);
        pairing::write_orphan(unit, function, &reply, self.manner, out);
    }

    #[inline]
    fn response(&mut self, unit: &Unit<'_>, at: At, after_gap: bool, out: &mut Output<'_>) {
        if self.unusual.is_some() {
            self.give_up_early(out);
        }
        let Some(asked) = self.pairing.answer(unit, at, self.manner, out) else {
            return self.unasked(unit, at, after_gap, out);
        };
        let function = unit.pdu[0] & !pdu::EXCEPTION;
        let fields = pdu::response(unit.pdu, asked.quantity);
        let flaw = fields.flaw;
        let whole = flaw.is_none() && pdu::is_public(function);
        if whole && asked.is_answered_by(unit.pdu) {
            self.confirm(out);
        } else if !self.is_confirmed() {
            self.give_up();
            return;
        } else if whole {
            out.anomaly(AnomalyKind::ResponseMismatch, at, &|| {
                format!("response of function {function} does not fit its request's address or quantity")
            });
        }
        if let Some(&(kind, text)) = flaw {
            out.anomaly(kind, at, &|| format!("response of function {function}: {text}"));
        }
        if matches!(function, 17 | 43) {
            identity::observe(unit.pdu, at, out);
        }
        let reply = Reply::new(unit, at, after_gap, fields);
        pairing::write(&asked, Some(&reply), reply.outcome(), self.manner, out);
    }

    /// A response that no request waits for. Its request may only have been captured later.
    fn unasked(&mut self, unit: &Unit<'_>, at: At, after_gap: bool, out: &mut Output<'_>) {
        let is_explained = out.one_sided || self.requests_lost.explains(at, out.limits.modbus_pending_s);
        let response = Response::new(unit, at, after_gap || is_explained, is_explained);
        let function = unit.pdu[0] & !pdu::EXCEPTION;
        if !self.is_confirmed() {
            // One side of RTU alone can be sure, after some units.
            if !self.framing().is_rtu() || !pdu::has_shape(unit.pdu, Role::Server) {
                self.give_up();
            }
            return;
        }
        let twice = self.pairing.was_answered(unit.transaction_id, unit.unit, function);
        if twice || self.framing().is_rtu() {
            return self.orphan(&response, twice, out);
        }
        self.unusual().early = Some(response);
    }

    fn orphan(&mut self, response: &Response, twice: bool, out: &mut Output<'_>) {
        let (unit, at) = (&response.unit(), response.at);
        let function = unit.pdu[0] & !pdu::EXCEPTION;
        let fields = pdu::response(unit.pdu, None);
        if let Some(&(kind, text)) = fields.flaw {
            out.anomaly(kind, at, &|| format!("response of function {function}: {text}"));
        }
        // What answers a request that the capture lost, or could not see, is nothing wrong on the wire.
        if !response.is_explained {
            self.unexplained(unit, at, twice, out);
        }
        let reply = Reply::new(unit, at, response.after_gap, fields);
        pairing::write_orphan(unit, function, &reply, self.manner, out);
    }

    fn unexplained(&self, unit: &Unit<'_>, at: At, twice: bool, out: &mut Output<'_>) {
        let function = unit.pdu[0] & !pdu::EXCEPTION;
        let kind = if twice { AnomalyKind::DuplicateResponse } else { AnomalyKind::OrphanResponse };
        out.anomaly(kind, at, &|| match self.framing().is_rtu() {
            true => format!("response of function {function}, unit {}, that no request waits for", unit.unit),
            false => format!(
                "response of function {function}, transaction {}, that no request waits for",
                unit.transaction_id
            ),
        });
    }

    /// The capture has a response and then its request: their order is the capture's, not the wire's.
    fn answered_early(&mut self, asked: &Pending, early: &Response, out: &mut Output<'_>) {
        let unit = early.unit();
        self.confirm(out);
        let reply = Reply::new(&unit, early.at, early.after_gap, pdu::response(unit.pdu, asked.quantity));
        pairing::write(asked, Some(&reply), reply.outcome(), self.manner, out);
    }

    /// The held response was never asked for.
    #[cold]
    fn give_up_early(&mut self, out: &mut Output<'_>) {
        if let Some(response) = self.take_early() {
            self.orphan(&response, false, out);
        }
    }

    fn confirm(&mut self, out: &mut Output<'_>) {
        if !self.is_confirmed() {
            let unusual = self.unusual.take();
            out.counts.modbus_messages += unusual.map_or(0, |unusual| unusual.unconfirmed_messages.into());
        }
        self.manner.confidence = Confidence::Structure;
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn what_is_glanced_at_is_on_both_cache_lines() {
        assert_eq!(offset_of!(Exchange, pairing), 0);
        assert!(offset_of!(Exchange, last_frame) >= 64);
    }
}
