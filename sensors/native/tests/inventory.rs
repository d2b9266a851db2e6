//! Datagrams and frames that tell of devices: hostile ones, and what they must not do.

mod support;

use cpu_time::ThreadTime;

use proptest::collection::vec;
use proptest::prelude::*;
use support::property::property;
use support::{Decoded, MILLISECOND, START, decode, ipv4, pcap};

/// The ports of all protocols that read datagrams for the inventory.
const PORTS: [u16; 9] = [53, 67, 123, 137, 138, 161, 1900, 5353, 5355];

fn datagram(side: usize, port: u16, payload: &[u8]) -> Vec<u8> {
    let ports = if side == 0 { [40_000, port] } else { [port, 40_000] };
    let mut udp = Vec::new();
    udp.extend(ports[0].to_be_bytes());
    udp.extend(ports[1].to_be_bytes());
    udp.extend((8 + payload.len() as u16).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(payload);
    ipv4(side, 17, 0, 64, &udp)
}

fn frame(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1];
    frame.extend(ether_type.to_be_bytes());
    frame.extend(payload);
    frame
}

fn decoded(frames: Vec<Vec<u8>>) -> Decoded {
    let frames: Vec<_> =
        frames.into_iter().enumerate().map(|(n, frame)| (START + n as i64 * MILLISECOND, frame)).collect();
    decode(&pcap(&frames), &[])
}

fn query(id: u16) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend(b"\x01\0\0\x01\0\0\0\0\0\0\x04plc1\x04mine\0\0\x01\0\x01");
    message
}

#[test]
fn queries_that_wait_are_bounded_and_the_oldest_is_given_up() {
    let frames = (0..200).map(|id| datagram(0, 53, &query(id))).collect();
    let outcomes = decoded(frames).column("dns", "outcome");
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "unanswered").count(), 200 - 128);
}

#[test]
fn a_query_that_nobody_answers_is_unanswered_after_its_time() {
    let frames =
        [(START, datagram(0, 53, &query(1))), (START + 40_000 * MILLISECOND, datagram(0, 53, &query(2)))];
    assert_eq!(decode(&pcap(&frames), &[]).column("dns", "outcome"), ["unanswered", "pending"]);
}

#[test]
fn frames_that_are_not_what_they_say_are_malformed_and_other_llc_is_only_unread() {
    let cut_arp = decoded(vec![frame(0x0806, &[0, 1, 8, 0, 6, 4, 0, 1, 2])]);
    assert_eq!(cut_arp.column("anomalies", "kind"), ["network_header"]);
    let lldp = decoded(vec![frame(0x88cc, &[0x02, 0xff, 4])]);
    assert_eq!(lldp.column("anomalies", "kind"), ["network_header"]);
    let novell = decoded(vec![frame(3, &[0xe0, 0xe0, 3])]);
    assert!(novell.column("anomalies", "kind").is_empty());
    assert_eq!(novell.column("coverage", "unread_packets"), ["1"]);
}

#[test]
fn a_flood_of_claims_is_bounded_and_counted() {
    let frames = (0..1_000u16).map(|number| {
        let [high, low] = number.to_be_bytes();
        let mut packet = vec![0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, high, low, 10, 0, high, low];
        packet.extend([0; 10]);
        frame(0x0806, &packet)
    });
    let frames: Vec<_> = frames.map(|frame| (START, frame)).collect();
    let decoded = decode(&pcap(&frames), &[("observations", 800), ("neighbours", 50)]);
    assert_eq!(decoded.column("observations", "kind").len(), 100);
    assert_eq!(decoded.sum("coverage", "evicted_observations"), 900 + 950);
}

