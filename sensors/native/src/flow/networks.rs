//! The networks behind tunnels that use the same addresses: which of them a packet is of.
//!
//! A tunnel's number alone does not tell: an MPLS label or an ERSPAN session often stands for one direction, and what is
//! seen on two paths has two numbers. So a conversation has the numbers that it was met under, each way its own; a packet
//! under another number is another network's unless its TCP numbers go on from what is there, or the number is used the
//! other way.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::FlowKey;
use crate::link::Through;
use crate::words::Tunnel;

/// Numbers of one direction of one network: as many mirror sessions as a path has switches, and a few more.
const NUMBERS: usize = 4;

/// The tunnels that one network's packets come in.
#[derive(Clone, Copy, Debug, Default)]
struct Network {
    /// What flow keys have; 0 is also that of packets outside of any tunnel.
    number: u16,
    /// By direction: 0 is from the lower end of the key.
    met: [[Option<Through>; NUMBERS]; 2],
}

impl Network {
    fn has(&self, direction: usize, through: Through) -> bool {
        self.met[direction].contains(&Some(through))
    }

    fn is_unmet(&self, direction: usize) -> bool {
        self.met[direction][0].is_none()
    }

    /// Adds a tunnel that it came in; where there is no room it will be looked for again.
    fn meet(&mut self, direction: usize, through: Through) {
        if self.has(direction, through) {
            return;
        }
        let [here, there] = match direction {
            0 => self.met.each_mut(),
            _ => {
                let [first, second] = self.met.each_mut();
                [second, first]
            }
        };
        if there.contains(&Some(through)) {
            // The same number both ways is how this network is told: one that is used one way only came by mistake.
            let both_ways = |one: &Option<Through>| there.contains(one);
            let kept: Vec<_> = here.iter().copied().flatten().filter(|one| both_ways(&Some(*one))).collect();
            *here = [None; NUMBERS];
            for (place, one) in here.iter_mut().zip(kept) {
                *place = Some(one);
            }
        }
        if let Some(free) = here.iter_mut().find(|one| one.is_none()) {
            *free = Some(through);
        }
    }
}

/// The networks of each 5-tuple that was met in a tunnel, while it has a flow.
#[derive(Default)]
pub struct Networks {
    of: HashMap<FlowKey, Vec<Network>, RandomState>,
}

impl Networks {
    /// The number of the network that a packet is of; none where it is of none that is known. `goes_on` says of a
    /// network's flow whether the packet's numbers go on from it, or that there is nothing to tell by.
    pub fn find(
        &self,
        key: &FlowKey,
        direction: usize,
        through: Through,
        goes_on: impl Fn(u16) -> Option<bool>,
    ) -> Option<u16> {
        let outside = [Network::default()];
        let known = self.of.get(key).map_or(&outside[..], Vec::as_slice);
        if let Some(same) = known.iter().find(|network| network.has(direction, through)) {
            return Some(same.number);
        }
        let told: Vec<_> = known.iter().map(|network| (network, goes_on(network.number))).collect();
        let open = |network: &Network| network.is_unmet(direction);
        let back = |network: &Network| network.has(1 - direction, through);
        let first = |fits: &dyn Fn(&Network, Option<bool>) -> bool| {
            told.iter().find(|(network, told)| fits(network, *told)).map(|(network, _)| network.number)
        };
        first(&|_, told| told == Some(true))
            .or_else(|| first(&|network, told| told.is_none() && back(network)))
            .or_else(|| first(&|network, told| told.is_none() && open(network)))
    }

    /// A packet of a network came in a tunnel; its flow is there or comes next.
    pub fn meet(&mut self, key: FlowKey, number: u16, direction: usize, through: Through) {
        let known = self.of.entry(key).or_default();
        match known.iter_mut().find(|network| network.number == number) {
            Some(network) => network.meet(direction, through),
            None => {
                let mut network = Network { number, ..Network::default() };
                network.meet(direction, through);
                known.push(network);
            }
        }
    }

