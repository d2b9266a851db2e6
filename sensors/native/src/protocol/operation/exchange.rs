//! Requests that wait, answers that come, messages that nobody answers: the rows of one flow.
//!
//! An answer belongs to the oldest request that waits with its key, so latency may read high, never low.

use std::collections::VecDeque;

use super::counting::Tick;
use super::row::write_in_flow;
use super::{Answer, Counting, Ends, Operation, Row};
use crate::anomaly::At;
use crate::protocol::{Loss, Output, Role};
use crate::words::{Confidence, Outcome, Service};

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Pending<K> {
    pub key: K,
    pub from: Role,
    pub at: At,
    pub operation: Operation,
    after_gap: bool,
}

/// The operations of one flow.
pub struct Exchange<K> {
    /// What the rows call the flow, and how that is known.
    pub service: Service,
    pub confidence: Confidence,
    waiting: VecDeque<Pending<K>>,
    counting: Counting,
    /// The next message of that side stands behind a gap.
    after_gap: [bool; 2],
    /// Requests of that side may have been lost.
    lost: [Loss; 2],
}

/// Who is the client of a message that nothing answers.
fn asker(operation: &Operation, from: Role) -> Role {
    if operation.is_told { from.other() } else { from }
}

impl<K: PartialEq> Exchange<K> {
    pub fn new(service: Service, confidence: Confidence) -> Self {
        Self {
            service,
            confidence,
            waiting: VecDeque::new(),
            counting: Counting::default(),
            after_gap: [false; 2],
            lost: Default::default(),
        }
    }

    /// Bytes of a side were not seen, or not yet: what the other side says may answer them.
    pub fn unseen(&mut self, from: Role) {
        self.lost[from.index()].note();
    }

    /// A message is read.
    pub fn message_begins(&mut self, at: At) {
        self.lost.iter_mut().for_each(|lost| lost.pass(at));
    }

    /// Bytes of a side are missing.
    pub fn gap(&mut self, from: Role) {
        self.after_gap[from.index()] = true;
        for pending in &mut self.waiting {
            pending.after_gap = true;
        }
    }

    /// The message that was read is done with: the next one does not stand behind the gap.
    pub fn message_done(&mut self, from: Role) {
        self.after_gap[from.index()] = false;
    }

    /// A request joins those that wait; over the limit the oldest is given up.
    pub fn ask(&mut self, key: K, from: Role, operation: Operation, at: At, out: &mut Output<'_>) {
        self.expire_waiting(at.ts, out);
        let after_gap = self.after_gap[from.index()];
        let full = self.waiting.len() as u64 >= out.limits.operations_pending;
        let all_full = out.counts.operations_waiting >= out.limits.operations_pending_all;
        self.waiting.push_back(Pending { key, from, at, operation, after_gap });
        if full || all_full {
            out.give_up_request("operations", self.waiting.len() - 1, at);
            if let Some(oldest) = self.waiting.pop_front() {
                self.write(oldest, None, Outcome::Unanswered, out);
            }
        } else {
            out.counts.operations_waiting += 1;
        }
    }

    /// The oldest request of the other side that waits with this key, for whoever reads its answer.
    pub fn request(&mut self, from: Role, key: &K) -> Option<&mut Pending<K>> {
        self.waiting.iter_mut().find(|pending| pending.from != from && pending.key == *key)
    }

    /// The same by another sign than the whole key.
    pub fn request_like(&mut self, from: Role, fits: impl Fn(&K) -> bool) -> Option<&mut Pending<K>> {
        self.waiting.iter_mut().find(|pending| pending.from != from && fits(&pending.key))
    }

    /// An answer of `from`: writes the row of its request; false where no request waits for it.
    pub fn answer(&mut self, key: &K, from: Role, answer: &Answer, at: At, out: &mut Output<'_>) -> bool {
        let fits = |pending: &Pending<K>| pending.from != from && pending.key == *key;
        let Some(place) = self.waiting.iter().position(fits) else { return false };
        let Some(mut pending) = self.waiting.remove(place) else { return false };
        out.counts.operations_waiting = out.counts.operations_waiting.saturating_sub(1);
        pending.after_gap |= self.after_gap[from.index()];
        let outcome = if answer.error.is_some() { Outcome::Exception } else { Outcome::Answered };
        self.write(pending, Some((at, answer)), outcome, out);
        true
    }

