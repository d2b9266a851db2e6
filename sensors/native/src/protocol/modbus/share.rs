//! How many requests may wait, shared fairly among flows: a flood of requests costs the flows that flood.

use crate::limits::Limits;

/// The requests of all flows that wait.
///
/// Every flow has a share of its own, half the limit divided by the flows that the table holds. What a flow
/// holds beyond its share comes from a pool, the other half; while the pool is empty such a flow gives up its
/// own oldest request for each new one. So no number of flows can take another one's share.
#[derive(Clone, Copy, Debug, Default)]
pub struct WaitingRequests {
    /// Requests beyond their flows' shares.
    pooled: u64,
}

/// What each flow may hold whatever the others do; at least one request.
fn share(limits: &Limits) -> u64 {
    (limits.pending_limit_all / 2 / limits.flow_limit).max(1)
}

impl WaitingRequests {
    /// True, and counted, where a flow that holds so many may hold one more.
    #[inline]
    pub fn admit(&mut self, holds: u64, limits: &Limits) -> bool {
        if holds < share(limits) {
            return true;
        }
        let has_room = self.pooled < limits.pending_limit_all / 2;
        self.pooled += u64::from(has_room);
        has_room
    }

    /// A flow that held so many holds one less.
    #[inline]
    pub fn leave(&mut self, held: u64, limits: &Limits) {
        if held > share(limits) {
            self.pooled = self.pooled.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        let mut limits = Limits::default();
        limits.set("pending_limit_all", 16).unwrap();
        limits.set("flow_limit", 4).unwrap();
        limits
    }

    #[test]
    fn one_flow_takes_the_pool_and_leaves_every_other_its_share() {
        let (mut waiting, limits) = (WaitingRequests::default(), limits());
        let admitted = (0..100).take_while(|holds| waiting.admit(*holds, &limits)).count();
        assert_eq!(admitted, 2 + 8);
        for _ in 0..3 {
            assert!(waiting.admit(0, &limits) && waiting.admit(1, &limits));
            assert!(!waiting.admit(2, &limits));
        }
        waiting.leave(10, &limits);
        assert!(waiting.admit(2, &limits));
    }

    #[test]
    fn what_came_is_what_left() {
        let (mut waiting, limits) = (WaitingRequests::default(), limits());
        for holds in 0..5 {
            assert!(waiting.admit(holds, &limits));
        }
        for held in (1..=5).rev() {
            waiting.leave(held, &limits);
        }
        assert_eq!(waiting.pooled, 0);
    }
}
