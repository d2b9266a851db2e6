//! IP fragments: put together in any order, bounded, and told of where they contradict each other or never come.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::property::property;
use support::{ACK, Decoded, Frame, MILLISECOND, SECOND, START, Talk, decode, ipv4, pcap, read_registers};

/// The payload of UDP from port 5,000 to 6,000.
fn udp(payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![19, 136, 23, 112];
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    datagram
}

/// An IPv4 frame with a piece of a packet: from side 0, `offset` in bytes.
fn piece(id: u16, protocol: u8, offset: usize, more: bool, bytes: &[u8]) -> Vec<u8> {
    let mut frame = ipv4(0, protocol, id, 64, bytes);
    let place = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
    frame[20..22].copy_from_slice(&place.to_be_bytes());
    frame
}

/// An IPv6 frame with a piece of a packet.
fn piece_6(id: u32, protocol: u8, offset: usize, more: bool, bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0];
    frame.extend((8 + bytes.len() as u16).to_be_bytes());
    frame.extend([44, 64]);
    for end in [1, 2] {
        frame.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, end]);
    }
    frame.extend([protocol, 0]);
    frame.extend((offset as u16 | u16::from(more)).to_be_bytes());
    frame.extend(id.to_be_bytes());
    frame.extend(bytes);
    frame
}

/// Pieces of a datagram, `size` bytes each.
fn pieces(id: u16, whole: &[u8], size: usize) -> Vec<Vec<u8>> {
    let count = whole.len().div_ceil(size);
    whole
        .chunks(size)
        .enumerate()
        .map(|(index, bytes)| piece(id, 17, index * size, index + 1 < count, bytes))
        .collect()
}

fn timed(frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<Frame> {
    (0..).zip(frames).map(|(index, frame)| (START + index * MILLISECOND, frame)).collect()
}

fn seen(frames: impl IntoIterator<Item = Vec<u8>>) -> Decoded {
    decode(&pcap(&timed(frames)), &[])
}

const FLOW: [&str; 6] =
    ["client_port", "server_port", "packets_c2s", "payload_bytes_c2s", "first_frame", "last_frame"];

fn odd(decoded: &Decoded) -> Vec<String> {
    decoded.lines("anomalies", &["layer", "kind"])
}

#[test]
fn a_packet_is_whole_with_its_last_piece_in_whatever_order_they_come() {
    let datagram = udp(&[7; 100]);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let parts = pieces(1, &datagram, 48);
        let decoded = seen(order.map(|index| parts[index].clone()));
        assert_eq!(decoded.lines("flows", &FLOW), ["5000 6000 3 100 3 3"], "{order:?}");
        assert_eq!(decoded.sum("flows", "wire_bytes_c2s"), 3 * 34 + 108);
        assert_eq!(decoded.sum("coverage", "fragments"), 3);
        assert_eq!(decoded.sum("coverage", "incomplete_packets"), 0);
        assert!(odd(&decoded).is_empty(), "{:?}", odd(&decoded));
    }
}

#[test]
fn a_tcp_stream_in_pieces_is_read() {
    let mut talk = Talk::new(502);
    talk.handshake();
    let (request, response) = read_registers(1, 7, 2);
    talk.send(0, ACK, &request).send(1, ACK, &response);
    let mut frames = Vec::new();
    for (_, frame) in &talk.frames {
        // Behind 14 bytes of Ethernet and 20 of IPv4.
        let (head, transport) = frame.split_at(34);
        let count = transport.len().div_ceil(24);
        for (index, bytes) in transport.chunks(24).enumerate() {
            let mut part = [head, bytes].concat();
            part[16..18].copy_from_slice(&(20 + bytes.len() as u16).to_be_bytes());
            let place = (index * 3) as u16 | if index + 1 < count { 0x2000 } else { 0 };
            part[20..22].copy_from_slice(&place.to_be_bytes());
            frames.push(part);
        }
    }
    let decoded = seen(frames);
    let columns = ["outcome", "address", "quantity", "request_frame", "response_frame"];
    // The frames that completed them: SYN and SYN-ACK are one piece each, all others two.
    assert_eq!(decoded.lines("modbus", &columns), ["answered 7 2 5 7"]);
    assert_eq!(decoded.column("flows", "established"), ["true"]);
}

