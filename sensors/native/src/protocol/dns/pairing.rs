//! Queries that wait for their answers.

use std::collections::VecDeque;

use super::message::{Message, Question};
use crate::anomaly::At;

/// Queries of one flow that wait; a resolver that asks more at once uses other ports.
pub const WAITING: usize = 128;

/// A client has asked again, or given up, long before (RFC 1035, 4.2.1, asks for 2 to 5 seconds).
pub const WAITS_NS: i64 = 30_000_000_000;

/// A query.
#[derive(Clone, Debug)]
pub struct Query {
    pub at: At,
    pub id: u16,
    pub opcode: u8,
    pub question: Option<Question>,
    pub bytes: u32,
}

impl Query {
    pub fn new(message: &Message<'_>, at: At) -> Self {
        Self {
            at,
            id: message.header.id,
            opcode: message.header.opcode(),
            question: message.questions.first().cloned(),
            bytes: message.bytes.len() as u32,
        }
    }

    /// A response repeats the question (RFC 1035, 4.1.1); names are equal whatever their case (RFC 4343). One
    /// without a question, as some servers send with an error, has the identifier alone.
    fn is_answered_by(&self, message: &Message<'_>) -> bool {
        self.id == message.header.id
            && match (&self.question, message.questions.first()) {
                (Some(asked), Some(repeated)) => {
                    asked.kind == repeated.kind && asked.name.eq_ignore_ascii_case(&repeated.name)
                }
                _ => true,
            }
    }
}

/// One flow's queries, the oldest first.
#[derive(Debug, Default)]
pub struct Pairing {
    waiting: VecDeque<Query>,
}

impl Pairing {
    /// A query waits; the oldest is given up where there is no room left.
    pub fn ask(&mut self, query: Query) -> Option<Query> {
        self.waiting.push_back(query);
        if self.waiting.len() > WAITING { self.waiting.pop_front() } else { None }
    }

    /// The query that a response answers; of repeated ones the first.
    pub fn answer(&mut self, message: &Message<'_>) -> Option<Query> {
        let index = self.waiting.iter().position(|query| query.is_answered_by(message))?;
        self.waiting.remove(index)
    }

    /// The oldest query, where it has waited for too long.
    pub fn overdue(&mut self, now: i64) -> Option<Query> {
        let oldest = self.waiting.front()?;
        if now.saturating_sub(oldest.at.ts) > WAITS_NS { self.waiting.pop_front() } else { None }
    }

    /// The oldest query, however long it has waited.
    pub fn oldest(&mut self) -> Option<Query> {
        self.waiting.pop_front()
    }
}
