//! Cyclic messages, counted: one row for each kind of them and minute, since rows are the budget.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Ends, Operation, Row, write};
use crate::anomaly::At;
use crate::tables::OperationRows;
use crate::words::{Confidence, Outcome, Service};

pub const MINUTE_NS: i64 = 60_000_000_000;

/// Kinds of messages of one flow that are counted apart; one more ends the counts so far, as the end of their minute
/// does.
const KINDS: usize = 32;

struct Counted {
    ends: Ends,
    operation: Operation,
    service: Service,
    first: At,
    last: i64,
    count: u32,
    after_gap: bool,
}

/// The counts of the current minute.
pub struct Counting {
    counted: Vec<Counted>,
    places: HashMap<u64, usize, RandomState>,
    kinds: usize,
}

impl Default for Counting {
    fn default() -> Self {
        Self::of(KINDS)
    }
}

/// One message that is counted and not written down by itself.
pub struct Tick {
    /// Tells the kinds of messages apart.
    pub key: u64,
    pub service: Service,
    pub at: At,
    /// How many values it has.
    pub quantity: Option<u32>,
    pub after_gap: bool,
}

impl Counting {
    /// Counts that tell so many kinds apart.
    pub fn of(kinds: usize) -> Self {
        Self { counted: Vec::new(), places: HashMap::default(), kinds }
    }

    /// Counts a message; `describe` says what it is when it is the first of its kind in the minute.
    pub fn count(
        &mut self,
        tick: &Tick,
        confidence: Confidence,
        rows: &mut OperationRows,
        describe: impl FnOnce() -> (Ends, Operation),
    ) {
        let minute = |ts: i64| ts.div_euclid(MINUTE_NS);
        if self.counted.first().is_some_and(|first| minute(first.first.ts) != minute(tick.at.ts)) {
            self.flush(confidence, rows);
        }
        let place = self.places.get(&tick.key).copied();
        if let Some(known) = place.and_then(|place| self.counted.get_mut(place)) {
            known.count = known.count.saturating_add(1);
            known.last = known.last.max(tick.at.ts);
            known.after_gap |= tick.after_gap;
            if let (Some(sum), Some(more)) = (&mut known.operation.quantity, tick.quantity) {
                *sum = sum.saturating_add(more);
            }
            return;
        }
        if self.counted.len() >= self.kinds {
            self.flush(confidence, rows);
        }
        let (ends, mut operation) = describe();
        operation.quantity = tick.quantity;
        self.places.insert(tick.key, self.counted.len());
        self.counted.push(Counted {
            ends,
            operation,
            service: tick.service,
            first: tick.at,
            last: tick.at.ts,
            count: 1,
            after_gap: tick.after_gap,
        });
    }

    /// Writes the counts so far, in the order of their first messages.
    pub fn flush(&mut self, confidence: Confidence, rows: &mut OperationRows) {
        self.places.clear();
        for counted in self.counted.drain(..) {
            let row = Row {
                service: counted.service,
                confidence,
                operation: counted.operation,
                asked: Some(counted.first),
                answered: None,
                answer: None,
                outcome: Outcome::OneWay,
                count: counted.count,
                span_ns: u64::try_from(counted.last.saturating_sub(counted.first.ts)).unwrap_or(0),
                after_gap: counted.after_gap,
            };
            write(rows, &counted.ends, row);
        }
    }
}
