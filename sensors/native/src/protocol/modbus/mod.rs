//! Modbus/TCP: two streams in, transactions out (Modbus Messaging on TCP/IP V1.0b).

mod detail;
mod framing;
mod pairing;
mod pdu;

use framing::{Event, Framing, Unit};
use pairing::{Pairing, Pending, Reply, Written};

use super::{Output, Parser, Progress, Protocol, Recognised, Role, Transport};
use crate::anomaly::{AnomalyKind, At};
use crate::columns::VALUES_KEPT;
use crate::words::{Confidence, Layer, Outcome, Service};

const PORT: u16 = 502;

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Modbus,
    layer: Layer::Modbus,
    transport: Transport::Tcp,
    ports: &[PORT],
    recognise,
    parser: Some(start),
};

/// Messages that may be held back while it is not yet sure that this is Modbus.
const UNCONFIRMED_LIMIT: usize = 64;

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let request = framing::are_units(payload, Role::Client);
    let response = framing::are_units(payload, Role::Server);
    let speaker = match (request, response) {
        (true, false) => Some(Role::Client),
        (false, true) => Some(Role::Server),
        (true, true) => None,
        (false, false) if on_port => None,
        (false, false) => return None,
    };
    let confidence = if on_port { Confidence::Port } else { Confidence::None };
    Some(Recognised { confidence, speaker })
}

fn start(confidence: Confidence) -> Box<dyn Parser> {
    Box::new(Modbus {
        streams: [Framing::new(Role::Client), Framing::new(Role::Server)],
        confidence,
        wrong: false,
        unreadable: [false; 2],
        read_a_unit: false,
        unconfirmed_messages: 0,
        last_frame: 0,
        in_frame: 0,
        after_gap: [false; 2],
        pairing: Pairing::default(),
    })
}

/// One flow's Modbus.
struct Modbus {
    streams: [Framing; 2],
    /// `None` until a request and a response fit, where the port does not speak for it.
    confidence: Confidence,
    wrong: bool,
    /// That side sent a header that is none.
    unreadable: [bool; 2],
    /// At least one message was read, of either side.
    read_a_unit: bool,
    unconfirmed_messages: u64,
    last_frame: u64,
    in_frame: u32,
    /// The next message of that side stands behind a gap.
    after_gap: [bool; 2],
    pairing: Pairing,
}

fn index(role: Role) -> usize {
    match role {
        Role::Client => 0,
        Role::Server => 1,
    }
}

impl Parser for Modbus {
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        if self.wrong {
            return;
        }
        let mut framing = std::mem::replace(&mut self.streams[index(from)], Framing::new(from));
        let skipped = framing.skipped_bytes;
        framing.feed(bytes, |event| match event {
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
        });
        out.counts.modbus_skipped_bytes += framing.skipped_bytes - skipped;
        self.streams[index(from)] = framing;
    }

    fn gap(&mut self, from: Role, length: u64) {
        self.streams[index(from)].lose_step();
        if length > 0 {
            self.after_gap[index(from)] = true;
            self.pairing.mark_gap();
        }
    }

    fn expire(&mut self, now: i64, out: &mut Output<'_>) {
        if self.is_confirmed() {
            self.pairing.expire(now, self.confidence, out);
        }
    }

    fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>) {
        self.pairing.end(now, capture_ended, self.confidence, out);
    }

    fn confidence(&self) -> Confidence {
        self.confidence
    }

    fn glance(&self) -> u64 {
        let [asked, told] = &self.streams;
        self.last_frame ^ asked.skipped_bytes ^ told.skipped_bytes ^ self.pairing.glance()
    }

    fn progress(&self) -> Progress {
        if self.wrong { Progress::Wrong } else { Progress::Reading }
    }
}

impl Modbus {
    fn is_confirmed(&self) -> bool {
        self.confidence != Confidence::None
    }

    /// A header that is none: on its port an anomaly, elsewhere another protocol.
    fn stumble(&mut self, kind: AnomalyKind, at: At, out: &mut Output<'_>, detail: &dyn Fn() -> String) {
        if self.is_confirmed() {
            out.anomaly(kind, at, detail);
        } else {
            self.wrong = true;
        }
    }

    /// Where both sides send headers that are none and not one message was read, the port is no evidence:
    /// something else hides behind it. One side alone may only be broken.
    fn unreadable_header(&mut self, from: Role) {
        self.unreadable[index(from)] = true;
        if self.confidence == Confidence::Port && !self.read_a_unit && self.unreadable == [true; 2] {
            self.wrong = true;
        }
    }

