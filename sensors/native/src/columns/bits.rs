//! Bits that are pushed one by one, as Arrow keeps them: lowest bit of each byte first.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

use super::Values;

#[derive(Default)]
pub struct Bits {
    /// Whole words of them, as bytes.
    bytes: Values<u8>,
    /// The latest ones, up to the next whole word.
    word: u64,
    count: usize,
    set: usize,
}

impl Bits {
    #[inline]
    pub fn push(&mut self, bit: bool) {
        self.word |= u64::from(bit) << (self.count % 64);
        self.count += 1;
        if self.count % 64 == 0 {
            self.end_word(8);
        }
    }

    /// The word's first bytes go to the others.
    #[cold]
    #[inline(never)]
    fn end_word(&mut self, bytes: usize) {
        let word = std::mem::take(&mut self.word);
        self.set += word.count_ones() as usize;
        self.bytes.extend(&word.to_le_bytes()[..bytes]);
    }

    /// The bits so far; none are left.
    pub fn take(&mut self) -> BooleanBuffer {
        self.end_word((self.count % 64).div_ceil(8));
        self.set = 0;
        BooleanBuffer::new(Buffer::from_vec(self.bytes.take()), 0, std::mem::take(&mut self.count))
    }

    /// The same as what says which values are there; none where all are.
    pub fn take_nulls(&mut self) -> Option<NullBuffer> {
        let whole = self.set + self.word.count_ones() as usize == self.count;
        let bits = self.take();
        (!whole).then(|| NullBuffer::new(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_out_as_they_went_in() {
        let mut bits = Bits::default();
        for count in [0_usize, 1, 8, 13, 63, 64, 65, 128, 1_000, 20_001] {
            for every in 1..4 {
                let pushed: Vec<bool> = (0..count).map(|at| at % every == 0).collect();
                pushed.iter().for_each(|bit| bits.push(*bit));
                let taken = bits.take();
                assert_eq!(taken.inner().len(), count.div_ceil(8));
                assert_eq!(taken.iter().collect::<Vec<_>>(), pushed);
            }
        }
        assert_eq!(bits.take().len(), 0);
    }

    #[test]
    fn where_nothing_is_missing_nothing_says_so() {
        let mut bits = Bits::default();
        for count in [9, 64, 100] {
            (0..count).for_each(|_| bits.push(true));
            assert!(bits.take_nulls().is_none());
            for missing in [0, count / 2, count - 1] {
                (0..count).for_each(|at| bits.push(at != missing));
                let nulls = bits.take_nulls().unwrap();
                assert_eq!((nulls.len(), nulls.null_count(), nulls.is_null(missing)), (count, 1, true));
            }
        }
    }
}
