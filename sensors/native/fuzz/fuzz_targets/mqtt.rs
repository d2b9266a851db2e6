//! Conversations of MQTT whose packets have the right lengths and the wrong contents, over TCP and WebSocket, with
//! bytes that are lost, and Sparkplug inside.
#![no_main]

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Record;
use libfuzzer_sys::fuzz_target;

const TOPICS: [&[u8]; 8] = [
    b"a/b",
    b"",
    b"spBv1.0/g/NBIRTH/n",
    b"spBv1.0/g/DBIRTH/n/d",
    b"spBv1.0/g/NDATA/n",
    b"spBv1.0/g/DCMD/n/d",
    b"spBv1.0/STATE/h",
    b"+/#",
];

const GET: &[u8] = b"GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

fn frame(side: usize, port: u16, next: [u32; 2], flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = (40 + payload.len()) as u16;
    let mut bytes = vec![0x45, 0];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, 6, 0, 0]);
    bytes.extend(if side == 0 { [10, 0, 0, 1, 10, 0, 0, 2] } else { [10, 0, 0, 2, 10, 0, 0, 1] });
    let ports = [40_000, port];
    bytes.extend(ports[side].to_be_bytes());
    bytes.extend(ports[1 - side].to_be_bytes());
    bytes.extend(next[side].to_be_bytes());
    bytes.extend(next[1 - side].to_be_bytes());
    bytes.extend([0x50, flags, 1, 0, 0, 0, 0, 0]);
    bytes.extend(payload);
    bytes
}

/// A packet with a remaining length that is true.
fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    while length > 127 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(body);
    bytes
}

/// The packet that a type and some bytes make; type 0 is the bytes themselves.
fn made(kind: u8, newer: bool, data: &[u8]) -> Vec<u8> {
    let choice = data.first().copied().unwrap_or(0);
    let rest = data.get(1..).unwrap_or_default();
    match kind {
        0 => data.to_vec(),
        1 => {
            let level = if newer { 5 } else { 4 };
            let start = [&b"\0\x04MQTT"[..], &[level, choice, 0, 60]].concat();
            packet(0x10, &[&start[..], rest].concat())
        }
        3 => {
            let topic = TOPICS[usize::from(choice >> 4) % TOPICS.len()];
            let length = (topic.len() as u16).to_be_bytes();
            packet(0x30 | choice & 0x0f, &[&length[..], topic, rest].concat())
        }
        6 | 8 | 10 => packet(kind << 4 | 2, data),
        _ => packet(kind << 4, data),
    }
}

/// Bytes as a WebSocket frame, masked from the client.
fn wrapped(side: usize, action: u8, bytes: &[u8]) -> Vec<u8> {
    let first = if action & 4 == 0 { 0x82 } else { 0x02 };
    let masked = if side == 0 { 0x80 } else { 0 };
    let mut frame = vec![first, masked | 126];
    frame.extend((bytes.len() as u16).to_be_bytes());
    if side == 0 {
        let mask = [1, 2, 3, 4];
        frame.extend(mask);
        frame.extend(bytes.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    } else {
        frame.extend(bytes);
    }
    frame
}

fuzz_target!(|bytes: &[u8]| {
    let [options, bytes @ ..] = bytes else { return };
    let port = if options & 1 == 0 { 1883 } else { 20_001 };
    let (newer, websocket) = (options & 2 != 0, options & 8 != 0);
    let mut limits = Limits::default();
    if options & 16 != 0 {
        for (name, value) in [("mqtt_held_bytes", 2_000), ("mqtt_packet_bytes", 40), ("pending_limit", 3)] {
            limits.set(name, value).expect("a known limit");
        }
    }
    let mut decoder = Decoder::new(limits);
    let mut next = [0xffff_ff00u32, 7];
    let mut ts = 0;
    let mut send =
        |decoder: &mut Decoder, next: &mut [u32; 2], side: usize, flags: u8, payload: &[u8], seen: bool| {
            ts += 1_000_000_000;
            let data = frame(side, port, *next, flags, payload);
            if seen {
                let wire_length = data.len() as u32;
                decoder.frame(&Record { ts, wire_length, link_type: 101, interface: 0, data: &data });
            }
            next[side] = next[side].wrapping_add(payload.len() as u32 + u32::from(flags & 2 != 0));
        };
    if options & 4 == 0 {
        send(&mut decoder, &mut next, 0, 2, &[], true);
        send(&mut decoder, &mut next, 1, 18, &[], true);
    }
    if websocket {
        send(&mut decoder, &mut next, 0, 16, GET, true);
        send(&mut decoder, &mut next, 1, 16, SWITCHING, true);
    }
    let mut rest = bytes;
    // Each packet: what happens to it and its type, its length, then its bytes.
    while let [action, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        let side = usize::from(action & 1);
        let mut sent = made(action >> 4, newer, data);
        if websocket {
            sent = wrapped(side, *action, &sent);
        }
        // A part of it may be lost: none, its start, its end, all.
        let cut = sent.len() / 2;
        let lost = action >> 1 & 3;
        if lost == 0 || options & 32 == 0 {
            send(&mut decoder, &mut next, side, 16, &sent, true);
        } else {
            send(&mut decoder, &mut next, side, 16, &sent[..cut], lost & 1 == 0);
            send(&mut decoder, &mut next, side, 16, &sent[cut..], lost & 2 == 0);
        }
        rest = after;
    }
    decoder.finish_capture();
    assert_eq!(decoder.counts().mqtt_held_bytes, 0, "what was held is given back");
    decoder.take();
});
