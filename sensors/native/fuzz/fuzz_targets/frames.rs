//! Any bytes as frames of any link type, under limits so small that every one of them is reached.
#![no_main]

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Record;
use libfuzzer_sys::fuzz_target;

const LINK_TYPES: [u16; 10] = [0, 1, 12, 101, 108, 113, 228, 229, 276, 147];

fuzz_target!(|bytes: &[u8]| {
    let mut limits = Limits::default();
    for (name, value) in
        [("flow_limit", 4), ("reassembly_bytes_per_flow", 64), ("reassembly_bytes", 96), ("pending_limit", 3), ("reassembly_pieces", 3)]
    {
        limits.set(name, value).expect("known limits");
    }
    let mut decoder = Decoder::new(limits);
    let mut rest = bytes;
    let mut ts = 0i64;
    // Each frame: link type, cut bytes, milliseconds since the last (signed), length; then its bytes.
    while let [kind, cut, later, length, tail @ ..] = rest {
        let length = usize::from(*length).min(tail.len());
        let (data, after) = tail.split_at(length);
        ts = ts.wrapping_add(i64::from(*later as i8) * 1_000_000 * i64::from(*cut));
        let record = Record {
            ts,
            wire_length: (length + usize::from(*cut)) as u32,
            link_type: LINK_TYPES[usize::from(*kind) % LINK_TYPES.len()],
            interface: u16::from(kind >> 6),
            data,
        };
        decoder.frame(&record);
        rest = after;
    }
    decoder.finish_capture();
    decoder.take();
});
