//! IPv4 packets between 10.0.0.1 (side 0) and 10.0.0.2 (side 1), and the frames that carry them.

use geophone_native::source::Record;

pub const SYN: u8 = 2;
pub const FIN: u8 = 1;
pub const ACK: u8 = 16;

/// LINKTYPE_ETHERNET and LINKTYPE_RAW.
pub const ETHERNET: u16 = 1;
pub const RAW: u16 = 101;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// A TCP segment.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    pub side: usize,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: u8,
    pub payload: &'a [u8],
}

/// A frame that is whole, unless `cut` bytes of it were not captured.
pub fn record(ts: i64, link_type: u16, data: &[u8], cut: u32) -> Record<'_> {
    Record { ts, wire_length: data.len() as u32 + cut, link_type, interface: 0, data }
}

fn packet(side: usize, protocol: u8, transport: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend((20 + transport.len() as u16).to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    for end in [side, 1 - side] {
        bytes.extend([10, 0, 0, 1 + end as u8]);
    }
    bytes.extend(transport);
    bytes
}

/// From port 40000 of side 0, or from `port` of side 1.
fn ports(side: usize, port: u16) -> Vec<u8> {
    let ports = [40_000, port];
    [ports[side], ports[1 - side]].map(u16::to_be_bytes).concat()
}

pub fn tcp(port: u16, segment: &Segment<'_>) -> Vec<u8> {
    let mut tcp = ports(segment.side, port);
    tcp.extend(segment.sequence.to_be_bytes());
    tcp.extend(segment.acknowledgment.to_be_bytes());
    tcp.extend([0x50, segment.flags, 1, 0, 0, 0, 0, 0]);
    tcp.extend(segment.payload);
    packet(segment.side, TCP, &tcp)
}

pub fn udp(port: u16, side: usize, payload: &[u8]) -> Vec<u8> {
    let mut udp = ports(side, port);
    udp.extend((8 + payload.len() as u16).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(payload);
    packet(side, UDP, &udp)
}
