//! Which metric an alias stands for: settled by births, for each edge node behind each broker (Sparkplug 3.0, 6.4).

use std::collections::HashMap;

use foldhash::quality::RandomState;

/// What a remembered name costs beside its bytes.
const ENTRY_BYTES: u64 = 64;

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
        (self.group.len() + self.node.len()) as u64 + 2 * ENTRY_BYTES
    }
}

#[derive(Debug, Default)]
struct Aliases {
    metrics: HashMap<u64, Declared, RandomState>,
    held: u64,
}

/// The aliases of all edge nodes that were seen to be born, whichever flow their birth came by.
#[derive(Debug, Default)]
pub struct Names {
    nodes: HashMap<Node, Aliases, RandomState>,
    held: u64,
    /// Names that had no room.
    pub not_kept: u64,
}

impl Names {
    /// An edge node is born: what its aliases stood for is over.
    pub fn born(&mut self, node: &Node, limit: u64) {
        if let Some(aliases) = self.nodes.get_mut(node) {
            self.held -= aliases.held;
            *aliases = Aliases::default();
        } else if self.held + node.cost() <= limit {
            self.held += node.cost();
            self.nodes.insert(node.clone(), Aliases::default());
        } else {
            self.not_kept += 1;
        }
    }

    /// A device's birth, whose node's own was not seen.
    pub fn meet(&mut self, node: &Node, limit: u64) {
        if !self.nodes.contains_key(node) {
            self.born(node, limit);
        }
    }

    /// A birth declares a metric.
    pub fn declare(&mut self, node: &Node, alias: u64, declared: Declared, limit: u64) {
        let Some(aliases) = self.nodes.get_mut(node) else {
            self.not_kept += 1;
            return;
        };
        let cost = declared.name.len() as u64 + ENTRY_BYTES;
        if self.held + cost > limit {
            self.not_kept += 1;
            return;
        }
        if let Some(old) = aliases.metrics.insert(alias, declared) {
            let freed = old.name.len() as u64 + ENTRY_BYTES;
            aliases.held -= freed;
            self.held -= freed;
        }
        aliases.held += cost;
        self.held += cost;
    }

    /// What an alias of a node stands for.
    pub fn find(&self, node: &Node, alias: u64) -> Option<&Declared> {
        self.nodes.get(node)?.metrics.get(&alias)
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

    #[test]
    fn what_has_no_room_is_counted_and_room_comes_back() {
        let mut names = Names::default();
        let limit = node("a").cost() + 70;
        names.born(&node("a"), limit);
        names.declare(&node("a"), 1, metric("Speed"), limit);
        names.declare(&node("a"), 2, metric("Level"), limit);
        names.born(&node("b"), limit);
        names.declare(&node("b"), 2, metric("Level"), limit);
        assert_eq!(names.not_kept, 3);
        names.born(&node("a"), limit);
        names.declare(&node("a"), 2, metric("Level"), limit);
        assert!(names.find(&node("a"), 2).is_some());
    }
}
