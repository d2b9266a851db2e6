//! Which MAC address each IP address was last claimed by, and when two claim one.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::text;
use crate::limits::Limits;

/// Claims of addresses on the link, by ARP and neighbour discovery.
#[derive(Default)]
pub struct Neighbours {
    owners: HashMap<[u8; 16], u64, RandomState>,
    /// Claims that had no room.
    pub not_kept: u64,
}

impl Neighbours {
    /// The MAC address that had this IP address before, where another one claims it now.
    pub fn claim(&mut self, ip: [u8; 16], mac: u64, limits: &Limits) -> Option<u64> {
        if !text::is_a_devices(&ip) || !text::is_a_cards(mac) {
            return None;
        }
        if let Some(owner) = self.owners.get_mut(&ip) {
            let before = std::mem::replace(owner, mac);
            return (before != mac).then_some(before);
        }
        if self.owners.len() as u64 >= limits.neighbours {
            self.not_kept += 1;
        } else {
            self.owners.insert(ip, mac);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_claim_is_a_conflict_and_the_same_one_is_none() {
        let (mut neighbours, limits) = (Neighbours::default(), Limits::default());
        let ip = text::mapped([10, 0, 0, 1]);
        assert_eq!(neighbours.claim(ip, 2, &limits), None);
        assert_eq!(neighbours.claim(ip, 2, &limits), None);
        assert_eq!(neighbours.claim(ip, 4, &limits), Some(2));
        assert_eq!(neighbours.claim(ip, 2, &limits), Some(4));
    }

    #[test]
    fn nobodys_address_cannot_be_claimed_and_what_has_no_room_is_counted() {
        let mut limits = Limits::default();
        limits.set("neighbours", 1).unwrap();
        let mut neighbours = Neighbours::default();
        for (last, mac) in [(1, 2), (2, 4), (1, 6)] {
            neighbours.claim(text::mapped([0, 0, 0, last]), mac, &limits);
        }
        assert_eq!(neighbours.owners.len(), 0);
        neighbours.claim(text::mapped([10, 0, 0, 1]), 2, &limits);
        neighbours.claim(text::mapped([10, 0, 0, 2]), 2, &limits);
        assert_eq!((neighbours.owners.len(), neighbours.not_kept), (1, 1));
    }
}
