//! Any bytes as frames of every link type that is read: headers, tunnels in tunnels, fragments of packets.
#![no_main]

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Record;
use libfuzzer_sys::fuzz_target;

const LINK_TYPES: [u16; 12] = [1, 0, 9, 12, 50, 51, 101, 108, 113, 228, 229, 276];

fuzz_target!(|bytes: &[u8]| {
    let mut limits = Limits::default();
    for (name, value) in [("flow_limit", 8), ("flows_per_source", 3), ("fragment_bytes", 4_096), ("fragments_per_packet", 6)] {
        limits.set(name, value).expect("known limits");
    }
    let mut decoder = Decoder::new(limits);
    let mut rest = bytes;
    let mut ts = 0i64;
    // Each frame: link type and whether the capture cut it, seconds since the last, length; then its bytes.
    while let [kind, later, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (data, after) = tail.split_at(length);
        ts += i64::from(*later) * 1_000_000_000;
        let cut = if kind & 0x80 == 0 { 0 } else { 100 };
        let link_type = LINK_TYPES[usize::from(kind & 0x0f) % LINK_TYPES.len()];
        decoder.frame(&Record { ts, wire_length: (length + cut) as u32, link_type, interface: 0, data });
        rest = after;
    }
    decoder.finish_capture();
    decoder.take();
});
