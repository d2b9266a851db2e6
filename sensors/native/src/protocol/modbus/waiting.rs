//! Requests in order of arrival: one in place, more on the heap, since a polled device is asked one thing at a time.

use std::collections::VecDeque;

use super::pending::Pending;

/// The requests of one flow that wait, the oldest first.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Waiting {
    #[expect(
        clippy::box_collection,
        reason = "most flows have none: a pointer costs them less than a queue"
    )]
    more: Option<Box<VecDeque<Pending>>>,
    first: Option<Pending>,
}

impl Waiting {
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.as_ref().map_or(0, |more| more.len())
    }

    /// Reads its first byte.
    #[inline]
    pub fn glance(&self) -> u64 {
        u64::from(self.more.is_some())
    }

    #[inline]
    pub fn front(&self) -> Option<&Pending> {
        self.first.as_ref()
    }

    pub fn get(&self, index: usize) -> Option<&Pending> {
        match index {
            0 => self.first.as_ref(),
            _ => self.more.as_ref()?.get(index - 1),
        }
    }

    #[inline]
    pub fn push(&mut self, request: Pending) {
        if self.first.is_none() {
            self.first = Some(request);
        } else {
            self.more.get_or_insert_default().push_back(request);
        }
    }

    /// The place of the first request that is meant.
    #[inline]
    pub fn position(&self, mut is_meant: impl FnMut(&Pending) -> bool) -> Option<usize> {
        if is_meant(self.first.as_ref()?) {
            return Some(0);
        }
        self.more.as_ref()?.iter().position(is_meant).map(|index| index + 1)
    }

    /// The same, among those behind a place.
    pub fn position_after(&self, index: usize, is_meant: impl FnMut(&Pending) -> bool) -> Option<usize> {
        self.more.as_ref()?.iter().skip(index).position(is_meant).map(|place| place + index + 1)
    }

    #[inline]
    pub fn remove(&mut self, index: usize) -> Option<Pending> {
        if index > 0 {
            return self.more.as_mut()?.remove(index - 1);
        }
        let next = self.more.as_mut().and_then(|more| more.pop_front());
        std::mem::replace(&mut self.first, next)
    }

    /// Calls `each` with all of them.
    pub fn for_each(&mut self, each: impl FnMut(&mut Pending)) {
        let more = self.more.iter_mut().flat_map(|more| more.iter_mut());
        self.first.iter_mut().chain(more).for_each(each);
    }
}
