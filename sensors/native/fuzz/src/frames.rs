//! Any bytes as frames of any link type, under limits so small that every one of them is reached.

use geophone_native::source::Record;

use super::messages::Form;
use super::watched::Watched;

const LINK_TYPES: [u16; 10] = [0, 1, 12, 101, 108, 113, 228, 229, 276, 147];

const LIMITS: [(&str, u64); 5] = [
    ("flow_limit", 4),
    ("reassembly_bytes_per_flow", 64),
    ("reassembly_bytes", 96),
    ("pending_limit", 3),
    ("reassembly_pieces", 3),
];

/// Each frame: link type, cut bytes, milliseconds since the last (signed, times the cut), length; then its bytes.
pub const FORM: Form = Form { head: 0, start: 3, is_wide: false };

pub fn run(bytes: &[u8]) {
    let mut watched = Watched::new(&LIMITS);
    let mut rest = bytes;
    let mut ts = 0i64;
    while let [kind, cut, later, length, tail @ ..] = rest {
        let length = usize::from(*length).min(tail.len());
        let (data, after) = tail.split_at(length);
        ts = ts.wrapping_add(i64::from(*later as i8) * 1_000_000 * i64::from(*cut));
        watched.frame(&Record {
            ts,
            wire_length: (length + usize::from(*cut)) as u32,
            link_type: LINK_TYPES[usize::from(*kind) % LINK_TYPES.len()],
            interface: u16::from(kind >> 6),
            data,
        });
        rest = after;
    }
    watched.finish();
}
