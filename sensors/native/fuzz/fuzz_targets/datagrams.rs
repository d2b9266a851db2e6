//! Any bytes as datagrams of a flow whose port, and so whose reader, the first byte chooses.
#![no_main]

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Record;
use libfuzzer_sys::fuzz_target;

/// DNS, DHCP, NTP, NetBIOS, SNMP, SSDP, their multicast relatives, Modbus, and no protocol's port.
const PORTS: [u16; 11] = [53, 67, 123, 137, 138, 161, 1900, 5353, 5355, 502, 40_001];

fn frame(side: u8, port: u16, payload: &[u8]) -> Vec<u8> {
    let length = (28 + payload.len()) as u16;
    let mut bytes = vec![0x45, 0];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    bytes.extend(if side == 0 { [10, 0, 0, 1, 10, 0, 0, 2] } else { [10, 0, 0, 2, 10, 0, 0, 1] });
    let ports = if side == 0 { [40_000, port] } else { [port, 40_000] };
    bytes.extend(ports[0].to_be_bytes());
    bytes.extend(ports[1].to_be_bytes());
    bytes.extend((length - 20).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    bytes
}

fuzz_target!(|bytes: &[u8]| {
    let [choice, bytes @ ..] = bytes else { return };
    let port = PORTS[usize::from(*choice) % PORTS.len()];
    let mut decoder = Decoder::new(Limits::default());
    let mut rest = bytes;
    let mut ts = 0;
    // Each datagram: who sends it and how much of it is cut, its length in two bytes, then its bytes.
    while let [side, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]) % 2_048);
        let (payload, after) = tail.split_at(length.min(tail.len()));
        ts += 10_000_000;
        let data = frame(side & 1, port, payload);
        let kept = data.len() - usize::from(side >> 1).min(data.len());
        let wire_length = data.len() as u32;
        decoder.frame(&Record { ts, wire_length, link_type: 101, interface: 0, data: &data[..kept] });
        rest = after;
    }
    decoder.finish_capture();
    decoder.take();
});
