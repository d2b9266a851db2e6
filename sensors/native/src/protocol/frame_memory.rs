//! What is remembered from frame to frame of protocols without IP: cyclic frames counted, requests that wait.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;

use super::operation::{Answer, Counting, Ends, Operation, Row, Tick, write};
use crate::anomaly::At;
use crate::layer2::FrameOutput;
use crate::limits::Limits;
use crate::tables::{OperationRows, Tables};
use crate::words::{Confidence, Outcome, Service};

/// Kinds of cyclic frames that are counted apart.
const KINDS: usize = 4_096;

/// Requests that wait at once; the oldest is given up for one more.
const WAITING: usize = 1_024;

struct Waiting {
    key: u64,
    service: Service,
    ends: Ends,
    operation: Operation,
    at: At,
    answers: u32,
}

/// The memory of one decoder.
pub struct FrameMemory {
    counting: Counting,
    waiting: VecDeque<Waiting>,
    /// Requests that were given up for one more, since last asked.
    evicted_requests: u64,
    /// Keyed by chance: nobody can write frames whose counts fall together.
    keyed: RandomState,
}

impl Default for FrameMemory {
    fn default() -> Self {
        Self {
            counting: Counting::of(KINDS),
            waiting: VecDeque::new(),
            evicted_requests: 0,
            keyed: RandomState::default(),
        }
    }
}

/// The ends of a frame: who sends it asks.
fn ends(out: &FrameOutput<'_>) -> Ends {
    Ends { client_mac: out.link.source_mac, server_mac: out.link.destination_mac, ..Ends::default() }
}

impl FrameMemory {
    /// Counts a cyclic frame of its sender; `distinct` tells its kind from others.
    pub fn count(
        out: &mut FrameOutput<'_>,
        service: Service,
        distinct: impl Hash,
        quantity: Option<u32>,
        describe: impl FnOnce() -> Operation,
    ) {
        let mut ends = ends(out);
        let memory = &mut *out.memory;
        let key = memory.keyed.hash_one((ends.client_mac, ends.server_mac, service, distinct));
        let tick = Tick { key, service, at: out.at, quantity, after_gap: false };
        memory.counting.count(&tick, Confidence::Structure, &mut out.tables.operations, || {
            let operation = describe();
            if operation.is_told {
                (ends.client_mac, ends.server_mac) = (ends.server_mac, ends.client_mac);
            }
            (ends, operation)
        });
    }

    /// Requests that were given up for want of room since this was last asked.
    pub fn take_evicted_requests(&mut self) -> u64 {
        std::mem::take(&mut self.evicted_requests)
    }

    /// A request that a frame brings.
    pub fn ask(out: &mut FrameOutput<'_>, service: Service, key: u64, operation: Operation) {
        let waiting = Waiting { key, service, ends: ends(out), operation, at: out.at, answers: 0 };
        out.memory.waiting.push_back(waiting);
        if out.memory.waiting.len() > WAITING {
            out.memory.evicted_requests += 1;
            let oldest = out.memory.waiting.pop_front();
            give_up(oldest, Outcome::Unanswered, &mut out.tables.operations);
        }
    }

    /// An answer: a request to all has one of each device, and every one is a row.
    pub fn answer(
        out: &mut FrameOutput<'_>,
        service: Service,
        key: u64,
        answer: &Answer,
        describe: impl FnOnce() -> Operation,
    ) {
        let (asker, device) = (out.link.destination_mac, out.link.source_mac);
        let fits = |waiting: &&mut Waiting| waiting.key == key && waiting.ends.client_mac == asker;
        let asked = out.memory.waiting.iter_mut().find(fits).map(|waiting| {
            waiting.answers = waiting.answers.saturating_add(1);
            (waiting.at, waiting.operation.clone())
        });
        let is_error = answer.error.is_some();
        let outcome = match &asked {
            None => Outcome::Orphan,
            Some(_) if is_error => Outcome::Exception,
            Some(_) => Outcome::Answered,
        };
        let (at, operation) = asked.map_or_else(|| (None, describe()), |(at, known)| (Some(at), known));
        let row = row(service, operation, at, outcome);
        let ends = Ends { client_mac: asker, server_mac: device, ..Ends::default() };
        let row = Row { answered: Some(out.at), answer: Some(answer), ..row };
        write(&mut out.tables.operations, &ends, row);
    }

    /// A frame that nothing answers.
    pub fn tell(out: &mut FrameOutput<'_>, service: Service, operation: Operation) {
        let mut ends = ends(out);
        if operation.is_told {
            (ends.client_mac, ends.server_mac) = (ends.server_mac, ends.client_mac);
        }
        let row = row(service, operation, Some(out.at), Outcome::OneWay);
        write(&mut out.tables.operations, &ends, row);
    }

    /// A minute is over: its counts are written, and requests that waited too long are given up.
    pub fn end_minute(&mut self, now: i64, limits: &Limits, tables: &mut Tables) {
        let rows = &mut tables.operations;
        self.counting.flush(Confidence::Structure, rows);
        let patience = limits.operation_pending_s.saturating_mul(1_000_000_000);
        let patience = i64::try_from(patience).unwrap_or(i64::MAX);
        while self.waiting.front().is_some_and(|oldest| now.saturating_sub(oldest.at.ts) >= patience) {
            give_up(self.waiting.pop_front(), Outcome::Unanswered, rows);
        }
    }

    /// The capture is over.
    pub fn end(&mut self, tables: &mut Tables) {
        let rows = &mut tables.operations;
        self.counting.flush(Confidence::Structure, rows);
        for waiting in std::mem::take(&mut self.waiting) {
            give_up(Some(waiting), Outcome::Pending, rows);
        }
    }
}

fn row<'a>(service: Service, operation: Operation, asked: Option<At>, outcome: Outcome) -> Row<'a> {
    Row {
        service,
        confidence: Confidence::Structure,
        operation,
        asked,
        answered: None,
        answer: None,
        outcome,
        count: 1,
        span_ns: 0,
        after_gap: false,
    }
}

/// A request that got no answer is a row too; one that had some is not.
fn give_up(waiting: Option<Waiting>, outcome: Outcome, rows: &mut OperationRows) {
    let Some(waiting) = waiting.filter(|waiting| waiting.answers == 0) else { return };
    write(rows, &waiting.ends, row(waiting.service, waiting.operation, Some(waiting.at), outcome));
}
