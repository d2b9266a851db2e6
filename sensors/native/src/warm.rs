//! Looks at frames that come soon and touches the memory that they will need.
//!
//! A packet of one flow among many finds nothing of it in the processor's caches: a dozen misses, one after the other.
//! Touched for many frames together they overlap. It is a hint and changes nothing: what it reads it forgets, but for
//! where each frame's flow most likely is.

use std::hint::black_box;

use crate::duplicates::Duplicates;
use crate::flow::{FlowKey, FlowTable};
use crate::link::{self, Network};
use crate::net;
use crate::source::Source;
use crate::transport::{TCP, UDP};

/// Frames that are looked at together.
const FRAMES: usize = 32;

/// Flows from which on they are worth the look: fewer stay in the caches by themselves. The packets seen last do not:
/// they take half a MiB, whatever the flows.
const FLOWS: usize = 512;

/// A slot that no flow has.
const NOWHERE: u32 = u32::MAX;

/// The frames that were looked at and have not come yet.
pub struct Ahead {
    /// Where each one's flow most likely is.
    slots: [u32; FRAMES],
    /// Frames until the next look, and those of them that have come.
    shown: usize,
    passed: usize,
    likely: u32,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { slots: [NOWHERE; FRAMES], shown: 0, passed: 0, likely: NOWHERE }
    }
}

impl Ahead {
    /// True where none is left that was looked at.
    #[inline(always)]
    pub fn is_used_up(&self) -> bool {
        self.passed >= self.shown
    }

    /// The next frame has come.
    #[inline(always)]
    pub fn pass(&mut self) {
        self.likely = self.slots.get(self.passed).copied().unwrap_or(NOWHERE);
        self.passed += 1;
    }

    /// Where the flow of the frame that has come most likely is: a guess, which its key has to confirm.
    #[inline(always)]
    pub fn likely(&self) -> u32 {
        self.likely
    }

    /// Touches what the next frames need, as far as they are in memory.
    pub fn look(&mut self, source: &Source, table: &FlowTable, duplicates: &Duplicates) {
        self.passed = 0;
        self.shown = FRAMES;
        self.slots = [NOWHERE; FRAMES];
        let many = table.len() >= FLOWS;
        let mut hashes = [None; FRAMES];
        let mut sets = [0; FRAMES];
        let mut count = 0;
        source.look_ahead(FRAMES, |link_type, frame| {
            if let Some(seen) = seen(link_type, frame) {
                if many {
                    hashes[count] = Some(table.hash(&seen.key()));
                }
                sets[count] = seen.set();
            }
            count += 1;
        });
        // Where nothing is in memory the next frame brings some.
        self.shown = count.max(1);
        // Each loop's reads are independent of each other: the processor waits for all of them together.
        let mut read = 0;
        for hash in hashes.iter().flatten() {
            read ^= table.touch_index(*hash);
        }
        for set in &sets[..count] {
            read ^= duplicates.glance(*set);
        }
        if !many {
            black_box(read);
            return;
        }
        for (slot, hash) in self.slots.iter_mut().zip(hashes) {
            *slot = hash.and_then(|hash| table.guess(hash)).unwrap_or(NOWHERE);
        }
        for slot in &self.slots[..count] {
            read ^= table.touch_flow(*slot);
        }
        for slot in &self.slots[..count] {
            read ^= table.touch_parser(*slot);
        }
        black_box(read);
    }
}

/// What a frame without any tunnel carries.
struct Seen<'a> {
    addresses: [[u8; 16]; 2],
    ports: [u16; 2],
    protocol: u8,
    /// The packet's identification, and what is behind the IP header.
    id: u16,
    transport: &'a [u8],
}

impl Seen<'_> {
    #[inline]
    fn key(&self) -> FlowKey {
        FlowKey::of(self.addresses, self.ports, self.protocol)
    }

    /// Where it stands among the packets that were seen last.
    #[inline]
    fn set(&self) -> usize {
        Duplicates::set_of_whole(self.id, self.addresses.map(|address| address[15]), self.transport)
    }
}

/// What a frame seems to carry: a wrong guess costs nothing but the guess.
#[inline]
fn seen(link_type: u16, frame: &[u8]) -> Option<Seen<'_>> {
    if link_type == link::ETHERNET {
        if let Some(seen) = usual(frame) {
            return Some(seen);
        }
    }
    let packet = match link::read(link_type, frame).ok()?.network {
        Network::V4(bytes) => net::v4(bytes, 0).ok()?,
        Network::V6(bytes) => net::v6(bytes, 0).ok()?,
        _ => return None,
    };
    if !matches!(packet.protocol, TCP | UDP) || packet.fragment.is_some() {
        return None;
    }
    let [a, b, c, d, ..] = *packet.transport else { return None };
    Some(Seen {
        addresses: [packet.source, packet.destination],
        ports: [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])],
        protocol: packet.protocol,
        id: packet.id,
        transport: packet.transport,
    })
}

/// The same of what most frames are, by its places alone: IPv4 without options, behind one VLAN tag at most.
#[inline]
fn usual(frame: &[u8]) -> Option<Seen<'_>> {
    let (_, typed) = frame.split_first_chunk::<12>()?;
    let network = match *typed {
        [0x08, 0x00, ref rest @ ..] | [0x81, 0x00, _, _, 0x08, 0x00, ref rest @ ..] => rest,
        _ => return None,
    };
    let (header, transport) = network.split_first_chunk::<20>()?;
    let [0x45, _, _, _, id_high, id_low, _, _, _, protocol, _, _, ends @ ..] = *header else { return None };
    let [a, b, c, d, e, f, g, h] = ends;
    let [i, j, k, l, ..] = *transport else { return None };
    matches!(protocol, TCP | UDP).then(|| Seen {
        addresses: [net::mapped([a, b, c, d]), net::mapped([e, f, g, h])],
        ports: [u16::from_be_bytes([i, j]), u16::from_be_bytes([k, l])],
        protocol,
        id: u16::from_be_bytes([id_high, id_low]),
        transport,
    })
}
