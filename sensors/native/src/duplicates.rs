//! Recognises the copies that a SPAN port makes of one packet.
//!
//! A switch that mirrors both the port where a packet comes in and the one where it leaves shows it twice, with
//! other MAC addresses, VLAN tags, hop count and checksum where it was routed in between. The same IP
//! identification, transport header and payload again within milliseconds is a copy; a retransmission has a new
//! identification. IPv6 and IPv4 packets with identification 0 have nothing that tells a copy from a pure ACK
//! said twice, so only SYNs and payload are compared there, and only for 1 ms; fragments have one in both. A copy with another hop count was
//! seen on both sides of a router, which may hold a packet for longer: a host's repetition has the same count.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;

use crate::net::{Fragment, Packet};
use crate::transport::{TCP, UDP, flag};

/// Copies with an IP identification, in nanoseconds.
const WINDOW_NS: u64 = 5_000_000;
/// Copies without one.
const SHORT_WINDOW_NS: u64 = 1_000_000;
/// Copies with another hop count.
const ROUTED_WINDOW_NS: u64 = 50_000_000;

const WAYS: usize = 4;
/// 8,192 sets of 4: half a MiB, 5 ms of traffic at 6 million packets a second.
const SETS: usize = 1 << 13;

#[derive(Clone, Copy)]
struct Seen {
    /// 56 bits of hash, then the hop count.
    fingerprint: u64,
    ts: i64,
}

/// One cache line: a packet costs one look into memory, not two.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Set([Seen; WAYS]);

/// The packets of the last milliseconds.
///
/// The set that a packet falls in comes from an unseeded mix, so that which old packet makes room never differs
/// between two replays. The fingerprint is keyed by chance, so that nobody can write a packet that passes for
/// the copy of another; two replays agree on equality whatever the key.
pub struct Duplicates {
    seen: Vec<Set>,
    keyed: RandomState,
}

impl Default for Duplicates {
    fn default() -> Self {
        let never = Seen { fingerprint: 0, ts: i64::MIN / 2 };
        Self { seen: vec![Set([never; WAYS]); SETS], keyed: RandomState::default() }
    }
}

impl Duplicates {
    /// True where this packet was seen within the window in the same network behind tunnels; otherwise it is remembered.
    #[inline]
    pub fn is_copy(&mut self, packet: &Packet<'_>, network: u16, ts: i64) -> bool {
        self.is_known(packet, network, None, ts)
    }

    /// The same for a piece of a packet.
    #[inline(never)]
    pub fn is_copy_of_piece(&mut self, packet: &Packet<'_>, piece: Fragment, ts: i64) -> bool {
        self.is_known(packet, 0, Some(piece), ts)
    }

    /// The set that an unfragmented packet falls in, for `glance`.
    #[inline]
    pub fn set_of_whole(id: u16, last_bytes: [u8; 2], transport: &[u8]) -> usize {
        set_of(id, last_bytes, None, transport)
    }

    /// Reads a little of a set; the value means nothing.
    #[inline]
    pub fn glance(&self, set: usize) -> u64 {
        self.seen[set].0[0].fingerprint
    }

    #[inline(always)]
    fn is_known(&mut self, packet: &Packet<'_>, network: u16, piece: Option<Fragment>, ts: i64) -> bool {
        let bytes = packet.transport;
        let window_ns = if packet.id != 0 || piece.is_some() {
            WINDOW_NS
        } else if says_something(packet) {
            SHORT_WINDOW_NS
        } else {
            return false;
        };
        let fingerprint = self.fingerprint(packet, network, piece, bytes);
        let last_bytes = [packet.source[15], packet.destination[15]];
        let Set(set) = &mut self.seen[set_of(packet.id, last_bytes, piece, bytes)];
        let mut oldest = 0;
        for way in 0..WAYS {
            let seen = set[way];
            if seen.fingerprint ^ fingerprint < 1 << 8 {
                let window_ns = if seen.fingerprint == fingerprint { window_ns } else { ROUTED_WINDOW_NS };
                if seen.ts.abs_diff(ts) <= window_ns {
                    return true;
                }
            }
            if seen.ts < set[oldest].ts {
                oldest = way;
            }
        }
        set[oldest] = Seen { fingerprint, ts };
        false
    }

    #[inline(always)]
    fn fingerprint(&self, packet: &Packet<'_>, network: u16, piece: Option<Fragment>, bytes: &[u8]) -> u64 {
        let mut hasher = self.keyed.build_hasher();
        hasher.write_u128(u128::from_le_bytes(packet.source));
        hasher.write_u128(u128::from_le_bytes(packet.destination));
        let rest = u64::from(packet.id) << 48
            | u64::from(packet.protocol) << 40
            | u64::from(network) << 24
            | packet.transport_length as u64 & 0xff_ffff;
        hasher.write_u64(rest);
        if let Some(piece) = piece {
            hasher.write_u64(u64::from(piece.id) << 16 | u64::from(piece.offset));
        }
        // The checksum is left out: it covers the addresses that a translating router changes.
        let halves = match packet.protocol {
            TCP => bytes.split_first_chunk().map(|(before, rest)| (u128::from_le_bytes(*before), rest)),
            UDP => bytes.split_at_checked(6).map(|(before, rest)| (low(before), rest)),
            _ => None,
        };
        let rest = match halves {
            Some((before, [_, _, rest @ ..])) if piece.is_none() => {
                hasher.write_u128(before);
                rest
            }
            _ => bytes,
        };
        hasher.write(rest);
        hasher.finish() << 8 | u64::from(packet.hops)
    }
}

