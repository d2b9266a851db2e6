//! The flows at hand, found by 5-tuple, ended by silence or by the table's limit.
//!
//! Who is ended when depends on packets and their times alone, never on the hash seed, which is random so that
//! nobody can choose ports that collide.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::{Flow, FlowKey};

const NONE: u32 = u32::MAX;

/// A flow moves to its queue's fresh end at most once in so many nanoseconds: order is exact to so much, and few packets
/// pay for it with their neighbours' cache misses.
const TOUCH_NS: u64 = 16_000_000_000;

/// Where a flow waits for its end, by how long silence lasts until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    TcpOpen,
    TcpClosed,
    Other,
}

impl Queue {
    pub const ALL: [Queue; 3] = [Queue::TcpOpen, Queue::TcpClosed, Queue::Other];
}

#[derive(Clone, Copy)]
struct Links {
    /// Of the flow's key.
    hash: u64,
    queue: Queue,
    fresher: u32,
    staler: u32,
}

#[derive(Clone, Copy)]
struct Ends {
    freshest: u32,
    stalest: u32,
}

/// All flows at hand. Slots are numbers that stay the same while a flow lives.
pub struct FlowTable {
    /// Slots by the hash of their flows' keys; the keys are in the flows, which are read anyway.
    index: HashTable<u32>,
    keyed: RandomState,
    slots: Vec<Option<Box<Flow>>>,
    links: Vec<Links>,
    free: Vec<u32>,
    ends: [Ends; 3],
    last_serial: u64,
}

impl Default for FlowTable {
    fn default() -> Self {
        let empty = Ends { freshest: NONE, stalest: NONE };
        Self {
            index: HashTable::new(),
            keyed: RandomState::default(),
            slots: Vec::new(),
            links: Vec::new(),
            free: Vec::new(),
            ends: [empty; 3],
            last_serial: 0,
        }
    }
}

impl FlowTable {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    #[inline]
    pub fn find(&self, key: &FlowKey) -> Option<u32> {
        let hash = self.keyed.hash_one(key);
        self.index.find(hash, |slot| self.has_key(*slot, key)).copied()
    }

    /// A key's hash, for `guess`.
    #[inline]
    pub fn hash(&self, key: &FlowKey) -> u64 {
        self.keyed.hash_one(key)
    }

    /// The slot that a hash most likely means, without a look at the flow.
    #[inline]
    pub fn guess(&self, hash: u64) -> Option<u32> {
        self.index.find(hash, |_| true).copied()
    }

    /// Reads a little of everything that a packet of this flow will need.
    #[inline]
    pub fn touch_flow(&self, slot: u32) -> u64 {
        self.slots[slot as usize].as_ref().map_or(0, |flow| flow.glance())
    }

    /// The same of the flow's parser.
    #[inline]
    pub fn touch_parser(&self, slot: u32) -> u64 {
        self.slots[slot as usize].as_ref().map_or(0, |flow| flow.core.glance_at_parser())
    }

    #[inline]
    fn has_key(&self, slot: u32, key: &FlowKey) -> bool {
        self.slots[slot as usize].as_ref().is_some_and(|flow| flow.core.identity.key == *key)
    }

    #[inline]
    pub fn get(&mut self, slot: u32) -> &mut Flow {
        self.slots[slot as usize].as_mut().expect("slots in use hold a flow")
    }

    /// The flow in a slot, where it has one.
    pub fn try_get(&mut self, slot: u32) -> Option<&mut Flow> {
        self.slots.get_mut(slot as usize)?.as_deref_mut()
    }

    /// Adds a flow, with its place in the order of first packets, as its queue's freshest.
    pub fn add(&mut self, make: impl FnOnce(u64) -> Flow) -> u32 {
        self.last_serial += 1;
        let flow = Box::new(make(self.last_serial));
        let hash = self.keyed.hash_one(flow.core.identity.key);
        let links = Links { hash, queue: flow.queued, fresher: NONE, staler: NONE };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(flow);
                self.links[slot as usize] = links;
                slot
            }
            None => {
                self.slots.push(Some(flow));
                self.links.push(links);
                (self.slots.len() - 1) as u32
            }
        };
        let links = &self.links;
        self.index.insert_unique(hash, slot, |slot| links[*slot as usize].hash);
        self.append(slot);
        slot
    }

    /// Takes a flow out.
    pub fn remove(&mut self, slot: u32) -> Box<Flow> {
        self.unlink(slot);
        let flow = self.slots[slot as usize].take().expect("slots in use hold a flow");
        let hash = self.links[slot as usize].hash;
        if let Ok(entry) = self.index.find_entry(hash, |found| *found == slot) {
            entry.remove();
        }
        self.free.push(slot);
        flow
    }

    /// A flow had a packet, which may have changed the queue that it belongs in.
    #[inline]
    pub fn touch(&mut self, slot: u32, ts: i64) {
        let flow = self.get(slot);
        let queue = flow.queue();
        if flow.queued == queue && flow.touched.abs_diff(ts) < TOUCH_NS {
            return;
        }
        flow.touched = ts;
        flow.queued = queue;
        self.unlink(slot);
        self.links[slot as usize].queue = queue;
        self.append(slot);
    }

    /// The flow of a queue that was quiet for longest.
    pub fn stalest(&self, queue: Queue) -> Option<u32> {
        let slot = self.ends[queue as usize].stalest;
        (slot != NONE).then_some(slot)
    }

    /// The flow to give up for a new one: the one that was quiet for longest, closed ones first.
    pub fn victim(&self) -> Option<u32> {
        if let Some(closed) = self.stalest(Queue::TcpClosed) {
            return Some(closed);
        }
        let oldest = |slot: &u32| self.slots[*slot as usize].as_ref().map(|flow| flow.touched);
        [Queue::Other, Queue::TcpOpen].into_iter().filter_map(|queue| self.stalest(queue)).min_by_key(oldest)
    }

    /// All slots in use, in the order of the flows' first packets.
    pub fn slots_by_age(&self) -> Vec<u32> {
        let mut slots: Vec<(u64, u32)> = (0..)
            .zip(&self.slots)
            .filter_map(|(slot, flow)| Some((flow.as_ref()?.core.serial, slot)))
            .collect();
        slots.sort_unstable();
        slots.into_iter().map(|(_, slot)| slot).collect()
    }

    fn append(&mut self, slot: u32) {
        let ends = &mut self.ends[self.links[slot as usize].queue as usize];
        let before = std::mem::replace(&mut ends.freshest, slot);
        if before == NONE {
            ends.stalest = slot;
        } else {
            self.links[before as usize].fresher = slot;
        }
        let links = &mut self.links[slot as usize];
        links.staler = before;
        links.fresher = NONE;
    }

    fn unlink(&mut self, slot: u32) {
        let Links { queue, fresher, staler, .. } = self.links[slot as usize];
        let ends = &mut self.ends[queue as usize];
        if fresher == NONE {
            ends.freshest = staler;
        } else {
            self.links[fresher as usize].staler = staler;
        }
        let ends = &mut self.ends[queue as usize];
        if staler == NONE {
            ends.stalest = fresher;
        } else {
            self.links[staler as usize].fresher = fresher;
        }
    }
}
