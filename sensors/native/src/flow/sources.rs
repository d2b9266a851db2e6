//! How many flows each source has opened, and which of them it would give up first.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::chain::{Chain, Ends};

/// A source: who sent the first packet of its flows.
struct Source {
    flows: u32,
    /// Its flows in the order in which they came: proven ones, then those that nobody answered.
    ends: [Ends; 2],
}

/// The sources of all flows at hand; as many entries at most as there are flows.
#[derive(Default)]
pub struct Sources {
    sources: HashMap<[u8; 16], Source, RandomState>,
    chain: Chain,
}

impl Sources {
    pub fn add(&mut self, address: &[u8; 16], slot: u32, is_new: bool) {
        let empty = || Source { flows: 0, ends: [Ends::EMPTY; 2] };
        let source = self.sources.entry(*address).or_insert_with(empty);
        source.flows += 1;
        self.chain.append(&mut source.ends[usize::from(is_new)], slot);
    }

    pub fn remove(&mut self, address: &[u8; 16], slot: u32, is_new: bool) {
        let Some(source) = self.sources.get_mut(address) else { return };
        self.chain.unlink(&mut source.ends[usize::from(is_new)], slot);
        source.flows -= 1;
        if source.flows == 0 {
            self.sources.remove(address);
        }
    }

    /// The flow that a source gives up for one more, where it has `share` of them: the oldest that nobody answered,
    /// else its oldest.
    pub fn victim(&self, address: &[u8; 16], share: u64) -> Option<u32> {
        let source = self.sources.get(address).filter(|source| u64::from(source.flows) >= share)?;
        source.ends[1].stalest().or_else(|| source.ends[0].stalest())
    }
}