#[test]
fn ipv6_pieces_and_extension_headers_behind_them_are_read() {
    // A destination options header in front of the datagram is a part of what was cut up.
    let whole = [&[17, 0, 1, 4, 0, 0, 0, 0][..], &udp(&[1; 60])].concat();
    let frames = [piece_6(9, 60, 0, true, &whole[..40]), piece_6(9, 60, 40, false, &whole[40..])];
    let decoded = seen(frames);
    assert_eq!(decoded.lines("flows", &FLOW), ["5000 6000 2 60 2 2"]);
    // Another identification is another packet.
    let frames = [piece_6(9, 60, 0, true, &whole[..40]), piece_6(10, 60, 40, false, &whole[40..])];
    assert_eq!(seen(frames).sum("coverage", "incomplete_packets"), 2);
}

#[test]
fn copies_of_pieces_by_the_switch_change_nothing() {
    let parts = pieces(1, &udp(&[0; 400]), 48);
    let doubled: Vec<Frame> = (0..)
        .zip(&parts)
        .flat_map(|(index, part)| {
            let mut behind_router = part.clone();
            behind_router[22] = 63;
            let now = START + index * MILLISECOND;
            [(now, part.clone()), (now + 10, part.clone()), (now + 20, behind_router)]
        })
        .collect();
    let decoded = decode(&pcap(&doubled), &[]);
    assert_eq!(decoded.column("flows", "payload_bytes_c2s"), ["400"]);
    assert_eq!(decoded.column("flows", "packets_c2s"), [parts.len().to_string()]);
    assert_eq!(decoded.sum("coverage", "duplicate_packets"), 2 * parts.len() as u64);
    assert!(odd(&decoded).is_empty(), "{:?}", odd(&decoded));
}

#[test]
fn pieces_that_never_come_are_told_of_and_the_flow_is_known_by_the_first() {
    let parts = pieces(1, &udp(&[1; 100]), 48);
    let decoded = seen([parts[0].clone(), parts[2].clone()]);
    assert_eq!(decoded.sum("coverage", "incomplete_packets"), 1);
    assert_eq!(decoded.lines("flows", &FLOW), ["5000 6000 2 0 2 2"]);
    // Without the first piece nobody knows the ports.
    let decoded = seen([parts[1].clone(), parts[2].clone()]);
    assert_eq!(decoded.lines("flows", &["ip_proto", "client_port", "server_port"]), ["17 0 0"]);
}

#[test]
fn pieces_wait_for_as_long_as_the_limit_says() {
    let parts = pieces(1, &udp(&[1; 60]), 48);
    for (wait, incomplete) in [(29, 0), (31, 2)] {
        let late = START + wait * SECOND;
        let frames = [(START, parts[0].clone()), (late, parts[1].clone())];
        let decoded = decode(&pcap(&frames), &[]);
        assert_eq!(decoded.sum("coverage", "incomplete_packets"), incomplete, "{wait}");
    }
}

#[test]
fn of_overlapping_ipv4_pieces_the_first_bytes_win_and_it_is_told() {
    let (request, _) = read_registers(1, 7, 2);
    let (other, _) = read_registers(1, 99, 2);
    let mut talk = Talk::new(502);
    talk.handshake();
    let tcp = |payload: &[u8], talk: &mut Talk| talk.segment(0, ACK, payload).bytes()[34..].to_vec();
    let (kept, forged) = (tcp(&request, &mut talk), tcp(&other, &mut talk));
    let (mut frames, start) = (talk.frames.clone(), talk.now);
    // 32 bytes: the first 24, then the last 16 of another version, 8 of which lie over the first ones.
    frames.push((start, piece(77, 6, 0, true, &kept[..24])));
    frames.push((start + MILLISECOND, piece(77, 6, 16, false, &forged[16..])));
    let decoded = decode(&pcap(&frames), &[]);
    assert_eq!(odd(&decoded), ["network fragment_overlap"]);
    // The address lies behind the 24 bytes: from the second piece; what was there first stays.
    assert_eq!(decoded.lines("modbus", &["transaction_id", "outcome"]), ["1 pending"]);
    assert_eq!(decoded.sum("flows", "payload_bytes_c2s"), 12);
}

