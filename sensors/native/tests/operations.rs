//! Operations as they come out of captures: any split says the same, gaps are told, noise is nobody's, bounds hold.

mod support;

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use support::{ACK, Decoded, MILLISECOND, SECOND, START, Talk, decode, ipv4, pcap};

/// What a row says, without frames and times.
const SAID: [&str; 14] = [
    "service",
    "operation",
    "operation_class",
    "object",
    "quantity",
    "value",
    "detail",
    "client_station",
    "server_station",
    "server_port",
    "outcome",
    "error_code",
    "messages",
    "after_gap",
];

fn said(decoded: &Decoded) -> Vec<String> {
    match decoded.tables.contains_key("operations") {
        true => decoded.lines("operations", &SAID),
        false => Vec::new(),
    }
}

/// A side and what it says.
type Turn = (usize, Vec<u8>);

/// The segments with payload of the first connection of a recorded conversation (Ethernet, IPv4).
fn recorded(name: &str, port: u16) -> (u16, Vec<Turn>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sensors/operations/recorded");
    let file = std::fs::read(folder.join(name)).unwrap();
    let mut turns = Vec::new();
    let mut client = None;
    let mut rest = &file[24..];
    while let Some(header) = rest.get(..16) {
        let length = u32::from_le_bytes(header[8..12].try_into().unwrap()) as usize;
        let frame = &rest[16..16 + length];
        rest = &rest[16 + length..];
        let ip = &frame[14..];
        if ip[9] != 6 {
            continue;
        }
        let whole = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let tcp = &ip[usize::from(ip[0] & 15) * 4..whole];
        let ports = [0, 2].map(|at| u16::from_be_bytes([tcp[at], tcp[at + 1]]));
        let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
        let side = usize::from(ports[0] == port);
        if payload.is_empty() || *client.get_or_insert(ports[side]) != ports[side] {
            continue;
        }
        turns.push((side, payload.to_vec()));
    }
    (port, turns)
}

/// A DNP3 frame with right checksums.
fn dnp3(control: u8, to: u16, from: u16, data: &[u8]) -> Vec<u8> {
    let checksum = |bytes: &[u8]| {
        let mut sum = 0u16;
        for byte in bytes {
            sum ^= u16::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xa6bc };
            }
        }
        (!sum).to_le_bytes()
    };
    let mut frame = vec![5, 0x64, 5 + data.len() as u8, control];
    frame.extend(to.to_le_bytes());
    frame.extend(from.to_le_bytes());
    frame.extend(checksum(&frame.clone()));
    for block in data.chunks(16) {
        frame.extend(block);
        frame.extend(checksum(block));
    }
    frame
}

fn dnp3_turns() -> (u16, Vec<Turn>) {
    let mut turns = Vec::new();
    for sequence in 0..12u8 {
        let request = [0xc0 | sequence, 0xc0 | sequence, 13 + sequence % 2];
        turns.push((0, dnp3(0xc4, 4, 1, &request)));
        // An answer in three frames.
        let points = [vec![0xc0 | sequence, 129, 0, 0, 30, 2, 0, 0, 199], vec![7; 600]].concat();
        let parts: Vec<&[u8]> = points.chunks(240).collect();
        let mut answer = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let first = if number == 0 { 0x40 } else { 0 };
            let last = if number + 1 == parts.len() { 0x80 } else { 0 };
            answer.extend(dnp3(0x44, 1, 4, &[&[first | last | number as u8], *part].concat()));
        }
        turns.push((1, answer));
    }
    (20_000, turns)
}

fn fins_turns() -> (u16, Vec<Turn>) {
    let message = |control: u8, sid: u8, data: &[u8]| {
        let body = [&[control, 0, 2, 0, 1, 0, 0, 2, 0, sid, 1, 1], data].concat();
        let mut message = b"FINS".to_vec();
        message.extend((8 + body.len() as u32).to_be_bytes());
        message.extend([0, 0, 0, 2, 0, 0, 0, 0]);
        message.extend(body);
        message
    };
    let mut turns = Vec::new();
    for sid in 0..20 {
        turns.push((0, message(0x80, sid, &[0x82, 0, sid, 0, 0, 2])));
        turns.push((1, message(0xc0, sid, &[0, 0, 0, 5, 0, sid])));
    }
    (9_600, turns)
}

