//! Any bytes as frames of every link type that is read: headers, tunnels in tunnels, fragments of packets.

use super::messages::Form;
use super::packets;
use super::watched::Watched;

const LINK_TYPES: [u16; 12] = [1, 0, 9, 12, 50, 51, 101, 108, 113, 228, 229, 276];

const LIMITS: [(&str, u64); 5] = [
    ("flow_limit", 8),
    ("flows_per_source", 3),
    ("networks_per_flow", 3),
    ("fragment_bytes", 4_096),
    ("fragments_per_packet", 6),
];

/// Each frame: link type and whether the capture cut it, seconds since the last, length; then its bytes.
pub const FORM: Form = Form { head: 0, start: 2, is_wide: true };

pub fn run(bytes: &[u8]) {
    let mut watched = Watched::new(&LIMITS);
    let mut rest = bytes;
    let mut ts = 0i64;
    while let [kind, later, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (data, after) = tail.split_at(length);
        ts += i64::from(*later) * 1_000_000_000;
        let cut = if kind & 0x80 == 0 { 0 } else { 100 };
        let link_type = LINK_TYPES[usize::from(kind & 0x0f) % LINK_TYPES.len()];
        watched.frame(&packets::record(ts, link_type, data, cut));
        rest = after;
    }
    watched.finish();
}
