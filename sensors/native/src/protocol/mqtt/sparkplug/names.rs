//! Which metric an alias stands for: settled by births, for each edge node behind each broker (Sparkplug 3.0, 6.4).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::quality::RandomState;

/// What a remembered name costs beside its bytes.
const ENTRY_BYTES: u64 = 64;

/// One edge node has no more than this part of all room.
const SHARES: u64 = 8;

/// A metric that a birth declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub name: Box<str>,
    pub datatype: Option<u8>,
}

/// An edge node, behind the broker's address and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    pub broker: ([u8; 16], u16),
    pub group: Box<str>,
    pub node: Box<str>,
}

impl Node {
    fn cost(&self) -> u64 {
        (self.group.len() + self.node.len()) as u64 + 4 * ENTRY_BYTES
    }
}

/// When a node was met last, behind those of whose aliases nobody made use yet.
type Place = (bool, u64);

#[derive(Debug, Default)]
struct Aliases {
    metrics: HashMap<u64, Declared, RandomState>,
    held: u64,
    place: Place,
}

/// The aliases of all edge nodes that were seen to be born, whichever flow their birth came by.
///
/// Anybody who may publish can make up edge nodes. So where there is no room, those go first whose aliases nothing ever
/// came under, and of these the one born longest ago; then the one whose aliases were not met for longest.
#[derive(Debug, Default)]
pub struct Names {
    nodes: HashMap<Arc<Node>, Aliases, RandomState>,
    /// Who goes first.
    order: BTreeMap<Place, Arc<Node>>,
    held: u64,
    /// The place that was given last: no two nodes have the same.
    last: u64,
    /// Names that had no room, or lost it to others.
    pub not_kept: u64,
}

impl Names {
    /// An edge node is born: what its aliases stood for is over.
    pub fn born(&mut self, node: &Node, limit: u64) {
        if let Some(aliases) = self.nodes.get_mut(node) {
            self.held -= aliases.held;
            aliases.metrics = HashMap::default();
            aliases.held = 0;
            return self.move_up(node, None);
        }
        if !self.make_room(node.cost(), None, limit) {
            self.not_kept += 1;
            return;
        }
        self.held += node.cost();
        self.last += 1;
        let (node, place) = (Arc::new(node.clone()), (false, self.last));
        self.order.insert(place, Arc::clone(&node));
        self.nodes.insert(node, Aliases { place, ..Aliases::default() });
    }

    /// A device's birth, whose node's own was not seen.
    pub fn meet(&mut self, node: &Node, limit: u64) {
        if !self.nodes.contains_key(node) {
            self.born(node, limit);
        }
    }

    /// A birth declares a metric.
    pub fn declare(&mut self, node: &Node, alias: u64, declared: Declared, limit: u64) {
        let cost = declared.name.len() as u64 + ENTRY_BYTES;
        // One node's births do not take everybody's room.
        let share = self.nodes.get(node).map(|aliases| node.cost() + aliases.held + cost);
        if share.is_none_or(|share| share > limit / SHARES) || !self.make_room(cost, Some(node), limit) {
            self.not_kept += 1;
            return;
        }
        let Some(aliases) = self.nodes.get_mut(node) else { return };
        if let Some(old) = aliases.metrics.insert(alias, declared) {
            let freed = old.name.len() as u64 + ENTRY_BYTES;
            aliases.held -= freed;
            self.held -= freed;
        }
        aliases.held += cost;
        self.held += cost;
    }

    /// What an alias of a node stands for.
    pub fn find(&mut self, node: &Node, alias: u64) -> Option<&Declared> {
        if !self.nodes.get(node)?.metrics.contains_key(&alias) {
            return None;
        }
        self.move_up(node, Some(true));
        self.nodes.get(node)?.metrics.get(&alias)
    }

    /// Nothing more comes.
    pub fn forget(&mut self) {
        *self = Self { not_kept: self.not_kept, ..Self::default() };
    }

    /// What it all costs.
    pub fn held_bytes(&self) -> u64 {
        self.held
    }

    /// A node is met now; `used` where one of its aliases was.
    fn move_up(&mut self, node: &Node, used: Option<bool>) {
        let Some(aliases) = self.nodes.get_mut(node) else { return };
        let before = aliases.place;
        let used = used.unwrap_or(before.0);
        // The other metrics of a message find their node where the first one has put it.
        if before == (used, self.last) {
            return;
        }
        self.last += 1;
        aliases.place = (used, self.last);
        if let Some(node) = self.order.remove(&before) {
            self.order.insert(aliases.place, node);
        }
    }