#[test]
fn an_ipv6_packet_with_overlapping_pieces_is_dropped_whole() {
    let whole = udp(&[1; 60]);
    let frames = [
        piece_6(9, 17, 0, true, &whole[..40]),
        piece_6(9, 17, 32, true, &[9; 16]),
        piece_6(9, 17, 40, false, &whole[40..]),
    ];
    let decoded = seen(frames);
    assert_eq!(odd(&decoded), ["network fragment_overlap"]);
    assert_eq!(decoded.sum("coverage", "incomplete_packets"), 1);
    assert_eq!(decoded.sum("flows", "payload_bytes_c2s"), 0);
    // The same piece again, later than the switch's copies, is no overlap (RFC 8200, 4.5).
    let again = [
        (START, piece_6(9, 17, 0, true, &whole[..40])),
        (START + SECOND, piece_6(9, 17, 0, true, &whole[..40])),
        (START + 2 * SECOND, piece_6(9, 17, 40, false, &whole[40..])),
    ];
    let decoded = decode(&pcap(&again), &[]);
    assert!(odd(&decoded).is_empty(), "{:?}", odd(&decoded));
    assert_eq!(decoded.sum("flows", "payload_bytes_c2s"), 60);
}

#[test]
fn hostile_pieces_are_anomalies() {
    let whole = udp(&[1; 60]);
    let cases: [(&str, Vec<Vec<u8>>); 6] = [
        ("fragment_length", vec![piece(1, 17, 0, true, &whole[..41])]),
        ("fragment_length", vec![piece(1, 17, 65_528, false, &[0; 100])]),
        ("fragment_length", vec![piece(1, 17, 40, false, &whole[40..]), piece(1, 17, 48, false, &[0; 8])]),
        ("fragment_length", vec![piece(1, 17, 8, true, &[])]),
        ("tiny_fragment", vec![piece(1, 6, 0, true, &[0; 16])]),
        ("tiny_fragment", vec![piece(1, 6, 8, false, &[0; 16])]),
    ];
    for (kind, frames) in cases {
        let decoded = seen(frames.clone());
        assert_eq!(odd(&decoded), [format!("network {kind}")], "{frames:?}");
    }
}

#[test]
fn a_packet_in_more_pieces_than_the_limit_is_given_up_and_its_room_is_free() {
    let whole = udp(&[1; 2_000]);
    let frames = timed(pieces(1, &whole, 8));
    let decoded = decode(&pcap(&frames), &[("fragments_per_packet", 16)]);
    assert_eq!(odd(&decoded), ["network fragment_limit"]);
    assert_eq!(decoded.sum("coverage", "evicted_fragments"), 17);
    assert_eq!(decoded.sum("coverage", "incomplete_packets"), 1);
    assert_eq!(decode(&pcap(&frames), &[]).sum("flows", "payload_bytes_c2s"), 2_000);
}

#[test]
fn without_room_the_packet_that_waits_longest_goes_and_is_counted() {
    let mut frames: Vec<Vec<u8>> =
        (1..=100).map(|id| piece(id, 17, 0, true, &udp(&[1; 1_000])[..800])).collect();
    // One that comes at once is put together all the same.
    frames.extend(pieces(500, &udp(&[2; 100]), 48));
    let decoded = decode(&pcap(&timed(frames)), &[("fragment_bytes", 10_000)]);
    // 1,120 bytes a packet: eight have room.
    assert_eq!(decoded.sum("coverage", "evicted_fragments"), 92);
    assert_eq!(decoded.sum("coverage", "incomplete_packets"), 100);
    assert_eq!(decoded.sum("flows", "payload_bytes_c2s"), 100);
}

#[test]
fn what_the_capture_cut_off_a_piece_is_missing_and_not_malformed() {
    let mut talk = Talk::new(502);
    talk.handshake();
    let (request, _) = read_registers(1, 7, 60);
    let whole = talk.segment(0, ACK, &request).bytes()[34..].to_vec();
    let parts = [piece(9, 6, 0, true, &whole[..24]), piece(9, 6, 24, false, &whole[24..])];
    let mut bytes = pcap(&talk.frames);
    for (frame, kept) in parts.iter().zip([58, 36]) {
        for word in [(talk.now / SECOND) as u32, 0, kept as u32, frame.len() as u32] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(&frame[..kept]);
    }
    let decoded = decode(&bytes, &[]);
    assert_eq!(decoded.sum("coverage", "malformed_packets"), 0);
    assert_eq!(decoded.sum("coverage", "cut_packets"), 1);
    assert_eq!(decoded.sum("flows", "payload_bytes_c2s"), 12);
}

