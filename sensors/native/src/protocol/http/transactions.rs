//! Requests that wait, the responses that come in their order, and the rows of both (RFC 9112, 9.3).

use std::collections::VecDeque;

use super::head::Head;
use crate::anomaly::At;
use crate::protocol::Output;
use crate::tables::{HttpRow, ROW};
use crate::words::{Confidence, Outcome, Service};

/// Requests of one flow that wait at once: clients seldom send a second one before the first is answered.
const WAITING_LIMIT: usize = 32;

/// What a request takes at most, about.
const REQUEST_BYTES: usize = 2_048;

/// A request that waits.
struct Request {
    head: Head,
    at: At,
    after_gap: bool,
}

/// A response.
pub struct Answer {
    pub head: Head,
    pub at: At,
    pub after_gap: bool,
}

/// What a response has to be read by.
#[derive(Default)]
pub struct Asked {
    pub method: String,
    /// The request carried credentials.
    pub credentials: bool,
}

#[derive(Default)]
pub struct Transactions {
    waiting: VecDeque<Request>,
    gap: bool,
}

impl Transactions {
    /// A gap may have swallowed a request or a response: from here on the order is not sure.
    pub fn mark_gap(&mut self) {
        self.gap |= !self.waiting.is_empty();
        for request in &mut self.waiting {
            request.after_gap = true;
        }
    }

    /// Bytes that the requests take, about: their texts are bounded.
    pub fn held_bytes(&self) -> usize {
        self.waiting.len() * REQUEST_BYTES
    }

    pub fn ask(&mut self, head: Head, at: At, after_gap: bool, service: Service, out: &mut Output<'_>) {
        if self.waiting.len() >= WAITING_LIMIT {
            out.give_up_request("HTTP requests", self.waiting.len(), at);
            if let Some(oldest) = self.waiting.pop_front() {
                write(Some(&oldest), None, Outcome::Unanswered, service, out);
            }
        }
        self.waiting.push_back(Request { head, at, after_gap });
    }

    /// Writes the row of the oldest request that waits with its response; what was asked.
    pub fn answer(&mut self, answer: Answer, service: Service, out: &mut Output<'_>) -> Option<Asked> {
        let request = self.waiting.pop_front();
        if std::mem::take(&mut self.gap) && answer.after_gap {
            // Which of them this answers cannot be known: the others were asked before the gap.
            while let Some(older) = self.waiting.pop_front() {
                write(Some(&older), None, Outcome::Unanswered, service, out);
            }
        }
        let outcome = if request.is_some() { Outcome::Answered } else { Outcome::Orphan };
        write(request.as_ref(), Some(&answer), outcome, service, out);
        request.map(|request| Asked {
            credentials: !request.head.authentication.is_empty(),
            method: request.head.method,
        })
    }

    pub fn end(&mut self, pending: bool, service: Service, out: &mut Output<'_>) {
        let outcome = if pending { Outcome::Pending } else { Outcome::Unanswered };
        while let Some(request) = self.waiting.pop_front() {
            write(Some(&request), None, outcome, service, out);
        }
    }
}

fn write(
    request: Option<&Request>,
    answer: Option<&Answer>,
    outcome: Outcome,
    service: Service,
    out: &mut Output<'_>,
) {
    let nothing = Head::default();
    let asked = request.map_or(&nothing, |request| &request.head);
    let told = answer.map_or(&nothing, |answer| &answer.head);
    let Some(first) = request.map(|request| request.at).or(answer.map(|answer| answer.at)) else { return };
    let latency = request.zip(answer).map(|(request, answer)| answer.at.ts.saturating_sub(request.at.ts));
    let either = |one: &str, other: &str| if one.is_empty() { other.to_owned() } else { one.to_owned() };
    let version = either(&told.version, &asked.version);
    let content_type = either(&told.content_type, &asked.content_type);
    let switched = told.status == Some(101);
    out.tables.http.push(HttpRow {
        ts: first.ts,
        flow_id: out.flow_id,
        client_ip: out.client_ip,
        server_ip: out.server_ip,
        client_port: out.client_port,
        server_port: out.server_port,
        request_frame: request.map(|request| request.at.frame),
        response_frame: answer.map(|answer| answer.at.frame),
        service,
        outcome,
        method: &asked.method,
        host: &asked.host,
        path: &asked.path,
        version: &version,
        status: told.status,
        latency_ns: latency.and_then(|ns| u64::try_from(ns).ok()),
        user_agent: &asked.user_agent,
        server: &told.server,
        content_type: &content_type,
        request_body_bytes: asked.content_length,
        response_body_bytes: told.content_length,
        authentication: &asked.authentication,
        secret_seen: asked.secret_seen || told.secret_seen,
        upgrade: if switched { &told.upgrade } else { "" },
        after_gap: request.is_some_and(|request| request.after_gap)
            || answer.is_some_and(|answer| answer.after_gap)
            || (request.is_none() && out.one_sided),
        confidence: if outcome == Outcome::Answered { Confidence::Handshake } else { Confidence::Structure },
        _borrow: ROW,
    });
}
