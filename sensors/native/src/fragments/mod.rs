//! IP fragments in; whole packets, and an account of those that never become whole, out (RFC 791, RFC 8200, RFC 5722).
//!
//! A whole packet is one of the frame that completed it. Of IPv4 pieces that overlap the first bytes win; IPv6 packets
//! with such pieces are dropped, as hosts drop them. Room is bounded; the packet that has waited longest gives way, and
//! honest ones wait for milliseconds: to push one out, a flood has to fill all the room within that time.

mod assembly;

use std::collections::{HashMap, VecDeque};

use foldhash::quality::RandomState;

use crate::anomaly::At;
use crate::flow::Identity;
use crate::limits::Limits;
use crate::net::{Fragment, Packet};
use assembly::Assembly;
pub use assembly::{Oddity, Whole};

/// What the pieces of a packet share. IPv6 has no protocol in it: only the first piece's counts (RFC 8200, 4.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    source: [u8; 16],
    destination: [u8; 16],
    id: u32,
    protocol: u8,
}

/// Where and how a fragment was seen.
pub struct Sighting {
    /// As of a packet without ports.
    pub identity: Identity,
    pub interface: u16,
    pub wire_bytes: u32,
    pub at: At,
}

/// What comes of a fragment.
pub enum Taken {
    /// Others are missing, or it belongs to a packet that was given up.
    Waits,
    Whole(Whole),
    /// Its packet will never be whole.
    Refused(Incomplete),
}

/// A packet that was given up.
pub struct Incomplete {
    pub identity: Identity,
    pub protocol: u8,
    /// Of the transport layer, where they were seen.
    pub ports: Option<[u16; 2]>,
    pub interface: u16,
    pub fragments: u32,
    pub wire_bytes: u32,
    /// Its last fragment.
    pub last: At,
}

/// The packets that wait for pieces.
#[derive(Default)]
pub struct Fragments {
    waiting: HashMap<Key, Assembly, RandomState>,
    /// In the order of first pieces; packets that are gone stay until they are in front, or too many.
    order: VecDeque<(u64, Key)>,
    held: u64,
    last_serial: u64,
}

impl Fragments {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Bytes of all packets that wait.
    pub fn held_bytes(&self) -> u64 {
        self.held
    }

    /// Takes a fragment; and what is odd about it.
    pub fn take(
        &mut self,
        packet: &Packet<'_>,
        piece: Fragment,
        seen: &Sighting,
        limits: &Limits,
    ) -> (Taken, Option<Oddity>) {
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            id: piece.id,
            protocol: if piece.version == 4 { packet.protocol } else { 0 },
        };
        let Self { waiting, order, held, last_serial } = self;
        let assembly = waiting.entry(key).or_insert_with(|| {
            *last_serial += 1;
            order.push_back((*last_serial, key));
            let new = Assembly::new(*last_serial, seen.identity, seen.interface, seen.at);
            *held += new.held;
            new
        });
        if assembly.refused {
            return (Taken::Waits, None);
        }
        assembly.fragments = assembly.fragments.saturating_add(1);
        assembly.wire_bytes = assembly.wire_bytes.saturating_add(seen.wire_bytes);
        assembly.last = assembly.last.later(seen.at);
        let before = assembly.held;
        let (odd, refused) = match assembly.take(packet, piece, limits.fragments_per_packet) {
            Ok(odd) => (odd, false),
            Err(odd) => (Some(odd), true),
        };
        let incomplete = refused.then(|| incomplete(assembly));
        if refused {
            assembly.refuse();
        }
        *held = *held - before + assembly.held;
        if let Some(incomplete) = incomplete {
            return (Taken::Refused(incomplete), odd);
        }
        if !assembly.is_whole() {
            return (Taken::Waits, odd);
        }
        match self.remove(&key) {
            Some(whole) => (Taken::Whole(whole.into_whole()), odd),
            None => (Taken::Waits, odd),
        }
    }

    /// The packet that has waited longest, where there is no room for all; none for one that was told of already.
    pub fn overflow(&mut self, limits: &Limits) -> Option<Incomplete> {
        while self.held > limits.fragment_bytes {
            if let Some(incomplete) = self.give_up_oldest() {
                return Some(incomplete);
            }
        }
        None
    }

    /// The next packet that has waited for too long at `now`.
    pub fn expired(&mut self, now: i64, limits: &Limits) -> Option<Incomplete> {
        while let Some((serial, key)) = self.order.front() {
            let waited_ns = match self.waiting.get(key).filter(|assembly| assembly.serial == *serial) {
                Some(assembly) => u64::try_from(now.saturating_sub(assembly.first_ts)).unwrap_or(0),
                // It is gone already.
                None => u64::MAX,
            };
            if waited_ns / 1_000_000_000 < limits.fragment_timeout_s {
                return None;
            }
            if let Some(incomplete) = self.give_up_oldest() {
                return Some(incomplete);
            }
        }
        None
    }

    /// The next packet that is still not whole at the end of the capture.
    pub fn rest(&mut self) -> Option<Incomplete> {
        while !self.order.is_empty() {
            if let Some(incomplete) = self.give_up_oldest() {
                return Some(incomplete);
            }
        }
        None
    }

    fn give_up_oldest(&mut self) -> Option<Incomplete> {
        let (serial, key) = self.order.pop_front()?;
        if self.waiting.get(&key)?.serial != serial {
            return None;
        }
        let assembly = self.remove(&key)?;
        (!assembly.refused).then(|| incomplete(&assembly))
    }

    fn remove(&mut self, key: &Key) -> Option<Assembly> {
        let assembly = self.waiting.remove(key)?;
        self.held -= assembly.held;
        if self.order.len() > 64 + 2 * self.waiting.len() {
            let waiting = &self.waiting;
            self.order
                .retain(|(serial, key)| waiting.get(key).is_some_and(|assembly| assembly.serial == *serial));
        }
        Some(assembly)
    }
}

fn incomplete(assembly: &Assembly) -> Incomplete {
    Incomplete {
        identity: assembly.identity,
        protocol: assembly.protocol,
        ports: assembly.ports(),
        interface: assembly.interface,
        fragments: assembly.fragments,
        wire_bytes: assembly.wire_bytes,
        last: assembly.last,
    }
}
