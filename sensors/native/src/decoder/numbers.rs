//! Flows are numbered with 32 bits: before the numbers run out everything that is open is written, and they begin anew.

use arrow_array::RecordBatch;

use super::{Decoder, ROWS_A_CALL};
use crate::limits::Limits;

/// A frame opens one flow; what is kept back beyond that costs nothing.
const KEPT_BACK: u64 = 2;

/// The numbers that a decoder may give.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// The one before its first.
    before: u32,
    last: u32,
    /// Rows after which a call returns: none any more once the numbers are used up. In this way whoever looks at every
    /// frame for the one looks for the other too.
    pub(super) rows_a_call: usize,
}

impl Numbers {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { before: 0, last: all(limits), rows_a_call: ROWS_A_CALL }
    }

    /// A flow was opened. It and all others at hand may still have to be numbered: counted as if none of them were.
    #[inline]
    pub(super) fn watch(&mut self, latest: u32, at_hand: usize) {
        if u64::from(latest) + at_hand as u64 + KEPT_BACK > u64::from(self.last) {
            self.rows_a_call = 0;
        }
    }
}

/// The last number, where one decoder gives them all.
fn all(limits: &Limits) -> u32 {
    u32::try_from(limits.flow_numbers).unwrap_or(u32::MAX)
}

impl Decoder {
    /// Numbers its flows with one of several equal parts of all numbers, the first is 0: decoders of one interface give
    /// each flow a number of its own.
    pub fn number_flows_in(&mut self, part: u32, parts: u32) {
        let share = (all(&self.shared.limits) / parts.max(1)).max(1);
        let before = share.saturating_mul(part);
        self.numbers = Numbers { before, last: before.saturating_add(share), rows_a_call: ROWS_A_CALL };
        self.shared.last_flow_id = before;
    }

    /// True where one more flow might find no number: `begin_anew` comes next.
    pub fn numbers_are_used_up(&self) -> bool {
        self.numbers.rows_a_call == 0
    }

    /// Ends all that is open, as at the end of a capture, and begins anew with the first number; the rows of what ended.
    ///
    /// Frames are numbered on, and the summary goes on. What the next packets belong to is as unknown as it is when
    /// listening begins.
    pub fn begin_anew(&mut self) -> Vec<(&'static str, RecordBatch)> {
        self.finish_capture();
        let rows = self.take();
        let mut anew = Self::new(self.shared.limits);
        anew.shared.last_flow_id = self.numbers.before;
        anew.numbers = Numbers { rows_a_call: ROWS_A_CALL, ..self.numbers };
        anew.summary = std::mem::take(&mut self.summary);
        *self = anew;
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Record;

    /// A decoder that may give so many numbers, as one of `parts`.
    fn decoder(numbers: u64, part: u32, parts: u32) -> Decoder {
        let mut limits = Limits::default();
        limits.set("flow_numbers", numbers).unwrap();
        let mut decoder = Decoder::new(limits);
        decoder.number_flows_in(part, parts);
        decoder
    }

    /// A packet of a flow of its own: UDP, numbered at once, or a TCP segment from the middle, numbered at the end.
    fn packet(decoder: &mut Decoder, port: u16) {
        let tcp = port % 3 == 0;
        let length = if tcp { 40 } else { 28 };
        let mut bytes = vec![0x45, 0, 0, length, 0, 0, 0, 0, 64, if tcp { 6 } else { 17 }, 0, 0];
        bytes.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend(port.to_be_bytes());
        bytes.extend(if tcp { &[0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10][..] } else { &[0, 7, 0, 8, 0, 0] });
        bytes.resize(usize::from(length), 0);
        let record = Record {
            ts: i64::from(port),
            wire_length: length.into(),
            link_type: 101,
            interface: 0,
            data: &bytes,
        };
        decoder.frame(&record);
    }

    /// The numbers of the flows of 1,000 packets, numbering by numbering.
    fn numberings(decoder: &mut Decoder) -> Vec<Vec<u32>> {
        let mut all = Vec::new();
        for port in 1..=1_000 {
            packet(decoder, port);
            if decoder.numbers_are_used_up() {
                all.push(numbers_of(&decoder.begin_anew()));
            }
        }
        all.push(numbers_of(&decoder.begin_anew()));
        all
    }

    fn numbers_of(rows: &[(&'static str, RecordBatch)]) -> Vec<u32> {
        let Some((_, flows)) = rows.iter().find(|(name, _)| *name == "flows") else { return Vec::new() };
        let ids = flows.column_by_name("flow_id").unwrap();
        let ids = ids.as_any().downcast_ref::<arrow_array::UInt32Array>().unwrap();
        let mut ids = ids.values().to_vec();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn no_two_flows_of_a_numbering_share_a_number() {
        for (numbers, part, parts, before, most) in
            [(100, 0, 1, 0, 100), (300, 1, 3, 100, 100), (u64::MAX, 15, 16, 15 * (u32::MAX / 16), 1_000)]
        {
            let all = numberings(&mut decoder(numbers, part, parts));
            assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 1_000);
            for ids in &all {
                let expected: Vec<u32> = (1..=ids.len() as u32).map(|number| before + number).collect();
                assert_eq!(ids, &expected);
                assert!(ids.len() <= most, "{}", ids.len());
            }
            assert_eq!(all.len() > 1, most < 1_000);
        }
    }

    #[test]
    fn even_the_fewest_numbers_are_never_given_twice() {
        for numbers in 1..6 {
            for ids in numberings(&mut decoder(numbers, 0, 1)) {
                assert!(ids.iter().copied().eq(1..=ids.len() as u32), "{ids:?}");
            }
        }
    }

    #[test]
    fn frames_are_numbered_on() {
        let mut decoder = decoder(10, 0, 1);
        numberings(&mut decoder);
        assert_eq!(decoder.frame_number(), 1_000);
    }
}
