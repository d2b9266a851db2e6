//! A vector that becomes an Arrow buffer, and the next batch's after it.

/// Bytes of the latest values that are kept by themselves.
const NEAR_BYTES: usize = 4096;

/// Values of a batch.
///
/// A row writes one value into each of some forty columns, and a batch is larger than a processor's own caches: written
/// where they stay, every few rows each column would have to wait for a line of memory by itself. So the latest values
/// gather in a piece of memory that the caches keep, and go to the others many at once.
///
/// Batches are much alike: the first values of one make room for about as many as the last one had, so that they are not
/// moved while they come, and not before, so that the batch before may have given its memory back.
pub struct Values<T> {
    near: Vec<T>,
    /// Those before the near ones.
    far: Vec<T>,
    expected: usize,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { near: Vec::new(), far: Vec::new(), expected: 0 }
    }
}

impl<T: Copy> Values<T> {
    #[inline]
    pub fn push(&mut self, value: T) {
        if self.near.len() == self.near.capacity() {
            self.make_room(1);
        }
        self.near.push(value);
    }

    /// Has up to `more` values appended.
    #[inline]
    pub fn append(&mut self, more: usize, fill: impl FnOnce(&mut Vec<T>)) {
        if self.near.capacity() - self.near.len() < more {
            self.make_room(more);
        }
        fill(&mut self.near);
    }

    #[inline]
    pub fn extend(&mut self, values: &[T]) {
        self.append(values.len(), |all| all.extend_from_slice(values));
    }

    /// Room for so many more near ones.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, more: usize) {
        self.set_aside();
        self.near.reserve_exact(more.max(NEAR_BYTES / size_of::<T>().max(1)));
    }

    fn set_aside(&mut self) {
        if self.far.capacity() == 0 && !self.near.is_empty() {
            self.far.reserve_exact(self.near.len().max(self.expected + self.expected / 8));
        }
        self.far.extend_from_slice(&self.near);
        self.near.clear();
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.far.len() + self.near.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.near.is_empty() && self.far.is_empty()
    }

    /// The values so far; none are left.
    pub fn take(&mut self) -> Vec<T> {
        if self.far.is_empty() {
            self.expected = 0;
        }
        self.set_aside();
        self.expected = self.far.len();
        std::mem::take(&mut self.far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many 32-bit values are kept by themselves.
    const NEAR: usize = NEAR_BYTES / 4;

    #[test]
    fn they_come_out_in_the_order_in_which_they_went_in() {
        for count in [0, 1, NEAR - 1, NEAR, NEAR + 1, 5 * NEAR + 7] {
            let mut values = Values::default();
            for _ in 0..2 {
                let pushed: Vec<u32> = (0..count as u32).collect();
                assert!(values.is_empty());
                for (at, value) in pushed.iter().enumerate() {
                    assert_eq!(values.len(), at);
                    values.push(*value);
                }
                assert_eq!(values.take(), pushed);
            }
        }
    }

    #[test]
    fn pieces_of_any_length_stay_whole() {
        let mut values = Values::default();
        let mut all: Vec<u32> = Vec::new();
        for length in [0, 3, NEAR - 3, 1, NEAR, 10 * NEAR, 2, NEAR + 1, 0, NEAR / 2, NEAR / 2, 1] {
            let piece: Vec<u32> = (0..length).map(|at| (all.len() + at) as u32).collect();
            values.extend(&piece);
            all.extend(&piece);
            assert_eq!(values.len(), all.len());
        }
        assert_eq!(values.take(), all);
        assert!(values.is_empty());
    }

    #[test]
    fn a_batch_has_room_for_as_many_as_the_last_one() {
        let mut values = Values::default();
        let fill = |values: &mut Values<u32>, count: u32| (0..count).for_each(|value| values.push(value));
        fill(&mut values, 100 * NEAR as u32);
        assert_eq!(values.take().len(), 100 * NEAR);
        assert_eq!(values.far.capacity(), 0);
        fill(&mut values, NEAR as u32 + 1);
        let room = values.far.capacity();
        assert!((100 * NEAR..=125 * NEAR).contains(&room), "{room}");
        fill(&mut values, 100 * NEAR as u32);
        assert_eq!((values.far.capacity(), values.take().len()), (room, 101 * NEAR + 1));
        fill(&mut values, 2 * NEAR as u32);
        values.take();
        fill(&mut values, NEAR as u32 + 1);
        assert!(values.far.capacity() < 4 * NEAR);
    }
}