    /// The same; an answer that nobody waits for becomes a row of its own.
    pub fn answer_or_orphan(
        &mut self,
        key: &K,
        from: Role,
        answer: &Answer,
        at: At,
        out: &mut Output<'_>,
        describe: impl FnOnce() -> Operation,
    ) {
        if self.answer(key, from, answer, at, out) {
            return;
        }
        let lost = &self.lost[from.other().index()];
        let is_explained = out.one_sided || lost.explains(at, out.limits.operation_pending_s);
        let row = Row {
            service: self.service,
            confidence: self.confidence,
            operation: describe(),
            asked: None,
            answered: Some(at),
            answer: Some(answer),
            outcome: Outcome::Orphan,
            count: 1,
            span_ns: 0,
            after_gap: self.after_gap[from.index()] || is_explained,
        };
        write_in_flow(out, from.other(), row);
    }

    /// A message that no answer is for.
    pub fn tell(&mut self, from: Role, operation: Operation, at: At, out: &mut Output<'_>) {
        let asker = asker(&operation, from);
        let row = Row {
            service: self.service,
            confidence: self.confidence,
            operation,
            asked: Some(at),
            answered: None,
            answer: None,
            outcome: Outcome::OneWay,
            count: 1,
            span_ns: 0,
            after_gap: self.after_gap[from.index()],
        };
        write_in_flow(out, asker, row);
    }

    /// A cyclic message: one row for all of a minute that have its key.
    pub fn count(
        &mut self,
        key: u64,
        from: Role,
        quantity: Option<u32>,
        at: At,
        out: &mut Output<'_>,
        describe: impl FnOnce() -> Operation,
    ) {
        let tick = Tick {
            // The sides are counted apart.
            key: key.rotate_left(1) ^ from.index() as u64,
            service: self.service,
            at,
            quantity,
            after_gap: self.after_gap[from.index()],
        };
        let ends = [Role::Client, Role::Server].map(|asker| Ends::of(out, asker));
        self.counting.count(&tick, self.confidence, &mut out.tables.operations, || {
            let operation = describe();
            (ends[asker(&operation, from).index()], operation)
        });
    }

    /// Gives up what waited too long, and writes the counts of the minute.
    pub fn expire(&mut self, now: i64, out: &mut Output<'_>) {
        self.expire_waiting(now, out);
        self.counting.flush(self.confidence, &mut out.tables.operations);
    }

    fn expire_waiting(&mut self, now: i64, out: &mut Output<'_>) {
        let patience = i64::try_from(out.limits.operation_pending_s.saturating_mul(1_000_000_000));
        let patience = patience.unwrap_or(i64::MAX);
        while let Some(oldest) = self.waiting.front() {
            if now.saturating_sub(oldest.at.ts) < patience {
                break;
            }
            out.counts.operations_waiting = out.counts.operations_waiting.saturating_sub(1);
            if let Some(oldest) = self.waiting.pop_front() {
                self.write(oldest, None, Outcome::Unanswered, out);
            }
        }
    }

    /// The flow is over.
    pub fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>) {
        self.expire(now, out);
        let outcome = if capture_ended { Outcome::Pending } else { Outcome::Unanswered };
        for pending in std::mem::take(&mut self.waiting) {
            out.counts.operations_waiting = out.counts.operations_waiting.saturating_sub(1);
            self.write(pending, None, outcome, out);
        }
    }

    fn write(
        &self,
        pending: Pending<K>,
        answered: Option<(At, &Answer)>,
        outcome: Outcome,
        out: &mut Output<'_>,
    ) {
        let row = Row {
            service: self.service,
            confidence: self.confidence,
            operation: pending.operation,
            asked: Some(pending.at),
            answered: answered.map(|(at, _)| at),
            answer: answered.map(|(_, answer)| answer),
            outcome,
            count: 1,
            span_ns: 0,
            after_gap: pending.after_gap,
        };
        write_in_flow(out, pending.from, row);
    }
}
