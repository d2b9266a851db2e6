//! Requests that wait, found again by the identifier that their responses carry.
//!
//! A Publish waits by design until there is something to tell, for minutes or hours: it has no time limit.

use std::collections::{BTreeMap, HashMap};

use foldhash::quality::RandomState;

use super::message::Message;
use super::row::{self, Connection};
use super::service::UaService;
use crate::anomaly::AnomalyKind;
use crate::protocol::Output;
use crate::words::Outcome;

/// Answered requests that are remembered, so that a second response is called a duplicate.
const ANSWERED_KEPT: usize = 64;

/// Where a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queue {
    Call,
    Publish,
}

/// The requests of one flow that wait, in the order in which they were asked.
#[derive(Debug, Default)]
pub struct Pairing {
    calls: BTreeMap<u64, Box<Message>>,
    publishes: BTreeMap<u64, Box<Message>>,
    places: HashMap<u32, (Queue, u64), RandomState>,
    serial: u64,
    held: usize,
    answered: Vec<u32>,
    answered_at: usize,
}

impl Pairing {
    pub fn waiting(&self) -> usize {
        self.calls.len() + self.publishes.len()
    }

    /// Bytes that the waiting ones cost.
    pub fn held(&self) -> usize {
        self.held
    }

    /// A request joins those that wait; over the limit the oldest is given up.
    pub fn ask(&mut self, request: Box<Message>, connection: &Connection, out: &mut Output<'_>) {
        self.expire(request.at.ts, connection, out);
        let Some(id) = request.request_id else { return };
        if let Some(before) = self.take(id, out) {
            out.anomaly(AnomalyKind::IdentifierInUse, request.at, &|| {
                format!("request {id} is asked again while it waits")
            });
            row::write(connection, Some(&before), None, Outcome::Unanswered, out);
        }
        while self.waiting() as u64 >= out.limits.pending_limit {
            out.give_up_request("requests", self.waiting(), request.at);
            self.give_up_oldest(connection, out);
        }
        out.counts.opcua_waiting += 1;
        self.serial += 1;
        self.held += request.size();
        let queue = if request.service == UaService::Publish { Queue::Publish } else { Queue::Call };
        let serial = self.serial;
        self.places.insert(id, (queue, serial));
        self.queue(queue).insert(serial, request);
    }

    fn queue(&mut self, queue: Queue) -> &mut BTreeMap<u64, Box<Message>> {
        match queue {
            Queue::Call => &mut self.calls,
            Queue::Publish => &mut self.publishes,
        }
    }

    fn take(&mut self, id: u32, out: &mut Output<'_>) -> Option<Box<Message>> {
        let (queue, serial) = self.places.remove(&id)?;
        let request = self.queue(queue).remove(&serial)?;
        self.held -= request.size();
        out.counts.opcua_waiting -= 1;
        Some(request)
    }

    /// The request that a response answers, taken out.
    pub fn answer(&mut self, id: u32, out: &mut Output<'_>) -> Option<Box<Message>> {
        let request = self.take(id, out)?;
        if self.answered.len() < ANSWERED_KEPT {
            self.answered.push(id);
        } else {
            self.answered[self.answered_at] = id;
            self.answered_at = (self.answered_at + 1) % ANSWERED_KEPT;
        }
        Some(request)
    }

    pub fn was_answered(&self, id: u32) -> bool {
        self.answered.contains(&id)
    }

    /// Gives up the request that has waited for longest; false where none waits.
    pub fn give_up_oldest(&mut self, connection: &Connection, out: &mut Output<'_>) -> bool {
        let first = |queue: &BTreeMap<u64, Box<Message>>| queue.first_key_value().map(|(serial, _)| *serial);
        let (call, publish) = (first(&self.calls), first(&self.publishes));
        let oldest = match (call, publish) {
            (Some(call), Some(publish)) if publish < call => self.publishes.pop_first(),
            (Some(_), _) => self.calls.pop_first(),
            (None, _) => self.publishes.pop_first(),
        };
        let Some((_, request)) = oldest else { return false };
        self.given_up(request, Outcome::Unanswered, connection, out);
        true
    }

    fn given_up(
        &mut self,
        request: Box<Message>,
        outcome: Outcome,
        connection: &Connection,
        out: &mut Output<'_>,
    ) {
        self.held -= request.size();
        out.counts.opcua_waiting -= 1;
        if let Some(id) = request.request_id {
            self.places.remove(&id);
        }
        row::write(connection, Some(&request), None, outcome, out);
    }

    /// Gives up requests that have waited for longer than the limit.
    pub fn expire(&mut self, now: i64, connection: &Connection, out: &mut Output<'_>) {
        while self.calls.first_key_value().is_some_and(|(_, request)| is_overdue(request, now, out)) {
            if let Some((_, request)) = self.calls.pop_first() {
                self.given_up(request, Outcome::Unanswered, connection, out);
            }
        }
    }

    /// The flow is over: what still waits was never answered, or the capture ended too early to tell.
    pub fn end(&mut self, now: i64, capture_ended: bool, connection: &Connection, out: &mut Output<'_>) {
        let mut waiting = std::mem::take(&mut self.calls);
        waiting.append(&mut self.publishes);
        for (_, request) in waiting {
            let pending =
                capture_ended && (request.service == UaService::Publish || !is_overdue(&request, now, out));
            let outcome = if pending { Outcome::Pending } else { Outcome::Unanswered };
            self.given_up(request, outcome, connection, out);
        }
    }
}

/// True where a request has waited for longer than the limit.
pub fn is_overdue(request: &Message, now: i64, out: &Output<'_>) -> bool {
    let waited_ns = u64::try_from(now.saturating_sub(request.at.ts)).unwrap_or(0);
    waited_ns / 1_000_000_000 >= out.limits.opcua_pending_s
}
