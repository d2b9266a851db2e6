//! Links and tunnels: whatever bytes come, nothing panics; what the Python tests make with scapy is not made again here.

mod support;

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Record;
use proptest::collection::vec;
use proptest::prelude::*;
use support::property::property;
use support::{ACK, Talk, decode, ipv4, pcap, read_registers};

const LINK_TYPES: [u16; 12] = [0, 1, 9, 12, 50, 51, 101, 108, 113, 228, 229, 276];

/// Rows of `modbus` and the summary's ways of wrapping, of frames of one link type.
fn of_link_type(link_type: u16, wrap: impl Fn(&[u8]) -> Vec<u8>) -> (usize, Vec<(&'static str, u64)>) {
    let mut talk = Talk::new(502);
    let (request, response) = read_registers(1, 7, 2);
    talk.handshake().send(0, ACK, &request).send(1, ACK, &response);
    let mut decoder = Decoder::new(Limits::default());
    for (ts, frame) in &talk.frames {
        // Behind 14 bytes of Ethernet.
        let data = wrap(&frame[14..]);
        let wire_length = data.len() as u32;
        decoder.frame(&Record { ts: *ts, wire_length, link_type, interface: 0, data: &data });
    }
    decoder.finish_capture();
    let rows =
        decoder.take().iter().filter(|(name, _)| *name == "modbus").map(|(_, rows)| rows.num_rows()).sum();
    (rows, decoder.summary().tallies.encapsulations())
}

#[test]
fn point_to_point_links_are_read() {
    let ppp = |packet: &[u8]| [&[0x00, 0x21], packet].concat();
    let compressed = |packet: &[u8]| [&[0xff, 0x03, 0x21], packet].concat();
    let pppoe = |packet: &[u8]| {
        let [high, low] = (packet.len() as u16 + 2).to_be_bytes();
        [&[0x11, 0, 0, 9, high, low, 0x00, 0x21], packet].concat()
    };
    assert_eq!(of_link_type(9, ppp), (1, vec![("ppp", 5)]));
    assert_eq!(of_link_type(50, compressed), (1, vec![("ppp", 5)]));
    assert_eq!(of_link_type(51, pppoe), (1, vec![("ppp", 5), ("pppoes", 5)]));
}

#[test]
fn a_tunnel_that_ends_in_its_header_is_malformed_and_a_whole_one_is_not() {
    let (gre, key) = ([0x20, 0, 8, 0, 0, 0, 0, 7], 8);
    let inside = &ipv4(0, 17, 1, 64, &[0, 7, 0, 9, 0, 8, 0, 0])[14..];
    for end in 0..=key {
        let whole = end == key;
        let content = if whole { [&gre[..], inside].concat() } else { gre[..end].to_vec() };
        let decoded = decode(&pcap(&[(support::START, ipv4(0, 47, 1, 64, &content))]), &[]);
        assert_eq!(decoded.sum("coverage", "malformed_packets"), u64::from(!whole), "{end}");
        let expected: &[&str] = if whole { &[] } else { &["tunnel_header"] };
        assert_eq!(decoded.column("anomalies", "kind"), expected, "{end}");
        assert_eq!(decoded.column("flows", "tunnel").len(), usize::from(whole));
    }
}

#[test]
fn a_label_stack_without_an_end_is_malformed() {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0x47];
    frame.extend([0; 400]);
    let decoded = decode(&pcap(&[(support::START, frame)]), &[]);
    assert_eq!(decoded.column("anomalies", "kind"), ["tunnel_header"]);
}

/// Headers that open tunnels, so that random bytes get into them.
fn heads() -> impl Strategy<Value = Vec<u8>> {
    let ethernet = |kind: [u8; 2]| [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &kind].concat();
    let udp = |port: u16| {
        let mut datagram = vec![0, 7];
        datagram.extend(port.to_be_bytes());
        datagram.extend([0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 9, 0]);
        datagram
    };
    prop_oneof![
        Just(ethernet([0x88, 0x47])),
        Just(ethernet([0x88, 0x64])),
        Just(ethernet([0x81, 0x00])),
        Just(ipv4(0, 47, 1, 64, &[])),
        Just(ipv4(0, 4, 1, 64, &[])),
        Just(ipv4(0, 41, 1, 64, &[])),
        Just(ipv4(0, 17, 1, 64, &udp(4_789))),
        Just(ipv4(0, 17, 1, 64, &udp(6_081))),
    ]
}

proptest! {
    #![proptest_config(property(256))]

    #[test]
    fn any_bytes_on_any_link_never_panic_and_are_all_counted(
        frames in vec((0usize..LINK_TYPES.len(), heads(), vec(any::<u8>(), 0..200), 0u32..300), 0..20),
    ) {
        let mut decoder = Decoder::new(Limits::default());
        for (kind, head, bytes, cut) in &frames {
            let mut data = [head.as_slice(), bytes].concat();
            if data.len() > 17 && head[12..14] == [8, 0] {
                // The length of the outer packet covers what was appended, as a card that segments leaves it: 0.
                data[16..18].copy_from_slice(&[0, 0]);
            }
            let wire_length = data.len() as u32 + cut;
            let link_type = if cut % 2 == 0 { 1 } else { LINK_TYPES[*kind] };
            decoder.frame(&Record { ts: 0, wire_length, link_type, interface: 0, data: &data });
        }
        decoder.finish_capture();
        prop_assert_eq!(decoder.summary().frames, frames.len() as u64);
    }
}

#[test]
fn a_transport_header_that_cannot_be_is_an_anomaly_of_its_own_layer() {
    for (protocol, layer) in [(6, "tcp"), (17, "udp")] {
        let frame = ipv4(0, protocol, 1, 64, &[0, 7, 0, 9, 0]);
        let decoded = decode(&pcap(&[(support::START, frame)]), &[]);
        let expected = [format!("transport_header {layer}")];
        assert_eq!(decoded.lines("anomalies", &["kind", "layer"]), expected);
    }
}
