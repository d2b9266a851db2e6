//! Ranges of a stream that were sent again, so that a range sent a third time is one loss.

/// Ranges remembered for one side; neighbours count as one. The oldest makes room: a range that comes again after
/// that reads as another loss, so the count may be high, never low.
const RANGE_LIMIT: usize = 32;

#[derive(Debug, Default)]
pub struct Repeats {
    ranges: Vec<(u64, u64)>,
}

impl Repeats {
    /// Remembers a repeated range; false where all of it was repeated before.
    pub fn is_new(&mut self, start: u64, end: u64) -> bool {
        if self.ranges.iter().any(|range| range.0 <= start && end <= range.1) {
            return false;
        }
        let neighbour = self.ranges.iter_mut().rfind(|range| start <= range.1 && range.0 <= end);
        if let Some(range) = neighbour {
            *range = (range.0.min(start), range.1.max(end));
            return true;
        }
        if self.ranges.len() >= RANGE_LIMIT {
            self.ranges.remove(0);
        }
        self.ranges.push((start, end));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_new_once() {
        let mut repeats = Repeats::default();
        for start in [0, 30, 60, 90] {
            assert!(repeats.is_new(start, start + 10));
        }
        for start in [0, 30, 60, 90] {
            assert!(!repeats.is_new(start + 2, start + 10), "{start}");
        }
    }

    #[test]
    fn neighbours_are_one_range() {
        let mut repeats = Repeats::default();
        assert!(repeats.is_new(0, 10) && repeats.is_new(10, 20));
        assert!(!repeats.is_new(5, 15));
        assert!(repeats.is_new(15, 25));
    }

    #[test]
    fn however_many_ranges_there_are_the_list_stays_short() {
        let mut repeats = Repeats::default();
        for start in 0..1_000_000 {
            assert!(repeats.is_new(start * 20, start * 20 + 10));
        }
        assert!(repeats.ranges.len() <= RANGE_LIMIT);
    }
}
