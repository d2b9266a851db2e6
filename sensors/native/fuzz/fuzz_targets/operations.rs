//! Any bytes as a conversation of a protocol whose operations are read: over TCP, over UDP, or without IP.
//!
//! The first byte chooses the protocol by its port or Ethernet type, and how its streams are treated.
#![no_main]

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Record;
use libfuzzer_sys::fuzz_target;

const TCP_PORTS: [u16; 11] = [102, 2_404, 5_007, 5_094, 9_600, 11_740, 18_245, 20_000, 44_818, 48_898, 40_001];
const UDP_PORTS: [u16; 9] = [2_222, 4_840, 5_007, 5_094, 9_600, 20_000, 34_964, 44_818, 47_808];
const TYPES: [u16; 4] = [0x8892, 0x88b8, 0x88ba, 0x88a4];

const TCP: u8 = 6;
const UDP: u8 = 17;

fn packet(side: u8, protocol: u8, transport: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend((20 + transport.len() as u16).to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    bytes.extend(if side == 0 { [10, 0, 0, 1, 10, 0, 0, 2] } else { [10, 0, 0, 2, 10, 0, 0, 1] });
    bytes.extend(transport);
    bytes
}

fn ports(side: u8, port: u16) -> Vec<u8> {
    let ports = if side == 0 { [40_000, port] } else { [port, 40_000] };
    ports.iter().flat_map(|port| port.to_be_bytes()).collect()
}

fn segment(side: u8, port: u16, sequence: u32, acknowledgment: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut tcp = ports(side, port);
    tcp.extend(sequence.to_be_bytes());
    tcp.extend(acknowledgment.to_be_bytes());
    tcp.extend([0x50, flags, 1, 0, 0, 0, 0, 0]);
    tcp.extend(payload);
    packet(side, TCP, &tcp)
}

fn datagram(side: u8, port: u16, payload: &[u8]) -> Vec<u8> {
    let mut udp = ports(side, port);
    udp.extend((8 + payload.len() as u16).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(payload);
    packet(side, UDP, &udp)
}

fuzz_target!(|bytes: &[u8]| {
    let [choice, bytes @ ..] = bytes else { return };
    let choice = usize::from(*choice);
    let mut limits = Limits::default();
    // Now and then so small that every limit is reached.
    if choice & 0x80 != 0 {
        for (name, value) in [("operations_pending", 3), ("operations_pending_all", 5), ("operation_bytes", 48)] {
            limits.set(name, value).expect("known limits");
        }
    }
    let which = choice & 0x1f;
    let midstream = choice & 0x40 != 0;
    let mut decoder = Decoder::new(limits);
    let mut next = [1_000u32, 7];
    let mut ts = 0;
    let mut send = |decoder: &mut Decoder, link_type: u16, data: &[u8]| {
        ts += 700_000_000;
        decoder.frame(&Record { ts, wire_length: data.len() as u32, link_type, interface: 0, data });
    };
    let over_tcp = TCP_PORTS.get(which).copied();
    if let (Some(port), false) = (over_tcp, midstream) {
        send(&mut decoder, 101, &segment(0, port, next[0] - 1, 0, 2, &[]));
        send(&mut decoder, 101, &segment(1, port, next[1] - 1, next[0], 18, &[]));
    }
    let mut rest = bytes;
    // Each message: who sends it and what becomes of it, its length, then its bytes.
    while let [action, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        let side = action & 1;
        rest = after;
        if let Some(port) = over_tcp {
            let (mine, theirs) = (next[usize::from(side)], next[usize::from(1 - side)]);
            next[usize::from(side)] = mine.wrapping_add(data.len() as u32);
            // Lost: the other side still acknowledges it.
            if action & 2 == 0 {
                send(&mut decoder, 101, &segment(side, port, mine, theirs, 16, data));
            }
        } else if let Some(port) = UDP_PORTS.get(which - TCP_PORTS.len()) {
            send(&mut decoder, 101, &datagram(side, *port, data));
        } else {
            let mut frame = vec![2, 0, 0, 0, 0, side, 2, 0, 0, 0, 0, 1 - side];
            frame.extend(TYPES[which % TYPES.len()].to_be_bytes());
            frame.extend(data);
            send(&mut decoder, 1, &frame);
        }
    }
    decoder.finish_capture();
    decoder.take();
    assert_eq!(decoder.counts().operations_waiting, 0);
    assert_eq!(decoder.counts().operation_bytes_kept, 0);
});
