//! Services as they introduce themselves: names on any port, verdicts, and that no secret leaves the parsers.
//!
//! Bytes are the standards' own examples, or are put together here by their clauses; real stacks are in
//! tests/sensors/test_services_*.py.

#[path = "support/services.rs"]
mod services;
mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use services::{
    Conversation, PROOF, SECRET, Turn, conversations, datagrams, flow_service, forms, said, tell,
    tell_in_pieces,
};
use support::property::property;
use support::{ACK, Decoded, Talk};

/// Some columns of the only introduction.
fn introduction(decoded: &Decoded, columns: &[&str]) -> String {
    let lines = decoded.lines("services", columns);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].clone()
}

#[test]
fn every_conversation_is_named_by_its_structure_on_any_port() {
    for conversation in conversations() {
        for port in [conversation.port, 49_000] {
            let decoded = tell(&conversation.turns, port);
            let (service, confidence) = flow_service(&decoded);
            assert_eq!(service, conversation.service, "{} on {port}", conversation.name);
            assert_eq!(confidence, "handshake", "{} on {port}", conversation.name);
        }
    }
}

#[test]
fn every_conversation_is_named_by_its_structure_on_a_port_of_another_protocol() {
    let mut wrong = Vec::new();
    for conversation in conversations() {
        for port in [502, 80, 443, 22, 445, 102, 1883, 4840, 20_000, 44_818] {
            let decoded = tell(&conversation.turns, port);
            let (service, _) = flow_service(&decoded);
            // Two bytes of structure do not outweigh the port of Modbus.
            if (conversation.name, port) == ("teamviewer", 502) {
                continue;
            }
            if service != conversation.service || !decoded.column("modbus", "outcome").is_empty() {
                wrong.push(format!("{} on {port}: {service}", conversation.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_conversation_whose_handshake_was_missed_is_still_named_on_its_port() {
    for conversation in conversations() {
        let mut talk = Talk::new(conversation.port);
        for (side, bytes) in &conversation.turns {
            talk.send(*side, ACK, bytes);
        }
        let decoded = talk.decode();
        assert_eq!(flow_service(&decoded).0, conversation.service, "{}", conversation.name);
        assert_eq!(decoded.column("flows", "server_port"), [conversation.port.to_string()]);
    }
}

#[test]
fn one_side_alone_is_a_structure() {
    for conversation in conversations().iter().filter(|conversation| conversation.one_side_is_enough) {
        let side = conversation.turns[0].0;
        let mut talk = Talk::new(conversation.port);
        talk.handshake();
        for (_, bytes) in conversation.turns.iter().filter(|turn| turn.0 == side) {
            talk.send(side, ACK, bytes);
        }
        let (service, confidence) = flow_service(&talk.decode());
        assert_eq!(service, conversation.service, "{}", conversation.name);
        assert_eq!(confidence, "structure", "{}", conversation.name);
    }
}

#[test]
fn datagrams_are_named_by_their_structure_on_any_port() {
    for (name, service, port, turns) in datagrams() {
        for port in [port, 49_000] {
            let decoded = services::tell_datagrams(&turns, port);
            assert_eq!(flow_service(&decoded).0, service, "{name} on {port}");
        }
    }
}

#[test]
fn what_is_said_in_the_conversations_is_in_the_row() {
    for conversation in conversations() {
        let decoded = tell(&conversation.turns, conversation.port);
        let rows = said(&decoded);
        for expected in &conversation.told {
            assert!(rows.iter().any(|row| row.contains(expected)), "{expected} is not in {rows:#?}");
        }
    }
}

/// All bytes of a conversation, and what rows it gives.
fn told_and_sent(conversation: &Conversation) -> (Vec<u8>, Decoded) {
    let bytes = conversation.turns.iter().flat_map(|turn| turn.1.iter().copied()).collect();
    (bytes, tell(&conversation.turns, conversation.port))
}

#[test]
fn no_planted_secret_is_in_any_table() {
    let mut planted = Vec::new();
    for conversation in conversations() {
        let (bytes, decoded) = told_and_sent(&conversation);
        let rows = services::everything(&decoded).to_ascii_lowercase();
        for form in forms(SECRET) {
            assert!(!rows.contains(&form), "{}: {rows}", conversation.name);
        }
        if services::holds(&bytes, SECRET) {
            planted.push(conversation.name);
            assert!(
                decoded.column("services", "secret_seen").contains(&"true".to_owned()),
                "{}",
                conversation.name
            );
        }
    }
    for name in ["http", "ftp", "smtp", "telnet", "ldap", "postgres", "vnc-plain"] {
        assert!(planted.contains(&name), "{name}: {planted:?}");
    }
}

/// An answer to a challenge is no password, but passwords are guessed from it.
#[test]
fn no_planted_answer_to_a_challenge_is_in_any_table() {
    let mut planted = Vec::new();
    for conversation in conversations() {
        let (bytes, decoded) = told_and_sent(&conversation);
        let rows = services::everything(&decoded).to_ascii_lowercase();
        for form in forms(PROOF) {
            assert!(!rows.contains(&form), "{}: {rows}", conversation.name);
        }
        if forms(PROOF).iter().any(|form| services::holds(&bytes.to_ascii_lowercase(), form)) {
            planted.push(conversation.name);
        }
    }
    assert_eq!(planted, ["winrm-ntlm", "vnc", "vnc-3.3", "smb"]);
}

#[test]
fn a_port_that_lies_loses_its_name() {
    let ssh: Vec<Turn> = vec![(1, b"SSH-2.0-x\r\n".to_vec()), (0, b"SSH-2.0-y\r\n".to_vec())];
    assert_eq!(flow_service(&tell(&ssh, 443)), ("ssh".to_owned(), "handshake".to_owned()));
    let http = conversations().into_iter().find(|conversation| conversation.name == "http").unwrap();
    assert_eq!(flow_service(&tell(&http.turns, 22)).0, "http");
}

#[test]
fn an_http_transaction_has_its_row_and_its_latency() {
    let turns = vec![
        (0, b"GET /values?token=x HTTP/1.1\r\nHost: plc1:8080\r\nUser-Agent: curl/8\r\n\r\n".to_vec()),
        (1, b"HTTP/1.1 200 OK\r\nServer: GoAhead\r\nContent-Length: 5\r\n\r\nvalue".to_vec()),
        (
            0,
            b"POST /set HTTP/1.1\r\nHost: plc1\r\nContent-Length: 3\r\n\r\nabcHEAD / HTTP/1.1\r\n\r\n"
                .to_vec(),
        ),
        (1, b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n".to_vec()),
        (1, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n".to_vec()),
    ];
    let decoded = tell(&turns, 80);
    let columns = ["method", "host", "path", "status", "secret_seen", "latency_ns", "outcome"];
    assert_eq!(
        decoded.lines("http", &columns),
        [
            "GET plc1:8080 /values 200 true 1000000 answered",
            "POST plc1 /set 403 false 1000000 answered",
            "HEAD  / 200 false 2000000 answered",
        ]
    );
    assert_eq!(introduction(&decoded, &["client_software", "server_software"]), "curl/8 GoAhead");
}

#[test]
fn requests_without_room_are_given_up_and_counted() {
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut turns: Vec<Turn> = (0..200).map(|_| (0, get.to_vec())).collect();
    turns.push((1, b"HTTP/1.1 204 No\r\n\r\n".to_vec()));
    let decoded = tell(&turns, 80);
    let outcomes = decoded.column("http", "outcome");
    let given_up = outcomes.iter().filter(|outcome| *outcome == "unanswered").count() as u64;
    assert!(given_up > 0, "{outcomes:?}");
    assert_eq!(decoded.sum("coverage", "evicted_requests"), given_up);
    assert_eq!(decoded.column("anomalies", "kind")[0], "pending_limit");
    let queries: Vec<Turn> =
        (0..200u8).map(|id| (0, vec![0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1])).collect();
    let decoded = services::tell_datagrams(&queries, 53);
    let outcomes = decoded.column("dns", "outcome");
    let given_up = outcomes.iter().filter(|outcome| *outcome == "unanswered").count() as u64;
    assert_eq!(given_up, 200 - 128);
    assert_eq!(decoded.sum("coverage", "evicted_requests"), given_up);
}

#[test]
fn a_gap_inside_a_body_is_no_gap_in_the_transactions() {
    let mut talk = Talk::new(80);
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    talk.handshake().send(0, ACK, get);
    talk.send(1, ACK, b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n");
    talk.send(1, ACK, &[b'a'; 100]).send_unseen(1, ACK, &[b'a'; 100]).send(1, ACK, &[b'a'; 100]);
    talk.send(0, ACK, get).send(1, ACK, b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    let decoded = talk.decode();
    assert_eq!(decoded.lines("http", &["status", "after_gap"]), ["200 false", "404 false"]);
}

#[test]
fn a_tunnel_by_connect_is_read_inside() {
    let mut turns = vec![
        (0, b"CONNECT derp1.tailscale.com:443 HTTP/1.1\r\n\r\n".to_vec()),
        (1, b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec()),
    ];
    let ssh = conversations().into_iter().find(|conversation| conversation.name == "ssh").unwrap();
    turns.extend(ssh.turns);
    let decoded = tell(&turns, 3128);
    assert_eq!(flow_service(&decoded).0, "http");
    assert_eq!(decoded.column("services", "service"), ["http", "ssh"]);
}

#[test]
fn vnc_without_a_password_was_not_asked_and_a_wrong_one_is_refused() {
    let open: Vec<Turn> = vec![
        (1, b"RFB 003.008\n".to_vec()),
        (0, b"RFB 003.008\n".to_vec()),
        (1, vec![1, 1]),
        (0, vec![1]),
        (1, vec![0, 0, 0, 0]),
        (0, vec![1]),
        (1, [&[4, 0, 3, 0][..], &[0; 16], &[0, 0, 0, 4], b"HMI1"].concat()),
    ];
    let decoded = tell(&open, 5900);
    assert_eq!(introduction(&decoded, &["login", "server_name", "cipher"]), "not_asked HMI1 none");
    let refused: Vec<Turn> = vec![
        (1, b"RFB 003.008\n".to_vec()),
        (0, b"RFB 003.008\n".to_vec()),
        (1, vec![1, 2]),
        (0, vec![2]),
        (1, vec![7; 16]),
        (0, vec![8; 16]),
        (1, [&[0, 0, 0, 1, 0, 0, 0, 3][..], b"bad"].concat()),
    ];
    let decoded = tell(&refused, 5900);
    assert_eq!(introduction(&decoded, &["login", "refused_logins"]), "no 1");
    assert!(introduction(&decoded, &["detail"]).contains("bad"));
}

#[test]
fn a_controller_s_iso_connection_is_no_desktop() {
    let s7: Vec<Turn> = vec![
        (0, b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02".to_vec()),
        (1, b"\x03\0\0\x16\x11\xd0\0\x01\0\x02\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02".to_vec()),
    ];
    assert_ne!(flow_service(&tell(&s7, 102)).0, "rdp");
}

#[test]
fn bytes_behind_an_introduction_cost_nothing() {
    // After the handshake of TLS nobody buffers or reads: a stream that would be another protocol changes nothing.
    let tls = conversations().into_iter().find(|conversation| conversation.name == "tls").unwrap();
    let mut turns = tls.turns.clone();
    turns.push((0, b"\x17\x03\x03\0\x20".iter().copied().chain([0; 32]).collect()));
    turns.extend((0..50).map(|_| (0, b"GET / HTTP/1.1\r\n\r\n".to_vec())));
    let decoded = tell(&turns, 443);
    assert_eq!(decoded.column("services", "service"), ["https"]);
    assert!(decoded.column("http", "method").is_empty());
}

#[test]
fn one_byte_a_segment_gives_the_same_rows() {
    for conversation in conversations() {
        let whole = said(&tell(&conversation.turns, conversation.port));
        assert_eq!(said(&tell_in_pieces(&conversation, &[1])), whole, "{}", conversation.name);
    }
}

proptest! {
    #![proptest_config(property(48))]

    #[test]
    fn any_split_of_the_same_turns_gives_the_same_rows(
        which in any::<prop::sample::Index>(),
        lengths in vec(1usize..60, 1..6),
    ) {
        let all = conversations();
        let conversation = &all[which.index(all.len())];
        let whole = said(&tell(&conversation.turns, conversation.port));
        let split = tell_in_pieces(conversation, &lengths);
        prop_assert_eq!(said(&split), whole, "{}", conversation.name);
    }

    #[test]
    fn damaged_conversations_never_panic_and_keep_their_secrets(
        which in any::<prop::sample::Index>(),
        damages in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        lost in any::<prop::sample::Index>(),
    ) {
        let all = conversations();
        let conversation = &all[which.index(all.len())];
        let mut turns = conversation.turns.clone();
        for (turn, byte, value) in &damages {
            let place = turn.index(turns.len());
            let bytes = &mut turns[place].1;
            if !bytes.is_empty() {
                let at = byte.index(bytes.len());
                bytes[at] = *value;
            }
        }
        let place = cut.index(turns.len());
        let length = cut.index(turns[place].1.len() + 1);
        turns[place].1.truncate(length);
        turns.remove(lost.index(turns.len()));
        tell(&turns, conversation.port);
    }

    #[test]
    fn random_bytes_are_never_named(
        turns in vec((0usize..2, vec(any::<u8>(), 1..200)), 1..8),
    ) {
        let decoded = tell(&turns, 49_000);
        prop_assert_eq!(flow_service(&decoded).0, "");
        prop_assert!(decoded.column("services", "service").is_empty());
        let udp = services::tell_datagrams(&turns, 49_000);
        prop_assert_eq!(flow_service(&udp).0, "");
    }

    #[test]
    fn random_bytes_on_every_service_s_port_never_panic(
        port in prop::sample::select(services::PORTS.to_vec()),
        first in prop::sample::select(services::FIRSTS.to_vec()),
        turns in vec((0usize..2, vec(any::<u8>(), 1..200)), 1..8),
    ) {
        let mut turns = turns;
        turns[0].1.splice(0..0, first.iter().copied());
        tell(&turns, port);
        services::tell_datagrams(&turns, port);
    }
}

#[test]
fn introductions_of_all_flows_together_are_bounded() {
    let tls = conversations().into_iter().find(|conversation| conversation.name == "tls").unwrap();
    let mut talk = Talk::new(443);
    talk.handshake().send(0, ACK, &tls.turns[0].1[..100]).send(0, ACK, &tls.turns[0].1[100..]);
    let decoded = talk.decode_within(&[("introduction_bytes", 50)]);
    assert_eq!(decoded.column("anomalies", "kind"), ["pending_limit"]);
    assert_eq!(decoded.sum("coverage", "evicted_messages"), 1);
    assert!(talk.decode().column("anomalies", "kind").is_empty());
}

/// Seconds that a conversation of one-byte segments takes.
fn seconds(port: u16, first: &[u8], filler: u8, length: usize) -> f64 {
    let mut talk = Talk::new(port);
    talk.handshake().send(0, ACK, first);
    for _ in 0..length {
        talk.send(0, ACK, &[filler]);
    }
    let capture = support::pcap(&talk.frames);
    let started = cpu_time::ThreadTime::now();
    support::decode(&capture, &[]);
    started.elapsed().as_secs_f64()
}

#[test]
fn time_is_linear_in_bytes_however_small_the_segments() {
    let cases: [(u16, &[u8], u8); 6] = [
        (443, b"\x16\x03\x01\x3f\xff\x01\0\x3f\xfb\x03\x03", 7),
        (22, b"SSH-2.0-a\r\n\0\0\x7f\xfc\x06\x14", 7),
        (80, b"GET / HTTP/1.1\r\nA: ", b'a'),
        (445, b"\0\0\x3f\xff\xfeSMB", 7),
        (389, b"\x30\x82\x3f\xff\x02", 7),
        (21, b"USER ", b'a'),
    ];
    for (port, first, filler) in cases {
        let short = seconds(port, first, filler, 2_000).max(0.002);
        let long = seconds(port, first, filler, 16_000);
        // Eight times as long; a quadratic reader would take 64 times as long.
        assert!(long < short * 8.0 * 3.0, "port {port}: {short} s, then {long} s");
    }
}
