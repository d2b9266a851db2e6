//! What a connection has told that later messages need: watched nodes by handle, registered nodes by their names.

use std::collections::BTreeMap;

use super::node_id::NodeId;
use super::said::Watched;

/// Watched or registered nodes of one connection.
const LIMIT: usize = 8_192;

/// A node that a subscription watches.
#[derive(Debug)]
pub struct Item {
    pub node: String,
    pub attribute: u32,
}

/// The nodes of one connection.
#[derive(Debug, Default)]
pub struct Known {
    /// By subscription, and then by the client's handle.
    items: BTreeMap<u32, BTreeMap<u32, Item>>,
    count: usize,
    /// The registered node behind a name that RegisterNodes gave (OPC 10000-4, 5.9.5).
    registered: BTreeMap<String, String>,
    bytes: usize,
    /// Nodes that had no room.
    pub not_kept: u64,
}

impl Known {
    /// A node's text; a registered one's own, so that a rule on a node holds whatever it is called.
    pub fn node(&self, node: &NodeId<'_>) -> String {
        let text = node.text();
        if self.registered.is_empty() {
            return text;
        }
        self.registered.get(&text).cloned().unwrap_or(text)
    }

    pub fn item(&self, subscription: u32, handle: u32) -> Option<&Item> {
        self.items.get(&subscription)?.get(&handle)
    }

    pub fn watch(&mut self, subscription: u32, watched: &Watched) {
        if !self.has_room() && self.item(subscription, watched.handle).is_none() {
            self.not_kept += 1;
            return;
        }
        self.bytes += cost(&watched.node);
        let item = Item { node: watched.node.clone(), attribute: watched.attribute };
        match self.items.entry(subscription).or_default().insert(watched.handle, item) {
            Some(before) => self.bytes -= cost(&before.node),
            None => self.count += 1,
        }
    }

    /// A subscription is over.
    pub fn end_subscription(&mut self, subscription: u32) {
        let Some(items) = self.items.remove(&subscription) else { return };
        self.count -= items.len();
        self.bytes -= items.values().map(|item| cost(&item.node)).sum::<usize>();
    }

    pub fn register(&mut self, name: &str, node: &str) {
        if name == node || self.registered.contains_key(name) {
            return;
        }
        if !self.has_room() {
            self.not_kept += 1;
            return;
        }
        self.bytes += cost(name) + node.len();
        self.registered.insert(name.to_owned(), node.to_owned());
    }

    /// Forgets all; how many nodes that were.
    pub fn clear(&mut self) -> u64 {
        let count = self.count + self.registered.len();
        *self = Self { not_kept: self.not_kept, ..Self::default() };
        count as u64
    }

    pub fn held(&self) -> usize {
        self.bytes
    }

    fn has_room(&self) -> bool {
        self.count + self.registered.len() < LIMIT
    }
}

/// What one node costs to keep, with its place in the map.
fn cost(node: &str) -> usize {
    node.len() + 64
}

#[cfg(test)]
mod tests {
    use super::super::node_id::Identifier;
    use super::*;

    fn watched(handle: u32, node: &str) -> Watched {
        Watched { handle, node: node.to_owned(), attribute: 13 }
    }

    #[test]
    fn a_watched_node_is_known_until_its_subscription_ends() {
        let mut known = Known::default();
        known.watch(7, &watched(1, "i=1"));
        known.watch(8, &watched(1, "i=2"));
        known.watch(u32::MAX, &watched(1, "i=3"));
        known.end_subscription(7);
        known.end_subscription(u32::MAX);
        assert!(known.item(7, 1).is_none());
        assert_eq!(known.item(8, 1).unwrap().node, "i=2");
        known.watch(8, &watched(1, "i=22"));
        known.end_subscription(8);
        assert_eq!(known.held(), 0);
    }

    #[test]
    fn a_registered_node_keeps_its_own_name() {
        let mut known = Known::default();
        known.register("i=5001", "ns=2;s=Pump1");
        let node = |number| NodeId { namespace: 0, identifier: Identifier::Number(number) };
        assert_eq!(known.node(&node(5_001)), "ns=2;s=Pump1");
        assert_eq!(known.node(&node(5_002)), "i=5002");
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let mut known = Known::default();
        for handle in 0..10_000 {
            known.watch(1, &watched(handle, "i=1"));
        }
        assert_eq!(known.not_kept, 10_000 - LIMIT as u64);
        assert_eq!(known.clear(), LIMIT as u64);
    }
}
