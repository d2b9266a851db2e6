//! Any bytes as what two sides of a service say, over TCP or as datagrams; the first byte chooses the port.
#![no_main]

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Record;
use libfuzzer_sys::fuzz_target;

/// In the order that `service_seeds.py` knows.
const PORTS: [u16; 30] = [
    49_000, 21, 22, 23, 25, 80, 88, 135, 389, 443, 445, 500, 514, 1194, 1433, 1701, 1723, 3306, 3389, 3478, 4433,
    4899, 5432, 5900, 5938, 5985, 21116, 41641, 51820, 4500,
];

const TCP: u8 = 6;
const UDP: u8 = 17;

/// An IPv4 packet from a side to the other.
fn packet(side: usize, protocol: u8, transport: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend((20 + transport.len() as u16).to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    bytes.extend(if side == 0 { [10, 0, 0, 1, 10, 0, 0, 2] } else { [10, 0, 0, 2, 10, 0, 0, 1] });
    bytes.extend(transport);
    bytes
}

fn ports(side: usize, port: u16) -> Vec<u8> {
    let ports = if side == 0 { [40_000, port] } else { [port, 40_000] };
    ports.map(u16::to_be_bytes).concat()
}

fuzz_target!(|bytes: &[u8]| {
    let [service, options, bytes @ ..] = bytes else { return };
    let port = PORTS[usize::from(*service) % PORTS.len()];
    let datagrams = options & 1 != 0;
    let mut decoder = Decoder::new(Limits::default());
    let mut next = [1_000u32, 7_000];
    let mut ts = 0;
    let mut send = |decoder: &mut Decoder, data: &[u8]| {
        ts += 10_000_000;
        let wire_length = data.len() as u32;
        decoder.frame(&Record { ts, wire_length, link_type: 101, interface: 0, data });
    };
    let segment = |side: usize, next: [u32; 2], flags: u8, payload: &[u8]| {
        let mut tcp = ports(side, port);
        tcp.extend(next[side].to_be_bytes());
        tcp.extend(next[1 - side].to_be_bytes());
        tcp.extend([0x50, flags, 1, 0, 0, 0, 0, 0]);
        tcp.extend(payload);
        packet(side, TCP, &tcp)
    };
    if !datagrams && options & 2 == 0 {
        send(&mut decoder, &segment(0, [next[0] - 1, 0], 2, &[]));
        send(&mut decoder, &segment(1, [next[0], next[1] - 1], 18, &[]));
    }
    let mut rest = bytes;
    // Each piece: who sends it and whether it is lost, its length, then its bytes.
    while let [action, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        let side = usize::from(action & 1);
        let lost = action & 6 == 6;
        if datagrams {
            let mut udp = ports(side, port);
            udp.extend((8 + data.len() as u16).to_be_bytes());
            udp.extend([0, 0]);
            udp.extend(data);
            // A first datagram may have to be long: as long as QUIC's and RDP's are.
            udp.resize(if action & 8 == 0 { udp.len() } else { 8 + 1_232 }, 0);
            send(&mut decoder, &packet(side, UDP, &udp));
        } else {
            if !lost {
                send(&mut decoder, &segment(side, next, 16, data));
            }
            next[side] = next[side].wrapping_add(data.len() as u32);
        }
        rest = after;
    }
    decoder.finish_capture();
    decoder.take();
});
