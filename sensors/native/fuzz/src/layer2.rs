//! Any bytes as frames without IP, of a kind that the first byte of each chooses; limits so small that all are met.

use super::messages::Form;
use super::packets::{self, ETHERNET};
use super::watched::Watched;

/// How each kind of frame starts, behind its addresses.
const STARTS: [&[u8]; 6] = [
    b"\x08\x06\0\x01\x08\0\x06\x04\0",
    b"\x88\xcc",
    b"\0\x26\x42\x42\x03",
    b"\0\x60\xaa\xaa\x03\0\0\x0c\x20\0",
    b"\x88\x92",
    // ICMPv6 with hop limit 255.
    b"\x86\xdd\x60\0\0\0\0\x40\x3a\xff",
];

const LIMITS: [(&str, u64); 2] = [("observations", 16), ("neighbours", 4)];

/// Each frame: its kind and its sender, its length; then its bytes.
pub const FORM: Form = Form { head: 0, start: 1, is_wide: false };

pub fn run(bytes: &[u8]) {
    let mut watched = Watched::new(&LIMITS);
    let mut rest = bytes;
    let mut ts = 0;
    while let [kind, length, tail @ ..] = rest {
        let (payload, after) = tail.split_at(usize::from(*length).min(tail.len()));
        let mut data = vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, kind >> 4];
        data.extend(STARTS[usize::from(*kind & 15) % STARTS.len()]);
        data.extend(payload);
        ts += 10_000_000;
        watched.frame(&packets::record(ts, ETHERNET, &data, 0));
        rest = after;
    }
    watched.finish();
}
