//! Packets that wait for their answer, answers that come, and what both are together.
//!
//! A packet identifier belongs to the side that sends the packet (MQTT 5.0, 2.2.1). A repeated packet (DUP, or the
//! same identifier again) is counted with the first: latency may read high, never low.

use std::collections::{HashMap, VecDeque};

use foldhash::quality::RandomState;

use super::row::{self, Answer, Row};
use super::said::Said;
use super::session::{hold, release};
use super::words::{PacketType, is_refusal};
use crate::anomaly::At;
use crate::protocol::{Output, Role};
use crate::words::Outcome;

/// What an answer is held against: the kind of exchange, who began it, its identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub exchange: Exchange,
    pub from: Role,
    pub id: u16,
}

/// Exchanges of packets with an identifier, and those without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exchange {
    /// PUBLISH of QoS 1, PUBACK.
    AtLeastOnce,
    /// PUBLISH of QoS 2, PUBREC, PUBREL, PUBCOMP.
    ExactlyOnce,
    /// A PUBREL whose PUBLISH was on another connection, PUBCOMP.
    Release,
    Subscribe,
    Unsubscribe,
    Connect,
    Ping,
    Authenticate,
}

/// A packet that waits.
#[derive(Debug)]
pub struct Pending {
    pub said: Said<'static>,
    pub at: At,
    pub from: Role,
    pub after_gap: bool,
    pub retries: u16,
    pub answer: Option<Answer>,
    pub pubrel: Option<At>,
    serial: u64,
    weight: u64,
}

impl Pending {
    /// Its row, however it ended.
    pub fn row(&self, outcome: Outcome) -> Row<'_> {
        Row {
            said: &self.said,
            from: self.from,
            request: Some(self.at),
            answer: self.answer,
            pubrel: self.pubrel,
            pubcomp: None,
            retries: self.retries,
            outcome,
            after_gap: self.after_gap || self.answer.is_some_and(|answer| answer.after_gap),
        }
    }

    /// The outcome of an answer's code.
    pub fn outcome(answer: &Answer, before_5: bool) -> Outcome {
        let refused = answer.code.is_some_and(|code| is_refusal(code, answer.kind, before_5));
        if refused { Outcome::Refused } else { Outcome::Answered }
    }
}

/// The packets of one connection that wait.
#[derive(Debug, Default)]
pub struct Pairing {
    waiting: HashMap<Key, Pending, RandomState>,
    /// In order of time; an entry whose serial is not the waiting one's is over.
    order: VecDeque<(Key, u64)>,
    last_serial: u64,
    /// Packets without an identifier are numbered: the next to be sent, the next to be answered.
    unnumbered: [[u16; 2]; 3],
}

fn counter(exchange: Exchange) -> usize {
    match exchange {
        Exchange::Connect => 0,
        Exchange::Ping => 1,
        _ => 2,
    }
}

impl Pairing {
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The packet that waits under a key.
    pub fn get(&mut self, key: &Key) -> Option<&mut Pending> {
        self.waiting.get_mut(key)
    }

    /// The key of a packet without an identifier that is sent now.
    pub fn next_unnumbered(&mut self, exchange: Exchange, from: Role) -> Key {
        let [sent, _] = &mut self.unnumbered[counter(exchange)];
        let id = *sent;
        *sent = sent.wrapping_add(1);
        Key { exchange, from, id }
    }

    /// The oldest packet without an identifier that waits.
    pub fn oldest_unnumbered(&mut self, exchange: Exchange, from: Role) -> Option<Key> {
        let [sent, answered] = &mut self.unnumbered[counter(exchange)];
        while answered != sent {
            let key = Key { exchange, from, id: *answered };
            if self.waiting.contains_key(&key) {
                return Some(key);
            }
            // It was given up.
            *answered = answered.wrapping_add(1);
        }
        None
    }

    /// A packet joins those that wait; what has no room, or an older one for which there is none left, is given up.
    pub fn ask(
        &mut self,
        key: Key,
        said: Said<'static>,
        at: At,
        after_gap: bool,
        out: &mut Output<'_>,
        mut each: impl FnMut(Pending, &mut Output<'_>),
    ) {
        if self.waiting.len() as u64 >= out.limits.pending_limit {
            out.give_up_request("packets", self.waiting.len(), at);
            self.give_up_oldest(out, &mut each);
        }
        let weight = said.weight();
        self.last_serial += 1;
        let serial = self.last_serial;
        let pending = Pending {
            said,
            at,
            from: key.from,
            after_gap,
            retries: 0,
            answer: None,
            pubrel: None,
            serial,
            weight,
        };
        if !hold(weight, out) {
            out.counts.evicted_requests += 1;
            return each(pending, out);
        }
        self.waiting.insert(key, pending);
        self.order.push_back((key, serial));
        // Entries that are over are swept out before they are more than those that wait.
        if self.order.len() > 2 * self.waiting.len() + 64 {
            let waiting = &self.waiting;
            self.order.retain(|(key, serial)| waiting.get(key).is_some_and(|one| one.serial == *serial));
        }
    }

    /// The packet of a key, taken out.
    pub fn take(&mut self, key: &Key, out: &mut Output<'_>) -> Option<Pending> {
        let pending = self.waiting.remove(key)?;
        release(pending.weight, out);
        Some(pending)
    }

    fn give_up_oldest(&mut self, out: &mut Output<'_>, each: &mut impl FnMut(Pending, &mut Output<'_>)) {
        while let Some((key, serial)) = self.order.pop_front() {
            if self.waiting.get(&key).is_some_and(|one| one.serial == serial) {
                if let Some(pending) = self.take(&key, out) {
                    return each(pending, out);
                }
            }
        }
    }

    /// A gap may hide the answer of any packet that waits.
    pub fn mark_gap(&mut self) {
        for pending in self.waiting.values_mut() {
            pending.after_gap = true;
        }
    }

    /// Gives up what has waited for longer than the limit.
    pub fn expire(&mut self, now: i64, out: &mut Output<'_>, mut each: impl FnMut(Pending, &mut Output<'_>)) {
        while let Some((key, serial)) = self.order.front().copied() {
            let live = self.waiting.get(&key).filter(|one| one.serial == serial);
            if live.is_some_and(|one| !row::is_overdue(one.at, now, out.limits)) {
                return;
            }
            self.order.pop_front();
            if live.is_some() {
                if let Some(pending) = self.take(&key, out) {
                    each(pending, out);
                }
            }
        }
    }

    /// The flow is over: everything that waits, in order.
    pub fn end(&mut self, out: &mut Output<'_>, mut each: impl FnMut(Pending, &mut Output<'_>)) {
        while !self.waiting.is_empty() && !self.order.is_empty() {
            self.give_up_oldest(out, &mut each);
        }
    }
}

/// The exchange that an answer belongs to.
pub fn answered_exchange(kind: PacketType) -> Option<Exchange> {
    match kind {
        PacketType::Puback => Some(Exchange::AtLeastOnce),
        PacketType::Suback => Some(Exchange::Subscribe),
        PacketType::Unsuback => Some(Exchange::Unsubscribe),
        PacketType::Connack => Some(Exchange::Connect),
        PacketType::Pingresp => Some(Exchange::Ping),
        _ => None,
    }
}
