//! Captures of one direction: what cannot be seen is no oddity, and what is odd in spite of that is told.

mod support;

use support::{ACK, SECOND, Talk, adu, ipv4, read_registers};

const OPENING: [(usize, u8); 3] = [(0, support::SYN), (1, support::SYN | ACK), (0, ACK)];

/// Ten reads of which the capture sees the directions given.
fn reads(seen: [bool; 2], opening: bool) -> Talk {
    let mut talk = Talk::new(502);
    let send = |talk: &mut Talk, side: usize, flags: u8, payload: &[u8]| {
        match seen[side] {
            true => talk.send(side, flags, payload),
            false => talk.send_unseen(side, flags, payload),
        };
    };
    for (side, flags) in OPENING.into_iter().filter(|_| opening) {
        send(&mut talk, side, flags, b"");
    }
    for transaction in 1..=10 {
        let (request, response) = read_registers(transaction, 7, 2);
        send(&mut talk, 0, ACK, &request);
        send(&mut talk, 1, ACK, &response);
        talk.wait(SECOND);
    }
    talk
}

#[test]
fn answers_alone_are_orphans_and_no_oddity() {
    for opening in [true, false] {
        let decoded = reads([false, true], opening).decode();
        assert_eq!(decoded.lines("modbus", &["outcome", "after_gap"]), vec!["orphan true"; 10], "{opening}");
        assert!(decoded.column("anomalies", "kind").is_empty(), "{opening}");
    }
}

#[test]
fn requests_alone_are_pending_or_unanswered_and_no_oddity() {
    for opening in [true, false] {
        let decoded = reads([true, false], opening).decode();
        assert_eq!(decoded.column("modbus", "outcome"), ["pending"; 10], "{opening}");
        assert!(decoded.column("anomalies", "kind").is_empty(), "{opening}");
    }
}

#[test]
fn requests_without_room_are_odd_only_where_their_answers_could_be_seen() {
    for both in [true, false] {
        let mut talk = Talk::new(502);
        talk.send(0, support::SYN, b"");
        if both {
            talk.send(1, support::SYN | ACK, b"");
        }
        for transaction in 1..=9 {
            talk.send(0, ACK, &read_registers(transaction, 7, 2).0);
        }
        let decoded = talk.decode_within(&[("pending_limit", 8)]);
        let expected: &[&str] = if both { &["pending_limit"] } else { &[] };
        assert_eq!(decoded.column("anomalies", "kind"), expected);
        assert_eq!(decoded.sum("coverage", "evicted_requests"), 1);
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_odd_where_the_client_is_seen() {
    let mut talk = Talk::new(502);
    talk.handshake().send(1, ACK, &adu(1, 1, &[3, 2, 0, 7]));
    let decoded = talk.decode();
    assert_eq!(decoded.lines("modbus", &["outcome", "after_gap"]), ["orphan false"]);
    assert_eq!(decoded.column("anomalies", "kind"), ["orphan_response"]);
}

#[test]
fn datagrams_of_the_server_alone_are_no_oddity() {
    let datagram = |side: usize, payload: &[u8]| {
        let ports = [40_000u16, 502];
        let mut bytes = ports[side].to_be_bytes().to_vec();
        bytes.extend(ports[1 - side].to_be_bytes());
        bytes.extend((8 + payload.len() as u16).to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(payload);
        bytes
    };
    for both in [true, false] {
        let mut frames = Vec::new();
        for transaction in 1..=5 {
            let (request, response) = read_registers(transaction, 7, 2);
            let at = support::START + i64::from(transaction) * SECOND;
            if both && transaction == 1 {
                frames.push((at, ipv4(0, 17, transaction, 64, &datagram(0, &request))));
            }
            frames.push((at + 1_000, ipv4(1, 17, 100 + transaction, 64, &datagram(1, &response))));
        }
        let decoded = support::decode(&support::pcap(&frames), &[]);
        // Where one question was seen, the other answers are none that it could have lost.
        let expected = if both { vec!["orphan_response"; 4] } else { vec![] };
        assert_eq!(decoded.column("anomalies", "kind"), expected);
    }
}

/// Acknowledgements alone, each further than the last by more than a window.
fn leaps(back: bool) -> Vec<String> {
    let mut talk = Talk::new(80);
    talk.send(0, support::SYN, b"");
    for leap in [1u32, 20_001, 40_002, 60_003, 80_004] {
        let mut segment = talk.segment(0, ACK, b"");
        segment.acknowledgment = segment.acknowledgment.wrapping_add(leap);
        talk.see(&segment);
        talk.wait(SECOND);
    }
    if back {
        let segment = talk.segment(0, ACK, b"");
        talk.see(&support::Tcp { acknowledgment: segment.acknowledgment + 30_000, ..segment });
    }
    talk.decode().column("anomalies", "kind")
}

#[test]
fn leaps_of_acknowledgements_of_an_unseen_side_are_odd_only_where_one_goes_back() {
    assert!(leaps(false).is_empty());
    assert_eq!(leaps(true), ["ack_out_of_window"]);
}
