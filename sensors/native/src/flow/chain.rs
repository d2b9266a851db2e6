//! Doubly linked lists of slots, without a place of their own in memory: each slot is in one list of a chain at a time.

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Links {
    fresher: u32,
    staler: u32,
}

/// The neighbours of every slot.
#[derive(Default)]
pub struct Chain {
    links: Vec<Links>,
}

/// A list's two ends.
#[derive(Clone, Copy)]
pub struct Ends {
    freshest: u32,
    stalest: u32,
}

impl Ends {
    pub const EMPTY: Ends = Ends { freshest: NONE, stalest: NONE };

    pub fn stalest(&self) -> Option<u32> {
        (self.stalest != NONE).then_some(self.stalest)
    }
}

impl Chain {
    /// Puts a slot, which is in no list, at a list's fresh end.
    pub fn append(&mut self, ends: &mut Ends, slot: u32) {
        let index = slot as usize;
        if self.links.len() <= index {
            self.links.resize(index + 1, Links { fresher: NONE, staler: NONE });
        }
        let before = std::mem::replace(&mut ends.freshest, slot);
        if before == NONE {
            ends.stalest = slot;
        } else {
            self.links[before as usize].fresher = slot;
        }
        self.links[index] = Links { fresher: NONE, staler: before };
    }

    /// Takes a slot out of the list that it is in.
    pub fn unlink(&mut self, ends: &mut Ends, slot: u32) {
        let Links { fresher, staler } = self.links[slot as usize];
        if fresher == NONE {
            ends.freshest = staler;
        } else {
            self.links[fresher as usize].staler = staler;
        }
        if staler == NONE {
            ends.stalest = fresher;
        } else {
            self.links[staler as usize].fresher = fresher;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_leave_in_the_order_in_which_they_came_from_wherever_others_are_taken_out() {
        let (mut chain, mut ends) = (Chain::default(), Ends::EMPTY);
        for slot in 0..5 {
            chain.append(&mut ends, slot);
        }
        for slot in [2, 0, 4] {
            chain.unlink(&mut ends, slot);
        }
        chain.append(&mut ends, 0);
        let mut left = Vec::new();
        while let Some(slot) = ends.stalest() {
            chain.unlink(&mut ends, slot);
            left.push(slot);
        }
        assert_eq!(left, [1, 3, 0]);
    }
}