    fn unit(&mut self, from: Role, unit: &Unit<'_>, at: At, out: &mut Output<'_>) {
        if self.wrong {
            return;
        }
        self.read_a_unit = true;
        if self.last_frame == at.frame {
            self.in_frame += 1;
            out.counts.modbus_frames_multi_pdu += u64::from(self.in_frame == 2);
        } else {
            self.last_frame = at.frame;
            self.in_frame = 1;
        }
        if self.is_confirmed() {
            out.counts.modbus_messages += 1;
        } else {
            self.unconfirmed_messages += 1;
        }
        let after_gap = std::mem::take(&mut self.after_gap[index(from)]);
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
        if let Some((kind, text)) = fields.flaw {
            self.stumble(kind, at, out, &|| format!("request of function {}: {text}", unit.pdu[0]));
        }
        let written = match fields.written_one {
            Some(value) => Written::One([value]),
            None => {
                let mut values = Vec::new();
                fields.written.for_each(VALUES_KEPT, |value| values.push(value));
                Written::Many(values)
            }
        };
        let pending = Pending {
            at,
            transaction_id: unit.transaction_id,
            unit: unit.unit,
            function: unit.pdu[0],
            address: fields.address,
            quantity: fields.quantity,
            write_address: fields.write_address,
            write_quantity: fields.write_quantity,
            sub_function: fields.sub_function,
            and_mask: fields.and_mask,
            or_mask: fields.or_mask,
            written,
            detail: fields.detail,
            length: unit.length(),
            after_gap,
        };
        if !self.is_confirmed() && self.pairing.waiting() >= UNCONFIRMED_LIMIT {
            self.wrong = true;
            return;
        }
        self.pairing.ask(pending, self.confidence, out);
    }

    /// An exception from the side that opened the connection: the roles of Modbus and TCP are crossed there.
    fn reversed(&mut self, unit: &Unit<'_>, at: At, after_gap: bool, out: &mut Output<'_>) {
        if !self.is_confirmed() {
            self.wrong = true;
            return;
        }
        let function = unit.pdu[0] & !pdu::EXCEPTION;
        out.anomaly(AnomalyKind::ReversedRoles, at, &|| {
            format!("exception of function {function} from the side that opened the connection")
        });
        let fields = pdu::response(unit.pdu, None);
        if let Some((kind, text)) = fields.flaw {
            out.anomaly(kind, at, &|| format!("exception of function {function}: {text}"));
        }
        let exception_code = unit.pdu.get(1).copied();
        let reply = Reply { at, exception_code, length: unit.length(), after_gap, fields };
        pairing::write_orphan(unit, function, &reply, self.confidence, out);
    }

    fn response(&mut self, unit: &Unit<'_>, at: At, after_gap: bool, out: &mut Output<'_>) {
        let function = unit.pdu[0] & !pdu::EXCEPTION;
        let exception = unit.pdu[0] & pdu::EXCEPTION != 0;
        let asked = self.pairing.answer(unit.transaction_id, unit.unit, function, out.counts);
        let quantity = asked.as_ref().and_then(|request| request.quantity);
        let fields = pdu::response(unit.pdu, quantity);
        let flaw = fields.flaw;
        let whole = flaw.is_none() && pdu::is_public(function);
        let fits = asked.as_ref().is_some_and(|request| whole && request.is_answered_by(unit.pdu));
        if fits {
            self.confirm(out);
        } else if !self.is_confirmed() {
            self.wrong = true;
            return;
        }
        if let Some((kind, text)) = flaw {
            out.anomaly(kind, at, &|| format!("response of function {function}: {text}"));
        } else if asked.is_some() && whole && !fits {
            out.anomaly(AnomalyKind::ResponseMismatch, at, &|| {
                format!("response of function {function} does not fit its request's address or quantity")
            });
        }
        let outcome = match (&asked, exception) {
            (None, _) => Outcome::Orphan,
            (Some(_), true) => Outcome::Exception,
            (Some(_), false) => Outcome::Answered,
        };
        if asked.is_none() {
            let kind = if self.pairing.was_answered(unit.transaction_id, unit.unit, function) {
                AnomalyKind::DuplicateResponse
            } else {
                AnomalyKind::OrphanResponse
            };
            out.anomaly(kind, at, &|| {
                format!(
                    "response of function {function}, transaction {}, that no request waits for",
                    unit.transaction_id
                )
            });
        }
        let reply = Reply {
            at,
            exception_code: if exception { unit.pdu.get(1).copied() } else { None },
            length: unit.length(),
            after_gap,
            fields,
        };
        match &asked {
            Some(request) => pairing::write(Some(request), Some(&reply), outcome, self.confidence, out),
            None => pairing::write_orphan(unit, function, &reply, self.confidence, out),
        }
    }

    fn confirm(&mut self, out: &mut Output<'_>) {
        if !self.is_confirmed() {
            out.counts.modbus_messages += self.unconfirmed_messages;
        }
        self.confidence = Confidence::Structure;
    }
}
