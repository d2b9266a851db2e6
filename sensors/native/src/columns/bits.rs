//! Bits that are pushed one by one, as Arrow keeps them: lowest bit of each byte first.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

use super::Values;

#[derive(Default)]
pub struct Bits {
    bytes: Values<u8>,
    count: usize,
    set: usize,
}

impl Bits {
    #[inline]
    pub fn push(&mut self, bit: bool) {
        let place = self.count % 8;
        if place == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << place;
        }
        self.count += 1;
        self.set += usize::from(bit);
    }

    /// The bits so far; none are left.
    pub fn take(&mut self) -> BooleanBuffer {
        let bytes = Buffer::from_vec(self.bytes.take());
        self.set = 0;
        BooleanBuffer::new(bytes, 0, std::mem::take(&mut self.count))
    }

    /// The same as what says which values are there; none where all are.
    pub fn take_nulls(&mut self) -> Option<NullBuffer> {
        let whole = self.set == self.count;
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
        for round in 0..3 {
            let pushed: Vec<bool> = (0..round * 13 + 1).map(|at| at % 3 == round).collect();
            pushed.iter().for_each(|bit| bits.push(*bit));
            assert_eq!(bits.take().iter().collect::<Vec<_>>(), pushed);
        }
        assert_eq!(bits.take().len(), 0);
    }

    #[test]
    fn where_nothing_is_missing_nothing_says_so() {
        let mut bits = Bits::default();
        (0..9).for_each(|_| bits.push(true));
        assert!(bits.take_nulls().is_none());
        (0..9).for_each(|at| bits.push(at != 8));
        assert_eq!(bits.take_nulls().map(|nulls| nulls.null_count()), Some(1));
    }
}
