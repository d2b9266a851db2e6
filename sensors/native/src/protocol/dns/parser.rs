//! One flow's messages, and the rows of its queries.

use super::message::{self, Message};
use super::name::NameError;
use super::pairing::{Pairing, Query, WAITING, WAITS_NS};
use super::{Relative, answer, tell};
use crate::anomaly::{AnomalyKind, At};
use crate::protocol::{Output, Parser, Progress, Role};
use crate::tables::{DnsRow, ROW};
use crate::words::{Confidence, Outcome, Service};

/// Answers of a message that are kept as text.
const ANSWERS_KEPT: usize = 16;

pub fn start(relative: Relative) -> Box<dyn Parser> {
    Box::new(Dns { relative, pairing: Pairing::default(), kept: Default::default(), lost: false })
}

/// One flow's DNS.
struct Dns {
    relative: Relative,
    pairing: Pairing,
    /// Over TCP: each side's message that is not whole yet. A message has at most 65,535 bytes.
    kept: [Vec<u8>; 2],
    /// Over TCP, behind a gap: nothing there says where a message starts.
    lost: bool,
}

impl Parser for Dns {
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        if self.relative != Relative::Stream {
            return self.message(from, bytes, at, out);
        }
        if self.lost {
            return;
        }
        let side = usize::from(from == Role::Server);
        let mut kept = std::mem::take(&mut self.kept[side]);
        kept.extend_from_slice(bytes);
        let mut done = 0;
        while let Some((length, rest)) = kept[done..].split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let Some(message) = rest.get(..length) else { break };
            self.message(from, message, at, out);
            done += 2 + length;
        }
        kept.drain(..done);
        self.kept[side] = kept;
    }

    fn gap(&mut self, _from: Role, length: u64) {
        self.lost |= length > 0;
    }

    fn expire(&mut self, now: i64, out: &mut Output<'_>) {
        while let Some(query) = self.pairing.overdue(now) {
            self.write(Some(&query), None, Outcome::Unanswered, out);
        }
    }

    fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>) {
        while let Some(query) = self.pairing.oldest() {
            let waits = capture_ended && now.saturating_sub(query.at.ts) <= WAITS_NS;
            let outcome = if waits { Outcome::Pending } else { Outcome::Unanswered };
            self.write(Some(&query), None, outcome, out);
        }
    }

    fn confidence(&self) -> Confidence {
        Confidence::Structure
    }

    fn progress(&self) -> Progress {
        if self.lost { Progress::Done } else { Progress::Reading }
    }
}

impl Dns {
    fn message(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        let Some(message) = message::read(bytes) else { return };
        if message.flaw == Some(NameError::Endless) {
            out.anomaly(AnomalyKind::NameLoop, at, &|| {
                "a name whose pointers do not lead back, or that is too long (RFC 1035, 4.1.4)".to_owned()
            });
        }
        let response = message.header.is_response();
        if response {
            tell::tell(self.relative, from, &message, at, out);
        }
        match (self.relative, response) {
            // Who answers a group's question does so in a flow of its own.
            (Relative::Multicast | Relative::LinkLocal, false) => {
                self.write(Some(&Query::new(&message, at)), None, Outcome::OneWay, out);
            }
            (Relative::Multicast | Relative::LinkLocal, true) => {
                self.write(None, Some((&message, at)), Outcome::OneWay, out);
            }
            (_, false) => {
                self.expire(at.ts, out);
                if let Some(given_up) = self.pairing.ask(Query::new(&message, at)) {
                    out.give_up_request("queries", WAITING, at);
                    self.write(Some(&given_up), None, Outcome::Unanswered, out);
                }
            }
            (_, true) => {
                let query = self.pairing.answer(&message);
                let outcome = if query.is_some() { Outcome::Answered } else { Outcome::Orphan };
                self.write(query.as_ref(), Some((&message, at)), outcome, out);
            }
        }
    }

    fn write(
        &self,
        query: Option<&Query>,
        response: Option<(&Message<'_>, At)>,
        outcome: Outcome,
        out: &mut Output<'_>,
    ) {
        let told = response.map(|(message, at)| (Query::new(message, at), message));
        let Some(first) = query.or(told.as_ref().map(|(query, _)| query)) else { return };
        // Multicast DNS announces without a question: what it announces is its first record.
        let announced = told.as_ref().and_then(|(_, message)| message.records.first());
        let (name, kind) = match (&first.question, announced) {
            (Some(question), _) => (question.name.as_str(), question.kind),
            (None, Some(record)) => (record.name.as_str(), record.kind),
            (None, None) => ("", 0),
        };
        let answers: Vec<String> = told.as_ref().map_or_else(Vec::new, |(_, message)| {
            let records = message.records.iter().filter(|record| record.is_answer);
            records.take(ANSWERS_KEPT).map(|record| answer::say(message.bytes, record)).collect()
        });
        let header = response.map(|(message, _)| message.header);
        let latency_ns = match (query, response) {
            (Some(query), Some((_, at))) if at.ts >= query.at.ts => Some(at.ts.abs_diff(query.at.ts)),
            _ => None,
        };
        out.tables.dns.push(DnsRow {
            ts: first.at.ts,
            flow_id: out.flow_id,
            client_ip: out.client_ip,
            server_ip: out.server_ip,
            client_port: out.client_port,
            server_port: out.server_port,
            request_frame: query.map(|query| query.at.frame),
            response_frame: response.map(|(_, at)| at.frame),
            service: match self.relative {
                Relative::Unicast | Relative::Stream => Service::Dns,
                Relative::Multicast => Service::Mdns,
                Relative::LinkLocal => Service::Llmnr,
            },
            transaction_id: first.id,
            opcode: first.opcode,
            outcome,
            query: name,
            query_type: &if kind == 0 { String::new() } else { answer::type_name(kind) },
            rcode: header.map(|header| header.rcode()),
            authoritative: header.is_some_and(|header| header.flags & 0x0400 != 0),
            truncated: header.is_some_and(|header| header.flags & 0x0200 != 0),
            answer_count: header.map_or(0, |header| header.counts[1]),
            answers: &answers,
            latency_ns,
            request_bytes: query.map_or(0, |query| query.bytes),
            response_bytes: response.map_or(0, |(message, _)| message.bytes.len() as u32),
            confidence: Confidence::Structure,
            _borrow: ROW,
        });
    }
}
