//! Does every message of an edge node have the number after the one before (Sparkplug 3.0, 6.4)?
//!
//! Only what an edge node publishes itself is held against it: a subscriber may have asked for a part.

use std::collections::HashMap;
use std::hash::BuildHasher as _;

use foldhash::quality::RandomState;

use super::Message;
use crate::protocol::mqtt::words::SparkplugType;

/// Edge nodes of one connection whose numbers are followed; a gateway may speak for many.
const NODES: usize = 64;

/// The last numbers of the edge nodes of one connection, by a hash of their names: names may be long.
#[derive(Debug, Default)]
pub struct Sequences(HashMap<u64, u64, RandomState>);

impl Sequences {
    /// The number that was due, where the message has another one.
    pub fn follow(&mut self, message: &Message) -> Option<u64> {
        use SparkplugType as T;
        if !matches!(message.kind, T::Nbirth | T::Dbirth | T::Ndata | T::Ddata | T::Ddeath) {
            return None;
        }
        let seq = message.seq?;
        let node = self.0.hasher().hash_one((&message.group, &message.node));
        let last = self.0.get(&node).copied();
        if last.is_some() || self.0.len() < NODES {
            self.0.insert(node, seq);
        }
        let due = last.map(|last| last.wrapping_add(1) & 0xff)?;
        (message.kind != T::Nbirth && due != seq).then_some(due)
    }

    /// A gap may hide any number of messages.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}
