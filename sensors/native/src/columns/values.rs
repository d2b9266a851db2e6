//! A vector that becomes an Arrow buffer, and the next batch's after it.

/// Values of a batch. Batches are much alike: the first value of one makes room for as many as the last one had, so
/// that they are not moved while they come, and not before, so that the batch before may have given its memory back.
pub struct Values<T> {
    values: Vec<T>,
    expected: usize,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new(), expected: 0 }
    }
}

impl<T> Values<T> {
    #[inline]
    pub fn push(&mut self, value: T) {
        if self.values.len() == self.values.capacity() {
            self.make_room(1);
        }
        self.values.push(value);
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, more: usize) {
        let expected = if self.values.capacity() == 0 { self.expected } else { 0 };
        self.values.reserve(more.max(expected));
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.values.last_mut()
    }

    /// The values so far; none are left.
    pub fn take(&mut self) -> Vec<T> {
        self.expected = self.values.len();
        std::mem::take(&mut self.values)
    }
}

impl<T: Copy> Values<T> {
    #[inline]
    pub fn extend(&mut self, values: &[T]) {
        self.append(values.len(), |all| all.extend_from_slice(values));
    }
}

impl<T> Values<T> {
    /// Has up to `more` values appended.
    #[inline]
    pub fn append(&mut self, more: usize, fill: impl FnOnce(&mut Vec<T>)) {
        if self.values.capacity() - self.values.len() < more {
            self.make_room(more);
        }
        fill(&mut self.values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_room_for_as_many_as_the_last_one() {
        let mut values = Values::default();
        (0..1_000).for_each(|value| values.push(value));
        assert_eq!(values.take().len(), 1_000);
        assert_eq!(values.values.capacity(), 0);
        values.push(0);
        assert!(values.values.capacity() >= 1_000);
        values.extend(&[1, 2]);
        assert_eq!(values.take(), [0, 1, 2]);
        values.extend(&[7; 10]);
        assert!(values.values.capacity() < 1_000);
    }
}
