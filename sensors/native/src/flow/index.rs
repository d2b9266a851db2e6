//! Where a flow is, by the hash of its key: one look into memory, since the look is what a packet of one flow among
//! many waits for.
//!
//! Open addressing with linear probing, each place of eight bytes: a part of the hash, which tells nearly all strangers
//! apart and is enough to put the place elsewhere when the index grows, and the slot.

/// No flow's slot.
const NONE: u32 = u32::MAX;

const EMPTY: Place = Place { tag: 0, slot: NONE };

/// Places of an index that has just been made; a power of two, as all their numbers are.
const LEAST: usize = 64;

#[derive(Clone, Copy)]
struct Place {
    /// The low half of the hash.
    tag: u32,
    slot: u32,
}

/// Slots by hash.
pub struct Index {
    places: Vec<Place>,
    len: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self { places: vec![EMPTY; LEAST], len: 0 }
    }
}

impl Index {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Reads the place where a search for a hash begins; the value means nothing.
    #[inline]
    pub fn glance(&self, hash: u64) -> u64 {
        u64::from(self.places[self.home(hash as u32)].tag)
    }

    /// The first slot of a hash that is meant.
    #[inline(always)]
    pub fn find(&self, hash: u64, mut is_meant: impl FnMut(u32) -> bool) -> Option<u32> {
        let tag = hash as u32;
        let mut at = self.home(tag);
        loop {
            let place = self.places[at];
            if place.slot == NONE {
                return None;
            }
            if place.tag == tag && is_meant(place.slot) {
                return Some(place.slot);
            }
            at = self.after(at);
        }
    }

    /// Adds a slot that is not there.
    pub fn add(&mut self, hash: u64, slot: u32) {
        // At most three quarters are in use, so that every search soon meets an empty place.
        if (self.len + 1) * 4 > self.places.len() * 3 {
            self.grow();
        }
        self.put(Place { tag: hash as u32, slot });
        self.len += 1;
    }

    /// Takes a slot out; those that were put behind it for want of room move up.
    pub fn remove(&mut self, hash: u64, slot: u32) {
        let mut hole = self.home(hash as u32);
        while self.places[hole].slot != slot {
            if self.places[hole].slot == NONE {
                return;
            }
            hole = self.after(hole);
        }
        let mask = self.places.len() - 1;
        let mut next = self.after(hole);
        while self.places[next].slot != NONE {
            let from_home = next.wrapping_sub(self.home(self.places[next].tag)) & mask;
            if from_home >= next.wrapping_sub(hole) & mask {
                self.places[hole] = self.places[next];
                hole = next;
            }
            next = self.after(next);
        }
        self.places[hole] = EMPTY;
        self.len -= 1;
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        tag as usize & (self.places.len() - 1)
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.places.len() - 1)
    }

    fn put(&mut self, place: Place) {
        let mut at = self.home(place.tag);
        while self.places[at].slot != NONE {
            at = self.after(at);
        }
        self.places[at] = place;
    }

    #[cold]
    fn grow(&mut self) {
        let more = vec![EMPTY; self.places.len() * 2];
        let before = std::mem::replace(&mut self.places, more);
        for place in before.into_iter().filter(|place| place.slot != NONE) {
            self.put(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Hashes that differ, and collide in their homes as often as `spread` lets them.
    fn hash(number: u64, spread: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & !((1 << spread) - 1)
    }

    #[test]
    fn what_was_added_is_found_until_it_is_taken_out_however_many_share_a_home() {
        for spread in [0, 4, 12] {
            let mut index = Index::default();
            let mut model = HashMap::new();
            for step in 0..6_000u64 {
                let number = step.wrapping_mul(2_654_435_761) % 1_500;
                let hash = hash(number, spread);
                if model.remove(&number).is_some() {
                    index.remove(hash, number as u32);
                } else {
                    model.insert(number, hash);
                    index.add(hash, number as u32);
                }
                assert_eq!(index.len(), model.len());
            }
            for number in 0..1_500u64 {
                let found = index.find(hash(number, spread), |slot| u64::from(slot) == number);
                assert_eq!(found.is_some(), model.contains_key(&number), "{number}, {spread}");
            }
        }
    }

    #[test]
    fn what_was_never_added_is_not_found_and_not_taken_out() {
        let mut index = Index::default();
        index.add(7, 1);
        index.remove(7, 2);
        index.remove(8, 1);
        assert_eq!(index.len(), 1);
        assert_eq!(index.find(7, |_| true), Some(1));
        assert_eq!(index.find(7 + (1 << 32), |slot| slot != 1), None);
        assert_eq!(index.find(8, |_| true), None);
    }
}