/// A message that costs the most: every record's name is the longest chain of pointers.
fn costly(records: u16) -> Vec<u8> {
    let mut message = vec![0, 1, 0x84, 0, 0, 1];
    message.extend(records.to_be_bytes());
    message.extend([0, 0, 0, 0]);
    for letter in 0..4u8 {
        message.push(60);
        message.extend([b'a' + letter; 60]);
    }
    message.extend([0, 0, 1, 0, 1]);
    let mut last = 12u16;
    for _ in 0..records {
        let here = message.len() as u16;
        message.extend((0xc000 | last).to_be_bytes());
        message.extend([0, 5, 0, 1, 0, 0, 0, 0, 0, 2]);
        message.extend((0xc000 | last).to_be_bytes());
        last = if here - last > 16 { here } else { last };
    }
    message
}

#[test]
fn time_grows_with_the_bytes_of_a_message_and_not_faster() {
    let cost = |records: u16| {
        let message = costly(records);
        let frames: Vec<_> = (0..400).map(|_| (START, datagram(1, 53, &message))).collect();
        let capture = pcap(&frames);
        let best = (0..3)
            .map(|_| {
                let started = ThreadTime::now();
                decode(&capture, &[]);
                started.elapsed().as_secs_f64()
            })
            .fold(f64::MAX, f64::min);
        best / (message.len() * frames.len()) as f64
    };
    // Most of a small message's cost is the flow's own: only growth is looked for.
    assert!(cost(1_000) < cost(20) * 4.0);
}

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..300),
        (0u16..40).prop_map(costly),
        any::<u16>().prop_map(query),
        vec(any::<u8>(), 0..80).prop_map(|tail| [&b"NOTIFY * HTTP/1.1\r\n"[..], &tail].concat()),
        vec(any::<u8>(), 0..80).prop_map(|tail| {
            let mut message = vec![1, 1, 6, 0];
            message.resize(236, 2);
            [&message[..], &[99, 130, 83, 99], &tail].concat()
        }),
        vec(any::<u8>(), 0..60).prop_map(|tail| {
            let community = [4, 4, b'p', b'u', b'b', b'l'];
            let body = [&[2, 1, 1][..], &community, &[0xa2, tail.len() as u8], &tail].concat();
            [&[0x30, body.len() as u8][..], &body].concat()
        }),
    ]
}

proptest! {
    #![proptest_config(property(256))]

    #[test]
    fn no_datagram_panics(
        datagrams in vec((0usize..2, any::<prop::sample::Index>(), hostile(), any::<prop::sample::Index>()), 1..12),
    ) {
        let frames = datagrams
            .iter()
            .map(|(side, port, payload, cut)| {
                let kept = cut.index(payload.len() + 1);
                let payload = if kept % 3 == 0 { &payload[..kept] } else { &payload[..] };
                datagram(*side, PORTS[port.index(PORTS.len())], payload)
            })
            .collect();
        decoded(frames);
    }

    #[test]
    fn no_frame_without_ip_panics(
        frames in vec((0usize..6, vec(any::<u8>(), 0..120)), 1..12),
    ) {
        let frames = frames
            .iter()
            .map(|(kind, payload)| match kind {
                0 => frame(0x0806, payload),
                1 => frame(0x0806, &[&[0, 1, 8, 0, 6, 4, 0, 2][..], payload].concat()),
                2 => frame(0x88cc, payload),
                3 => frame(0x88cc, &[&[2, 7, 4, 2, 0, 0, 0, 0, 9][..], payload].concat()),
                4 => frame(40, &[&[0x42, 0x42, 3, 0, 0][..], payload].concat()),
                _ => frame(60, &[&[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, 2, 180, 0, 0][..], payload].concat()),
            })
            .collect();
        decoded(frames);
    }

    #[test]
    fn bytes_on_the_ports_of_names_never_become_text_with_control_characters(payload in hostile()) {
        let frames = PORTS.iter().map(|port| datagram(1, *port, &payload)).collect();
        let decoded = decoded(frames);
        for column in [decoded.column("observations", "value"), decoded.column("dns", "query")] {
            prop_assert!(column.iter().all(|value| !value.chars().any(char::is_control)));
        }
    }
}
