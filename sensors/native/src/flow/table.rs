//! The flows at hand, found by 5-tuple, ended by silence or by the table's limit.
//!
//! Who is ended when depends on packets and their times alone, never on the hash seed, which is random so that
//! nobody can choose ports that collide.
//!
//! A full table gives up a flow for each new one, so a flood must not choose which: a source that has more than its
//! share gives up its own flows; otherwise those go first that are over, then those that nobody answered, each time
//! the one that was quiet for longest. What was heard from both sides stays until nothing else is there.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::chain::{Chain, Ends};
use super::index::Index;
use super::slab::Slab;
use super::sources::Sources;
use super::{Flow, FlowKey};

/// A flow moves to its queue's fresh end at most once in so many nanoseconds: order is exact to so much, and few packets
/// pay for it with their neighbours' cache misses.
const TOUCH_NS: u64 = 16_000_000_000;

/// Where a flow waits for its end, by how long silence lasts until then and by who goes first from a full table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    TcpOpen,
    TcpClosed,
    Other,
    /// Nobody has answered yet.
    TcpNew,
    OtherNew,
}

impl Queue {
    pub const ALL: [Queue; 5] =
        [Queue::TcpOpen, Queue::TcpClosed, Queue::Other, Queue::TcpNew, Queue::OtherNew];

    /// True for flows that a flood makes the like of.
    #[inline]
    fn is_new(self) -> bool {
        matches!(self, Queue::TcpNew | Queue::OtherNew)
    }
}

/// All flows at hand. Slots are numbers that stay the same while a flow lives.
pub struct FlowTable {
    /// Slots by the hash of their flows' keys; the keys are in the flows, which are read anyway.
    index: Index,
    keyed: RandomState,
    flows: Slab,
    chain: Chain,
    ends: [Ends; Queue::ALL.len()],
    sources: Sources,
    last_serial: u64,
}

impl Default for FlowTable {
    fn default() -> Self {
        Self {
            index: Index::default(),
            keyed: RandomState::default(),
            flows: Slab::default(),
            chain: Chain::default(),
            ends: [Ends::EMPTY; Queue::ALL.len()],
            sources: Sources::default(),
            last_serial: 0,
        }
    }
}

impl FlowTable {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    #[inline(always)]
    pub fn find(&self, key: &FlowKey) -> Option<u32> {
        let hash = self.keyed.hash_one(key);
        self.index.find(hash, |slot| self.has_key(slot, key))
    }

    /// The same, where a slot is likely the one: only if it is not, it has to be looked for.
    #[inline(always)]
    pub fn find_near(&self, key: &FlowKey, likely: u32) -> Option<u32> {
        if self.has_key(likely, key) { Some(likely) } else { self.find(key) }
    }

    /// A key's hash, for `guess`.
    #[inline]
    pub fn hash(&self, key: &FlowKey) -> u64 {
        self.keyed.hash_one(key)
    }

    /// Reads what `guess` needs.
    #[inline]
    pub fn touch_index(&self, hash: u64) -> u64 {
        self.index.glance(hash)
    }

    /// The slot that a hash most likely means, without a look at the flow.
    #[inline]
    pub fn guess(&self, hash: u64) -> Option<u32> {
        self.index.find(hash, |_| true)
    }

    /// Reads a little of everything that a packet of this flow will need.
    #[inline]
    pub fn touch_flow(&self, slot: u32) -> u64 {
        self.flows.get(slot).map_or(0, Flow::glance)
    }

    /// The same of the flow's parser.
    #[inline]
    pub fn touch_parser(&self, slot: u32) -> u64 {
        self.flows.get(slot).map_or(0, |flow| flow.core.glance_at_parser())
    }

    #[inline]
    fn has_key(&self, slot: u32, key: &FlowKey) -> bool {
        self.flows.get(slot).is_some_and(|flow| flow.core.identity.key == *key)
    }

    #[inline]
    pub fn get(&mut self, slot: u32) -> &mut Flow {
        self.flows.get_mut(slot).expect("slots in use hold a flow")
    }

    /// The flow in a slot, to be read.
    pub fn view(&self, slot: u32) -> Option<&Flow> {
        self.flows.get(slot)
    }

    /// The flow in a slot, where it has one.
    pub fn try_get(&mut self, slot: u32) -> Option<&mut Flow> {
        self.flows.get_mut(slot)
    }

    /// Adds a flow, with its place in the order of first packets, as its queue's freshest.
    pub fn add(&mut self, make: impl FnOnce(u64) -> Flow) -> u32 {
        self.last_serial += 1;
        let flow = make(self.last_serial);
        let hash = self.keyed.hash_one(flow.core.identity.key);
        let (queue, source) = (flow.core.queued, *flow.core.identity.ip(0));
        let slot = self.flows.add(flow);
        self.index.add(hash, slot);
        self.chain.append(&mut self.ends[queue as usize], slot);
        self.sources.add(&source, slot, queue.is_new());
        slot
    }

    /// Takes a flow out.
    pub fn remove(&mut self, slot: u32) -> Flow {
        let flow = self.flows.take(slot).expect("slots in use hold a flow");
        self.chain.unlink(&mut self.ends[flow.core.queued as usize], slot);
        self.sources.remove(flow.core.identity.ip(0), slot, flow.core.queued.is_new());
        self.index.remove(self.keyed.hash_one(flow.core.identity.key), slot);
        flow
    }

    /// A flow had a packet, which may have changed the queue that it belongs in.
    #[inline]
    pub fn touch(&mut self, slot: u32, ts: i64) {
        let flow = self.get(slot);
        let queue = flow.queue();
        if flow.core.queued == queue && flow.touched.abs_diff(ts) < TOUCH_NS {
            return;
        }
        flow.touched = ts;
        let before = std::mem::replace(&mut flow.core.queued, queue);
        let source = *flow.core.identity.ip(0);
        self.chain.unlink(&mut self.ends[before as usize], slot);
        self.chain.append(&mut self.ends[queue as usize], slot);
        if before.is_new() != queue.is_new() {
            self.sources.remove(&source, slot, before.is_new());
            self.sources.add(&source, slot, queue.is_new());
        }
    }

    /// The flow of a queue that was quiet for longest.
    pub fn stalest(&self, queue: Queue) -> Option<u32> {
        self.ends[queue as usize].stalest()
    }

    /// The flow to give up for a new one of `source`, which may have `share` flows where the table is full.
    pub fn victim(&self, source: &[u8; 16], share: u64) -> Option<u32> {
        if let Some(own) = self.sources.victim(source, share) {
            return Some(own);
        }
        let last_heard = |slot: &u32| self.flows.get(*slot).map(|flow| flow.touched);
        let oldest = |queues: [Queue; 2]| {
            queues.into_iter().filter_map(|queue| self.stalest(queue)).min_by_key(last_heard)
        };
        self.stalest(Queue::TcpClosed)
            .or_else(|| oldest([Queue::OtherNew, Queue::TcpNew]))
            .or_else(|| oldest([Queue::Other, Queue::TcpOpen]))
    }

    /// From now on flows are only taken out.
    pub fn close(&mut self) {
        self.flows.close();
    }

    /// All slots in use, in the order of the flows' first packets.
    pub fn slots_by_age(&self) -> Vec<u32> {
        let mut slots: Vec<(u64, u32)> = self.flows.iter().map(|(slot, flow)| (flow.serial, slot)).collect();
        slots.sort_unstable();
        slots.into_iter().map(|(_, slot)| slot).collect()
    }
}
