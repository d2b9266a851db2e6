//! Operations as they come out of captures: any split says the same, gaps are told, noise is nobody's, bounds hold.

#[path = "support/operations.rs"]
mod operations;
mod support;

use operations::{Turn, conversations, dnp3_turns, fins_turns, ge_srtp_turns, s7_plus_turns};
use proptest::collection::vec;
use proptest::prelude::*;
use support::property::property;
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
    for (number, (port, turns)) in conversations().into_iter().enumerate() {
        let decoded = told(port, &turns, &[60_000]).decode();
        assert!(said(&decoded).len() > 5, "{port}");
        let kinds = decoded.column("anomalies", "kind");
        // Two jobs of the S7 recording, the first, are malformed, as Wireshark says too.
        let expected = if number == 0 { 2 } else { 0 };
        assert_eq!(kinds.len(), expected, "{port}: {kinds:?}");
    }
}

/// Operation, class, object and outcome of each row.
fn summary(turns: (u16, Vec<Turn>)) -> Vec<String> {
    told(turns.0, &turns.1, &[60_000])
        .decode()
        .lines("operations", &["operation", "operation_class", "object", "outcome", "error_code"])
}

#[test]
fn what_ge_srtp_and_s7comm_plus_do_is_in_the_rows() {
    let rows = summary(ge_srtp_turns());
    assert_eq!(rows.len(), 14);
    assert_eq!(rows[0], "open connection session  answered -");
    assert_eq!(rows[1], "read system memory read %R2 answered -");
    assert_eq!(rows[12], "write system memory write %R100 answered -");
    assert_eq!(rows[13], "write system memory write %R100 exception 1473");
    let rows = summary(s7_plus_turns());
    assert_eq!(rows.len(), 13);
    assert_eq!(rows[1], "create object session class 287 in object 0x0000011d answered -");
    assert_eq!(rows[2], "get multiple variables read DB 1 LID 4.4 answered -");
    assert_eq!(rows[3], "set multiple variables write DB 1 LID 4.4 answered -");
    assert_eq!(rows[12], "notification read subscription 0x00000000 one_way -");
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
fn an_answer_to_what_the_capture_lost_says_so() {
    let (port, turns) = fins_turns();
    for is_lost in [true, false] {
        let mut talk = told(port, &turns[..4], &[60_000]);
        // The next request is lost, or was never sent.
        if is_lost {
            talk.send_unseen(0, ACK, &turns[4].1);
        }
        talk.send(1, ACK, &turns[5].1).send(0, ACK, &turns[6].1).send(1, ACK, &turns[7].1);
        talk.wait(61 * SECOND).send(1, ACK, &turns[9].1);
        let rows = talk.decode().lines("operations", &["outcome", "after_gap"]);
        let (orphan, next) = (format!("orphan {is_lost}"), format!("answered {is_lost}"));
        assert_eq!(rows, ["answered false", "answered false", &orphan, &next, "orphan false"]);
    }
}

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
    assert_eq!(decoded.sum("coverage", "evicted_requests"), 15);
    assert_eq!(decoded.column("anomalies", "kind").first().map(String::as_str), Some("pending_limit"));
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
            let began = cpu_time::ThreadTime::now();
            decode(&bytes, &[]);
            began.elapsed().as_secs_f64()
        };
        let (short, long) = (seconds(40_000).max(0.01), seconds(160_000));
        // Four times the bytes; ten times the time leaves room for a busy machine, sixteen would be their square.
        assert!(long < short * 10.0, "{port}: {short} s, then {long} s");
    }
}

/// CODESYS is named and no more: a block of 40 bytes with a datagram in it, and its answer.
#[test]
fn a_stream_of_codesys_is_named_however_it_is_cut() {
    let block = |kind: u8| {
        let inside = [&[0xc5, kind, 0x40][..], &[7; 29]].concat();
        [&[0xe8, 0x17, 1, 0, 8 + inside.len() as u8, 0, 0, 0][..], &inside].concat()
    };
    for port in [11_740, 40_001] {
        for length in [1, 3, 7, 8, 9, 39, 40, 400] {
            let mut talk = Talk::new(port);
            talk.handshake();
            for (side, bytes) in [(0, block(1)), (1, block(2)), (0, [block(1), block(3)].concat())] {
                bytes.chunks(length).for_each(|piece| {
                    talk.send(side, ACK, piece);
                });
            }
            let decoded = talk.decode();
            assert_eq!(decoded.column("flows", "service"), ["codesys"], "{length} bytes a segment on {port}");
            assert!(decoded.column("anomalies", "kind").is_empty());
        }
    }
}

/// Zeros are a message of EtherNet/IP that does nothing, and the beginning of a connection of GE-SRTP.
#[test]
fn zeros_alone_are_no_structure() {
    let mut talk = Talk::new(44_818);
    talk.handshake().send(0, ACK, &[0; 56]).send(1, ACK, &[0; 56]);
    let decoded = talk.decode();
    assert_eq!(decoded.lines("flows", &["service", "confidence"]), ["enip port"]);
    assert!(said(&decoded).is_empty());
    // Before the rest of a connection they are read with it.
    let (port, turns) = conversations().swap_remove(1);
    let mut idle = Talk::new(port);
    idle.handshake().send(0, ACK, &[0; 24]);
    for (side, bytes) in &turns {
        idle.send(*side, ACK, bytes);
    }
    assert_eq!(said(&idle.decode()), said(&told(port, &turns, &[60_000]).decode()));
}

fn chosen(which: &prop::sample::Index) -> (u16, Vec<Turn>) {
    let mut all = conversations();
    all.swap_remove(which.index(all.len()))
}

proptest! {
    #![proptest_config(property(64))]

    #[test]
    fn any_split_of_the_same_turns_gives_the_same_operations(
        which in any::<prop::sample::Index>(),
        lengths in vec(1usize..120, 1..6),
    ) {
        let (port, turns) = chosen(&which);
        let whole = said(&told(port, &turns, &[60_000]).decode());
        prop_assert_eq!(said(&told(port, &turns, &lengths).decode()), whole);
    }

    #[test]
    fn flipped_bits_and_lost_frames_never_panic(
        which in any::<prop::sample::Index>(),
        lengths in vec(1usize..400, 1..4),
        flips in vec((any::<prop::sample::Index>(), 0u8..8), 0..6),
        lost in vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let (port, turns) = chosen(&which);
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
        which in any::<prop::sample::Index>(),
        noise in vec((0usize..2, vec(any::<u8>(), 1..200)), 1..12),
    ) {
        let (port, turns) = chosen(&which);
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
    fn one_protocols_bytes_are_no_operation_of_another(which in any::<prop::sample::Index>(), port in prop::sample::select(PORTS.to_vec())) {
        let (own, turns) = chosen(&which);
        let here = told(own, &turns, &[60_000]).decode();
        let there = told(port, &turns, &[60_000]).decode();
        let services = |decoded: &Decoded| {
            let mut services = decoded.column("operations", "service");
            services.dedup();
            services
        };
        // GE-SRTP is too plain to be known on another port.
        let expected = if own == 18_245 && port != own { Vec::new() } else { services(&here) };
        prop_assert_eq!(services(&there), expected);
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