    /// A number for one more network of a 5-tuple; the last one's, where there are `limit` of them.
    pub fn another(&self, key: &FlowKey, limit: u64) -> u16 {
        let known = self.of.get(key).map_or(&[][..], Vec::as_slice);
        let last = u16::try_from(limit.max(1) - 1).unwrap_or(u16::MAX);
        (1..last).find(|number| known.iter().all(|network| network.number != *number)).unwrap_or(last)
    }

    /// A copy of a packet came in another tunnel. Where that stands for a path, as a mirror session or a label does, what
    /// comes in it is the same network's.
    pub fn meet_copy(&mut self, key: &FlowKey, direction: usize, through: Through) {
        if !matches!(through.kind, Tunnel::Erspan | Tunnel::Mpls) {
            return;
        }
        if let Some([only]) = self.of.get_mut(key).map(Vec::as_mut_slice) {
            only.meet(direction, through);
        }
    }

    /// A flow has ended: what it was met in says nothing of the next one.
    pub fn forget(&mut self, key: &FlowKey) {
        if self.of.is_empty() {
            return;
        }
        let outside = key.within(0);
        let Some(known) = self.of.get_mut(&outside) else { return };
        known.retain(|network| network.number != key.network());
        if known.is_empty() {
            self.of.remove(&outside);
        }
    }

    /// 5-tuples that are remembered.
    pub fn len(&self) -> usize {
        self.of.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: fn() -> FlowKey = || FlowKey::of([[1; 16], [2; 16]], [2_222, 2_222], 17);

    fn vxlan(id: u32) -> Through {
        Through { kind: Tunnel::Vxlan, id: Some(id) }
    }

    /// Takes a packet of which nothing but its tunnel tells.
    fn take(networks: &mut Networks, direction: usize, through: Through) -> u16 {
        let found = networks.find(&KEY(), direction, through, |_| None);
        let number = found.unwrap_or_else(|| networks.another(&KEY(), 32));
        networks.meet(KEY(), number, direction, through);
        number
    }

    #[test]
    fn a_number_used_both_ways_is_a_network() {
        let mut networks = Networks::default();
        let numbers = [(0, 5), (0, 6), (1, 6), (1, 5), (0, 5), (0, 6)];
        let found = numbers.map(|(direction, id)| take(&mut networks, direction, vxlan(id)));
        assert_eq!(found, [0, 1, 1, 0, 0, 1]);
    }

    #[test]
    fn a_number_a_direction_is_one_network() {
        let mut networks = Networks::default();
        let found = [(0, 5), (1, 6), (0, 5), (1, 6)];
        assert_eq!(found.map(|(direction, id)| take(&mut networks, direction, vxlan(id))), [0; 4]);
    }

    #[test]
    fn what_was_taken_for_the_way_back_is_put_right_by_the_true_one() {
        let mut networks = Networks::default();
        // The second network's first packet goes the other way, and is taken for the first one's answer.
        let numbers = [(0, 5), (1, 6), (1, 5), (0, 6), (1, 6), (0, 5), (1, 5)];
        let found = numbers.map(|(direction, id)| take(&mut networks, direction, vxlan(id)));
        assert_eq!(found[2..], [0, 1, 1, 0, 0]);
    }

    #[test]
    fn a_label_of_a_copy_is_of_the_same_network_and_a_vxlan_number_is_not() {
        for (kind, same) in [(Tunnel::Mpls, true), (Tunnel::Erspan, true), (Tunnel::Vxlan, false)] {
            let mut networks = Networks::default();
            let [first, second] = [5, 6].map(|id| Through { kind, id: Some(id) });
            take(&mut networks, 0, first);
            networks.meet_copy(&KEY(), 0, second);
            assert_eq!(take(&mut networks, 0, second) == 0, same, "{kind:?}");
        }
    }

    #[test]
    fn there_are_no_more_networks_than_the_limit_and_none_without_a_flow() {
        let mut networks = Networks::default();
        for id in 0..100 {
            assert!(take(&mut networks, 0, vxlan(id)) < 32);
        }
        assert_eq!(networks.of[&KEY()].len(), 32);
        for number in 0..32 {
            networks.forget(&KEY().within(number));
        }
        assert_eq!(networks.len(), 0);
    }
}