fn ads_turns() -> (u16, Vec<Turn>) {
    let message = |flags: u8, invoke: u8, data: &[u8]| {
        let mut message = vec![0, 0, 32 + data.len() as u8, 0, 0, 0];
        message.extend([5, 1, 2, 3, 1, 1, 0x53, 3, 9, 9, 9, 9, 1, 1, 1, 0x80]);
        message.extend([3, 0, flags, 0, data.len() as u8, 0, 0, 0, 0, 0, 0, 0, invoke, 0, 0, 0]);
        message.extend(data);
        message
    };
    let mut turns = Vec::new();
    for invoke in 0..20 {
        turns.push((0, message(4, invoke, &[0x20, 0x40, 0, 0, invoke, 0, 0, 0, 2, 0, 0, 0, 5, 0])));
        turns.push((1, message(5, invoke, &[0, 0, 0, 0])));
    }
    (48_898, turns)
}

fn conversations() -> Vec<(u16, Vec<Turn>)> {
    vec![
        recorded("s7.pcap", 102),
        recorded("enip.pcap", 44_818),
        recorded("iec104.pcap", 2_404),
        dnp3_turns(),
        fins_turns(),
        ads_turns(),
    ]
}

/// The turns as they were said, each in pieces of the given lengths; what opens the flow stays whole, so that it is
/// recognised.
fn told(port: u16, turns: &[Turn], lengths: &[usize]) -> Talk {
    let mut talk = Talk::new(port);
    talk.handshake();
    let mut chosen = lengths.iter().cycle();
    for (number, (side, said)) in turns.iter().enumerate() {
        let mut rest = said.as_slice();
        while !rest.is_empty() {
            let length = if number == 0 { rest.len() } else { *chosen.next().unwrap() };
            let (piece, after) = rest.split_at(length.min(rest.len()));
            talk.send(*side, ACK, piece);
            talk.wait(-MILLISECOND + 1_000);
            rest = after;
        }
    }
    talk
}

#[test]
fn every_conversation_says_something_and_nothing_is_malformed() {
    for (port, turns) in conversations() {
        let decoded = told(port, &turns, &[60_000]).decode();
        assert!(said(&decoded).len() > 5, "{port}");
        let kinds = decoded.column("anomalies", "kind");
        // Two jobs of the S7 recording are malformed, as Wireshark says too.
        let expected = if port == 102 { 2 } else { 0 };
        assert_eq!(kinds.len(), expected, "{port}: {kinds:?}");
    }
}

#[test]
fn a_conversation_joined_in_its_middle_is_read_from_the_next_message_on() {
    for (port, turns) in conversations() {
        // Who is called behind the address was said at the beginning.
        let heard = |decoded: &Decoded| decoded.lines("operations", &SAID[..6]);
        let whole = heard(&told(port, &turns, &[60_000]).decode());
        let mut late = Talk::new(port);
        for (side, bytes) in &turns[turns.len() / 2..] {
            late.send(*side, ACK, bytes);
        }
        let late = heard(&late.decode());
        let shared = late.iter().filter(|row| whole.contains(row)).count();
        assert!(shared * 10 >= late.len() * 7, "{port}: {shared} of {}: {late:#?}", late.len());
        assert!(shared >= 2, "{port}: {late:#?}");
    }
}

#[test]
fn one_side_alone_gives_its_half() {
    for (port, turns) in conversations() {
        for only in 0..2 {
            let mut talk = Talk::new(port);
            for (side, bytes) in &turns {
                match *side == only {
                    true => talk.send(*side, ACK, bytes),
                    false => talk.send_unseen(*side, ACK, bytes),
                };
            }
            let decoded = talk.decode();
            let outcomes = decoded.column("operations", "outcome");
            assert!(outcomes.len() > 5, "{port} side {only}");
            assert!(
                !outcomes.iter().any(|outcome| outcome == "answered"),
                "{port} side {only}: {outcomes:?}"
            );
        }
    }
}

