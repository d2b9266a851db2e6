//! Any bytes as the two streams of a Modbus flow: pieces repeated, swapped, lost, acknowledged and cut.
//! With the option 4 the first exchange is a sound one of RTU, so that what follows is read as RTU.
#![no_main]

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Record;
use libfuzzer_sys::fuzz_target;

fn frame(side: u8, port: u16, sequence: u32, acknowledgment: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = (40 + payload.len()) as u16;
    let mut bytes = vec![0x45, 0];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, 6, 0, 0]);
    bytes.extend(if side == 0 { [10, 0, 0, 1, 10, 0, 0, 2] } else { [10, 0, 0, 2, 10, 0, 0, 1] });
    let ports = if side == 0 { [40_000, port] } else { [port, 40_000] };
    bytes.extend(ports[0].to_be_bytes());
    bytes.extend(ports[1].to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(acknowledgment.to_be_bytes());
    bytes.extend([0x50, flags, 1, 0, 0, 0, 0, 0]);
    bytes.extend(payload);
    bytes
}

fuzz_target!(|bytes: &[u8]| {
    let [options, bytes @ ..] = bytes else { return };
    let port = if options & 1 == 0 { 502 } else { 5020 };
    let mut decoder = Decoder::new(Limits::default());
    let mut next = [0xffff_ff00u32, 7];
    let mut ts = 0;
    let mut send = |decoder: &mut Decoder, data: &[u8], cut: u32| {
        ts += 10_000_000;
        let wire_length = data.len() as u32 + cut;
        decoder.frame(&Record { ts, wire_length, link_type: 101, interface: 0, data });
    };
    if options & 2 == 0 {
        send(&mut decoder, &frame(0, port, next[0] - 1, 0, 2, &[]), 0);
        send(&mut decoder, &frame(1, port, next[1] - 1, next[0], 18, &[]), 0);
    }
    if options & 4 != 0 {
        // Unit 1 is asked for one register, and says 42; checksums by Serial Line V1.02, 6.2.2.
        let exchange: [&[u8]; 2] = [&[1, 3, 0, 0, 0, 1, 0x84, 0x0a], &[1, 3, 2, 0, 42, 0x39, 0x9b]];
        for (side, unit) in exchange.into_iter().enumerate() {
            let (mine, theirs) = (next[side], next[1 - side]);
            send(&mut decoder, &frame(side as u8, port, mine, theirs, 16, unit), 0);
            next[side] = mine.wrapping_add(unit.len() as u32);
        }
    }
    let mut rest = bytes;
    // Each segment: what happens to it, its length, then its bytes.
    while let [action, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        let side = action & 1;
        let (mine, theirs) = (next[usize::from(side)], next[usize::from(1 - side)]);
        let moved = match action >> 4 {
            // Starts early or late: overlaps and holes.
            1 => mine.wrapping_sub(u32::from(*length) / 2),
            2 => mine.wrapping_add(u32::from(*length)),
            3 => mine.wrapping_add(1 << 20),
            4 => mine.wrapping_sub(1),
            _ => mine,
        };
        let acknowledged = if action & 4 == 0 { theirs } else { theirs.wrapping_add(u32::from(*length)) };
        let flags = if action & 8 == 0 { 16 } else { 17 };
        send(&mut decoder, &frame(side, port, moved, acknowledged, flags, data), 0);
        // A lost one moves on too; a repeated one does not.
        if action & 2 == 0 {
            next[usize::from(side)] = mine.wrapping_add(data.len() as u32);
        }
        rest = after;
    }
    decoder.finish_capture();
    decoder.take();
});
