//! Looks at frames that come soon and touches the memory that they will need.
//!
//! A packet of one flow among many finds nothing of it in the processor's caches: some ten misses, one after the other.
//! Touched for many frames together they overlap. It is a hint and changes nothing: what it reads it forgets.

use std::hint::black_box;

use crate::flow::{FlowKey, FlowTable};
use crate::link::{self, Network};
use crate::net;
use crate::source::Source;
use crate::transport::{TCP, UDP};

/// Frames that are looked at together.
pub const FRAMES: usize = 32;

/// Flows from which on it is worth the look: fewer stay in the caches by themselves.
const FLOWS: usize = 512;

/// Touches the flows of the next `FRAMES` frames.
pub fn touch(source: &Source, table: &FlowTable) {
    if table.len() < FLOWS {
        return;
    }
    let mut hashes = [0; FRAMES];
    let mut count = 0;
    source.look_ahead(FRAMES, |link_type, frame| {
        if let Some(key) = key_of(link_type, frame) {
            hashes[count] = table.hash(&key);
            count += 1;
        }
    });
    // Each loop's reads are independent of each other: the processor waits for all of them together.
    let mut slots = [None; FRAMES];
    for (slot, hash) in slots.iter_mut().zip(&hashes[..count]) {
        *slot = table.guess(*hash);
    }
    let mut read = 0;
    for slot in slots.iter().flatten() {
        read ^= table.touch_flow(*slot);
    }
    for slot in slots.iter().flatten() {
        read ^= table.touch_parser(*slot);
    }
    black_box(read);
}

/// The flow of a frame without any tunnel: a wrong guess costs nothing but the guess.
#[inline]
fn key_of(link_type: u16, frame: &[u8]) -> Option<FlowKey> {
    if link_type == link::ETHERNET {
        if let Some(key) = usual_key(frame) {
            return Some(key);
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
    Some(FlowKey::new(&packet, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

/// The flow of what most frames are, by its places alone: IPv4 without options, behind one VLAN tag at most.
#[inline]
fn usual_key(frame: &[u8]) -> Option<FlowKey> {
    let (_, typed) = frame.split_first_chunk::<12>()?;
    let network = match *typed {
        [0x08, 0x00, ref rest @ ..] | [0x81, 0x00, _, _, 0x08, 0x00, ref rest @ ..] => rest,
        _ => return None,
    };
    let [0x45, _, _, _, _, _, _, _, _, protocol, _, _, rest @ ..] = network else { return None };
    let (ends, _) = rest.split_first_chunk::<12>()?;
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *ends;
    let addresses = [net::mapped([a, b, c, d]), net::mapped([e, f, g, h])];
    let ports = [u16::from_be_bytes([i, j]), u16::from_be_bytes([k, l])];
    matches!(*protocol, TCP | UDP).then(|| FlowKey::of(addresses, ports, *protocol))
}