#[test]
fn behind_a_gap_reading_goes_on_and_the_rows_say_so() {
    for (port, turns) in conversations() {
        let mut talk = Talk::new(port);
        talk.handshake();
        for (number, (side, bytes)) in turns.iter().enumerate() {
            // A segment of the client's is lost, and what follows is acknowledged over the hole.
            match number == 8 || number == 9 {
                true => talk.send_unseen(*side, ACK, bytes),
                false => talk.send(*side, ACK, bytes),
            };
        }
        let decoded = talk.decode();
        let whole = said(&told(port, &turns, &[60_000]).decode());
        let rows = said(&decoded);
        assert!(rows.len() + 4 >= whole.len(), "{port}: {} of {}", rows.len(), whole.len());
        let kinds = decoded.column("anomalies", "kind");
        assert!(!kinds.iter().any(|kind| kind == "lost_step"), "{port}: {kinds:?}");
    }
}

/// A UDP datagram between 10.0.0.1 and 10.0.0.2.
fn datagram(side: usize, ports: [u16; 2], id: u16, payload: &[u8]) -> Vec<u8> {
    let mut udp = Vec::new();
    udp.extend(ports[side].to_be_bytes());
    udp.extend(ports[1 - side].to_be_bytes());
    udp.extend((8 + payload.len() as u16).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(payload);
    ipv4(side, 17, id, 64, &udp)
}

const PORTS: [u16; 14] =
    [102, 2_222, 2_404, 4_840, 5_007, 5_094, 9_600, 11_740, 18_245, 20_000, 34_964, 44_818, 47_808, 48_898];

#[test]
fn requests_over_the_limit_give_up_the_oldest() {
    let (port, turns) = fins_turns();
    let mut talk = Talk::new(port);
    talk.handshake();
    for (_, bytes) in turns.iter().filter(|(side, _)| *side == 0) {
        talk.send(0, ACK, bytes);
    }
    let decoded = decode(&pcap(&talk.frames), &[("operations_pending", 5)]);
    let outcomes = decoded.column("operations", "outcome");
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "unanswered").count(), 15);
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "pending").count(), 5);
    assert_eq!(decoded.decoder.counts().operations_waiting, 0);
}

#[test]
fn a_message_without_room_is_cut_and_counted_and_the_room_is_given_back() {
    let (port, turns) = dnp3_turns();
    let decoded = decode(&pcap(&told(port, &turns, &[7]).frames), &[("operation_bytes", 64)]);
    assert!(decoded.decoder.counts().operation_messages_cut > 0);
    assert_eq!(decoded.decoder.counts().operation_bytes_kept, 0);
    assert!(said(&decoded).len() >= 12);
}

#[test]
fn cyclic_messages_are_one_row_a_minute_however_many_frames_a_call_takes() {
    let mut frames = Vec::new();
    for number in 0..600u16 {
        let payload = [2, 0, 2, 0x80, 8, 0, 0x11, 0, 0, 0, 0, 0, 0, 0, 0xb1, 0, 2, 0, 1, 2];
        let at = START + i64::from(number) * SECOND / 4;
        frames.push((at, datagram(0, [2_222, 2_222], number + 1, &payload)));
    }
    let decoded = decode(&pcap(&frames), &[]);
    assert_eq!(decoded.column("operations", "messages"), ["240", "240", "120"]);
    assert_eq!(decoded.column("operations", "span_ns")[0], (239 * SECOND / 4).to_string());
}