    /// Lets nodes go until there is room, but for one; false where even that is not enough.
    fn make_room(&mut self, cost: u64, but: Option<&Node>, limit: u64) -> bool {
        while self.held + cost > limit {
            let first = self.order.iter().find(|(_, node)| but != Some(node));
            let Some((&place, _)) = first else { return false };
            let Some(node) = self.order.remove(&place) else { return false };
            if let Some(aliases) = self.nodes.remove(&node) {
                self.held -= aliases.held + node.cost();
                self.not_kept += aliases.metrics.len() as u64;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> Node {
        Node { broker: ([0; 16], 1883), group: "mine".into(), node: name.into() }
    }

    fn metric(name: &str) -> Declared {
        Declared { name: name.into(), datatype: Some(10) }
    }

    #[test]
    fn an_alias_stands_for_its_name_until_the_next_birth() {
        let mut names = Names::default();
        names.born(&node("a"), 10_000);
        names.declare(&node("a"), 1, metric("Speed"), 10_000);
        assert_eq!(names.find(&node("a"), 1), Some(&metric("Speed")));
        assert_eq!(names.find(&node("b"), 1), None);
        names.born(&node("a"), 10_000);
        assert_eq!(names.find(&node("a"), 1), None);
    }

    /// Bytes of so many nodes with one metric each, all of names of one letter.
    fn bytes_of(nodes: u64) -> u64 {
        nodes * (node("a").cost() + 5 + ENTRY_BYTES)
    }

    /// A node is born and declares one metric.
    fn birth(names: &mut Names, name: &str, limit: u64) {
        names.born(&node(name), limit);
        names.declare(&node(name), 1, metric("Speed"), limit);
    }

    fn known(names: &mut Names, of: &[&str]) -> Vec<bool> {
        of.iter().map(|name| names.find(&node(name), 1).is_some()).collect()
    }

    #[test]
    fn of_nodes_that_nobody_used_the_oldest_goes_first() {
        let mut names = Names::default();
        let limit = bytes_of(8);
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            birth(&mut names, name, limit);
        }
        assert_eq!(names.not_kept, 0);
        birth(&mut names, "a", limit);
        birth(&mut names, "i", limit);
        assert_eq!(names.not_kept, 1);
        assert_eq!(known(&mut names, &["a", "b", "c", "i"]), [true, false, true, true]);
    }

    #[test]
    fn a_flood_of_made_up_nodes_costs_none_that_is_in_use() {
        let mut names = Names::default();
        let limit = bytes_of(16);
        for name in ["a", "b", "c"] {
            birth(&mut names, name, limit);
            assert!(names.find(&node(name), 1).is_some());
        }
        for number in 0..10_000u32 {
            let made_up = char::from_u32(0x100 + number % 0x600).unwrap().to_string();
            birth(&mut names, &made_up, limit);
            assert!(names.held_bytes() <= limit);
        }
        assert_eq!(known(&mut names, &["a", "b", "c"]), [true; 3]);
        assert_eq!(names.order.len(), names.nodes.len());
        assert!(names.nodes.len() <= 16, "{}", names.nodes.len());
    }

    #[test]
    fn of_nodes_in_use_the_one_not_met_for_longest_goes_first() {
        let mut names = Names::default();
        let limit = bytes_of(8);
        let all = ["a", "b", "c", "d", "e", "f", "g", "h"];
        for name in all {
            birth(&mut names, name, limit);
        }
        for name in all.iter().chain(&["a"]) {
            names.find(&node(name), 1);
        }
        birth(&mut names, "i", limit);
        assert_eq!(known(&mut names, &["a", "b", "c", "i"]), [true, false, true, true]);
    }

    #[test]
    fn one_node_takes_its_share_and_no_more_and_a_birth_gives_it_back() {
        let mut names = Names::default();
        let limit = bytes_of(8);
        birth(&mut names, "a", limit);
        names.declare(&node("a"), 2, metric("Level"), limit);
        assert_eq!(names.not_kept, 1);
        assert!(names.find(&node("a"), 2).is_none());
        names.born(&node("a"), limit);
        names.declare(&node("a"), 2, metric("Level"), limit);
        assert!(names.find(&node("a"), 2).is_some());
        assert_eq!(names.held_bytes(), bytes_of(1));
    }

    #[test]
    fn what_has_no_room_at_all_is_counted() {
        let mut names = Names::default();
        birth(&mut names, "a", 100);
        assert_eq!((names.not_kept, names.held_bytes()), (2, 0));
    }
}