/// A few bytes as a number.
fn low(bytes: &[u8]) -> u128 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// SYNs and payload: what no host says twice in the same words by right.
fn says_something(packet: &Packet<'_>) -> bool {
    let bytes = packet.transport;
    match packet.protocol {
        TCP if bytes.len() >= 14 => {
            let header = usize::from(bytes[12] >> 4) * 4;
            packet.transport_length > header || bytes[13] & flag::SYN != 0
        }
        UDP => packet.transport_length > 8,
        _ => packet.transport_length > 0,
    }
}

/// A set by what differs between neighbouring packets: identification, sequence number, ports, the addresses' last bytes.
#[inline(always)]
fn set_of(id: u16, [source, destination]: [u8; 2], piece: Option<Fragment>, bytes: &[u8]) -> usize {
    let word = |at: usize| match bytes.get(at..at + 4) {
        Some(four) => u64::from(u32::from_le_bytes([four[0], four[1], four[2], four[3]])),
        None => 0,
    };
    // The pieces of a packet of zeros differ in nothing else.
    let place = piece.map_or(0, |piece| u64::from(piece.offset) ^ u64::from(piece.id));
    let addresses = u64::from(source) << 8 | u64::from(destination);
    let mix = (word(0) ^ u64::from(id) << 32 ^ place << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (word(4) ^ word(8) << 32 ^ addresses << 20).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    (mix.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SETS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(id: u16, transport: &[u8]) -> Packet<'_> {
        Packet {
            source: [1; 16],
            destination: [2; 16],
            protocol: TCP,
            id,
            hops: 64,
            fragment: None,
            transport,
            transport_length: transport.len(),
        }
    }

    fn segment(sequence: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        bytes[7] = sequence;
        bytes[12] = 0x50;
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn the_same_packet_within_5_ms_is_a_copy_even_with_another_checksum() {
        let mut duplicates = Duplicates::default();
        let mut bytes = segment(1, b"abc");
        assert!(!duplicates.is_copy(&packet(7, &bytes), 0, 0));
        bytes[16] = 0xaa;
        assert!(duplicates.is_copy(&packet(7, &bytes), 0, 5_000_000));
    }

    #[test]
    fn pieces_of_one_packet_with_the_same_bytes_are_no_copies_of_each_other() {
        let mut duplicates = Duplicates::default();
        let zeros = [0; 1_480];
        let packet = packet(7, &zeros);
        let piece = |offset| Fragment { id: 7, offset, more: true, version: 4 };
        assert!(!duplicates.is_copy_of_piece(&packet, piece(0), 0));
        assert!(!duplicates.is_copy_of_piece(&packet, piece(185), 10));
        assert!(duplicates.is_copy_of_piece(&packet, piece(185), 20));
    }

    #[test]
    fn later_or_with_another_identification_it_is_a_retransmission() {
        let mut duplicates = Duplicates::default();
        let bytes = segment(1, b"abc");
        assert!(!duplicates.is_copy(&packet(7, &bytes), 0, 0));
        assert!(!duplicates.is_copy(&packet(8, &bytes), 0, 1_000_000));
        assert!(!duplicates.is_copy(&packet(7, &bytes), 0, 5_000_001));
    }

    #[test]
    fn the_same_packet_of_another_network_is_no_copy() {
        let mut duplicates = Duplicates::default();
        let bytes = segment(1, b"abc");
        assert!(!duplicates.is_copy(&packet(7, &bytes), 0, 0));
        assert!(!duplicates.is_copy(&packet(7, &bytes), 1, 10));
        assert!(duplicates.is_copy(&packet(7, &bytes), 1, 20));
    }

    #[test]
    fn a_copy_from_behind_a_router_may_come_later() {
        let mut duplicates = Duplicates::default();
        let bytes = segment(1, b"abc");
        assert!(!duplicates.is_copy(&packet(7, &bytes), 0, 0));
        let behind = Packet { hops: 63, ..packet(7, &bytes) };
        assert!(duplicates.is_copy(&behind, 0, 50_000_000));
        assert!(!duplicates.is_copy(&behind, 0, 50_000_001));
    }

    #[test]
    fn without_an_identification_a_repeated_pure_ack_is_no_copy() {
        let mut duplicates = Duplicates::default();
        let ack = segment(1, b"");
        assert!(!duplicates.is_copy(&packet(0, &ack), 0, 0));
        assert!(!duplicates.is_copy(&packet(0, &ack), 0, 10));
        let data = segment(1, b"abc");
        assert!(!duplicates.is_copy(&packet(0, &data), 0, 20));
        assert!(duplicates.is_copy(&packet(0, &data), 0, 30));
        assert!(!duplicates.is_copy(&packet(0, &data), 0, 1_000_021));
    }
}