/// Bytes that begin a header of each protocol over and over, behind a conversation that was recognised.
#[test]
fn time_is_linear_in_the_bytes_that_are_searched() {
    let starts: [(&[u8], usize); 4] = [(&[3, 0], 0), (&[0x6f, 0], 1), (&[0x68, 14, 0], 2), (&[5, 0x64], 3)];
    for (start, which) in starts {
        let (port, turns) = conversations().swap_remove(which);
        let seconds = |repeats: usize| {
            let mut talk = told(port, &turns[..6], &[60_000]);
            let noise = start.repeat(repeats);
            for piece in noise.chunks(37) {
                talk.send(0, ACK, piece);
            }
            let bytes = pcap(&talk.frames);
            let began = std::time::Instant::now();
            decode(&bytes, &[]);
            began.elapsed().as_secs_f64()
        };
        let (short, long) = (seconds(40_000).max(0.01), seconds(160_000));
        // Four times the bytes; ten times the time leaves room for a busy machine, sixteen would be their square.
        assert!(long < short * 10.0, "{port}: {short} s, then {long} s");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_split_of_the_same_turns_gives_the_same_operations(
        which in 0usize..6,
        lengths in vec(1usize..120, 1..6),
    ) {
        let (port, turns) = conversations().swap_remove(which);
        let whole = said(&told(port, &turns, &[60_000]).decode());
        prop_assert_eq!(said(&told(port, &turns, &lengths).decode()), whole);
    }

    #[test]
    fn flipped_bits_and_lost_frames_never_panic(
        which in 0usize..6,
        lengths in vec(1usize..400, 1..4),
        flips in vec((any::<prop::sample::Index>(), 0u8..8), 0..6),
        lost in vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let (port, turns) = conversations().swap_remove(which);
        let mut talk = told(port, &turns, &lengths);
        for index in &lost {
            let at = index.index(talk.frames.len());
            talk.frames.remove(at);
        }
        let mut bytes = pcap(&talk.frames);
        for (index, bit) in &flips {
            let at = 24 + index.index(bytes.len() - 24);
            bytes[at] ^= 1 << bit;
        }
        let decoded = decode(&bytes, &[]);
        prop_assert_eq!(decoded.decoder.counts().operation_bytes_kept, 0);
        prop_assert_eq!(decoded.decoder.counts().operations_waiting, 0);
    }

    #[test]
    fn random_bytes_are_no_operation_on_any_port(
        port in prop::sample::select(PORTS.to_vec()),
        turns in vec((0usize..2, vec(any::<u8>(), 1..300)), 1..8),
    ) {
        let mut talk = Talk::new(port);
        talk.handshake();
        for (side, bytes) in &turns {
            talk.send(*side, ACK, bytes);
        }
        prop_assert_eq!(said(&talk.decode()), Vec::<String>::new());
        let frames: Vec<_> = turns
            .iter()
            .enumerate()
            .map(|(number, (side, bytes))| {
                let at = START + number as i64 * MILLISECOND;
                (at, datagram(*side, [40_000, port], number as u16 + 1, bytes))
            })
            .collect();
        prop_assert_eq!(said(&decode(&pcap(&frames), &[])), Vec::<String>::new());
    }

    #[test]
    fn noise_behind_a_real_beginning_never_panics(
        which in 0usize..6,
        noise in vec((0usize..2, vec(any::<u8>(), 1..200)), 1..12),
    ) {
        let (port, turns) = conversations().swap_remove(which);
        let mut talk = told(port, &turns[..6], &[60_000]);
        for (side, bytes) in &noise {
            talk.send(*side, ACK, bytes);
        }
        for (side, bytes) in &turns[6..] {
            talk.send(*side, ACK, bytes);
        }
        talk.decode();
    }

    #[test]
    fn one_protocols_bytes_are_no_operation_of_another(which in 0usize..6, port in prop::sample::select(PORTS.to_vec())) {
        let (own, turns) = conversations().swap_remove(which);
        let here = told(own, &turns, &[60_000]).decode();
        let there = told(port, &turns, &[60_000]).decode();
        let services = |decoded: &Decoded| {
            let mut services = decoded.column("operations", "service");
            services.dedup();
            services
        };
        prop_assert_eq!(services(&there), services(&here));
    }

    #[test]
    fn any_frames_without_ip_never_panic(
        frames in vec((prop::sample::select(vec![0x8892u16, 0x88b8, 0x88ba, 0x88a4]), vec(any::<u8>(), 0..120)), 1..20),
    ) {
        let frames: Vec<_> = frames
            .into_iter()
            .enumerate()
            .map(|(number, (kind, payload))| {
                let head = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
                let frame = [&head[..], &kind.to_be_bytes(), &payload].concat();
                (START + number as i64 * SECOND, frame)
            })
            .collect();
        decode(&pcap(&frames), &[]);
    }
}