#[test]
fn a_million_tiny_pieces_take_a_time_that_grows_with_their_number() {
    // Each packet's pieces come backwards, every second one first: the worst order for a list.
    let packet: Vec<Vec<u8>> = {
        let parts = pieces(1, &udp(&[1; 1_600]), 8);
        let (even, odd): (Vec<_>, Vec<_>) = (0..parts.len()).rev().partition(|index| index % 2 == 0);
        even.into_iter().chain(odd).map(|index| parts[index].clone()).collect()
    };
    let run = |packets: u16| {
        let mut decoder = geophone_native::decoder::Decoder::new(geophone_native::limits::Limits::default());
        let started = cpu_time::ThreadTime::now();
        for id in 0..packets {
            for frame in &packet {
                let mut frame = frame.clone();
                frame[18..20].copy_from_slice(&id.to_be_bytes());
                let wire_length = frame.len() as u32;
                let ts = START + i64::from(id) * MILLISECOND;
                let record = geophone_native::source::Record {
                    ts,
                    wire_length,
                    link_type: 1,
                    interface: 0,
                    data: &frame,
                };
                decoder.frame(&record);
            }
        }
        started.elapsed().as_secs_f64() / f64::from(packets)
    };
    let (few, many) = (run(250), run(5_000));
    assert!(many < few * 4.0 + 1e-4, "{few} s a packet, then {many}");
}

proptest! {
    #![proptest_config(property(64))]

    #[test]
    fn any_order_of_any_pieces_gives_the_rows_of_the_whole_packet(
        payload in vec(any::<u8>(), 1..600),
        cuts in vec(1usize..12, 1..8),
        order in vec(any::<prop::sample::Index>(), 80),
        repeats in vec(any::<prop::sample::Index>(), 0..4),
        six in any::<bool>(),
    ) {
        let datagram = udp(&payload);
        let make = |offset, more, bytes: &[u8]| {
            if six { piece_6(3, 17, offset, more, bytes) } else { piece(3, 17, offset, more, bytes) }
        };
        let mut parts = Vec::new();
        let mut at = 0;
        for cut in cuts.iter().cycle() {
            let end = (at + cut * 8).min(datagram.len());
            parts.push(make(at, end < datagram.len(), &datagram[at..end]));
            at = end;
            if at == datagram.len() {
                break;
            }
        }
        let mut shuffled = Vec::new();
        let mut left = parts.clone();
        for index in order.iter().cycle() {
            if left.is_empty() {
                break;
            }
            shuffled.push(left.remove(index.index(left.len())));
        }
        // Copies, by the switch, of pieces of a packet that is not whole yet.
        for repeat in &repeats {
            let index = repeat.index(shuffled.len());
            if index + 1 < shuffled.len() {
                let copy = shuffled[index].clone();
                shuffled.insert(index + 1, copy);
            }
        }
        let columns = ["ip_proto", "client_port", "server_port", "payload_bytes_c2s", "payload_bytes_s2c", "service"];
        let whole = if six {
            let mut frame = make(0, false, &datagram);
            // Without the fragment header.
            frame[20] = 17;
            frame.drain(54..62);
            let length = datagram.len() as u16;
            frame[18..20].copy_from_slice(&length.to_be_bytes());
            frame
        } else {
            make(0, false, &datagram)
        };
        let expected = seen([whole]).lines("flows", &columns);
        let decoded = seen(shuffled);
        prop_assert_eq!(decoded.lines("flows", &columns), expected);
        prop_assert_eq!(decoded.sum("coverage", "incomplete_packets"), 0);
    }

    #[test]
    fn any_pieces_at_all_never_panic_and_leave_nothing_behind(
        parts in vec((0u16..4, 0usize..40, any::<bool>(), vec(any::<u8>(), 0..64), any::<bool>()), 0..60),
    ) {
        let frames = parts.iter().map(|(id, place, more, bytes, six)| {
            if *six { piece_6(u32::from(*id), 17, place * 8, *more, bytes) } else { piece(*id, 6, place * 8, *more, bytes) }
        });
        let limits = [("fragment_bytes", 3_000), ("fragments_per_packet", 6)];
        let decoded = decode(&pcap(&timed(frames)), &limits);
        prop_assert_eq!(decoded.sum("coverage", "packets"), parts.len() as u64);
    }
}
