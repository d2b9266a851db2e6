//! Ranges of a stream that were sent again, so that a peer that got one twice (RFC 2883) takes back one loss, and that one.

/// Ranges remembered for one side. The oldest makes room: it stays a loss, whatever the peer says of it later, so the
/// count may be high, never low.
const RANGE_LIMIT: usize = 32;

#[derive(Clone, Copy, Debug)]
struct Repeat {
    start: u64,
    end: u64,
    /// Counted as a loss: nothing had acknowledged it when it came again.
    counted: bool,
}

#[derive(Debug, Default)]
pub struct Repeats {
    latest: Vec<Repeat>,
}

impl Repeats {
    /// Remembers a range that was sent again.
    pub fn add(&mut self, start: u64, end: u64, counted: bool) {
        if self.latest.len() >= RANGE_LIMIT {
            self.latest.remove(0);
        }
        self.latest.push(Repeat { start, end, counted });
    }

    /// How many counted repeats lie within what the peer says it got twice, each to be taken back once.
    ///
    /// Of the same bytes the latest repeat is the one that came twice. A repeat of which a part was new to the peer was
    /// not in vain. Receivers may report neighbours as one: segments that were put together on the way (GRO).
    pub fn got_twice(&mut self, start: u64, end: u64) -> u32 {
        let mut needless = 0;
        let mut reported = end;
        for place in (0..self.latest.len()).rev() {
            let repeat = self.latest[place];
            if start <= repeat.start && repeat.end <= reported {
                self.latest.remove(place);
                reported = repeat.start;
                needless += u32::from(repeat.counted);
            }
        }
        needless
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeats(ranges: &[(u64, u64)]) -> Repeats {
        let mut repeats = Repeats::default();
        for &(start, end) in ranges {
            repeats.add(start, end, true);
        }
        repeats
    }

    #[test]
    fn each_report_takes_back_one_repeat_of_the_same_bytes() {
        let mut repeats = repeats(&[(0, 10), (0, 10), (30, 40)]);
        assert_eq!([0; 3].map(|_| repeats.got_twice(0, 10)), [1, 1, 0]);
        assert_eq!(repeats.got_twice(30, 40), 1);
    }

    #[test]
    fn neighbours_reported_as_one_are_taken_back_each() {
        let mut repeats = repeats(&[(0, 10), (0, 10), (10, 20), (20, 30)]);
        assert_eq!(repeats.got_twice(0, 20), 2);
        // What is left of the first bytes, and the last ones.
        assert_eq!(repeats.got_twice(0, 30), 2);
    }

    #[test]
    fn a_repeat_of_which_a_part_was_new_to_the_peer_stays() {
        let mut repeats = repeats(&[(0, 20)]);
        assert_eq!((repeats.got_twice(10, 20), repeats.got_twice(0, 10)), (0, 0));
        assert_eq!(repeats.got_twice(0, 20), 1);
    }

    #[test]
    fn what_was_never_counted_is_not_taken_back() {
        let mut repeats = repeats(&[(0, 10)]);
        repeats.add(0, 10, false);
        assert_eq!((repeats.got_twice(0, 10), repeats.got_twice(50, 60)), (0, 0));
    }

    #[test]
    fn however_many_ranges_there_are_the_list_stays_short() {
        let mut repeats = Repeats::default();
        for start in 0..1_000_000 {
            repeats.add(start * 20, start * 20 + 10, true);
        }
        assert_eq!(repeats.latest.len(), RANGE_LIMIT);
        assert_eq!(repeats.got_twice(0, 10), 0);
    }
}
