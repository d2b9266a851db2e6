//! Which streams are MQTT, and what is left of them where bytes are missing.

mod support;

#[path = "support/mqtt.rs"]
mod wire;

use support::{ACK, Decoded, Talk, adu, pcap};
use wire::{CONNACK, PINGREQ, PINGRESP};

fn named(decoded: &Decoded) -> String {
    decoded.lines("flows", &["service", "confidence"]).pop().expect("a flow")
}

fn talk(port: u16, said: &[(usize, &[u8])]) -> Talk {
    let mut talk = Talk::new(port);
    talk.handshake();
    for (side, bytes) in said {
        talk.send(*side, ACK, bytes);
    }
    talk
}

#[test]
fn a_connect_names_the_flow_on_any_port() {
    let decoded = talk(20_000, &[(0, &wire::connect("a")), (1, CONNACK)]).decode();
    assert_eq!(named(&decoded), "mqtt handshake");
    assert_eq!(decoded.column("mqtt", "outcome"), ["answered"]);
}

#[test]
fn in_the_middle_of_a_connection_a_pair_that_fits_names_it() {
    let said = [(0, PINGREQ), (1, PINGRESP)];
    let decoded = talk(20_001, &said).decode();
    assert_eq!(named(&decoded), "mqtt structure");
    assert_eq!(decoded.column("mqtt", "version"), [""]);
    let published = wire::publish_id(0x32, "plant/a", 3, b"21.5");
    let decoded = talk(20_001, &[(0, &published), (1, &wire::acknowledge(0x40, 3))]).decode();
    assert_eq!(named(&decoded), "mqtt structure");
    assert_eq!(
        decoded.lines("mqtt", &["topic", "outcome", "payload_bytes", "version"]),
        // Before 5 a publication has no properties, and this payload would be too many.
        ["plant/a answered 4 3"]
    );
}

#[test]
fn one_side_alone_is_named_by_its_topics_and_not_by_one_of_them() {
    let publications: Vec<_> = (0..5).map(|number| wire::publish(&format!("plant/{number}"), b"7")).collect();
    let some: Vec<_> = publications.iter().map(|bytes| (0, &bytes[..])).collect();
    let decoded = talk(20_001, &some).decode();
    assert_eq!(named(&decoded), "mqtt structure");
    // What was held back is told with the rest.
    assert_eq!(decoded.column("mqtt", "topic"), ["plant/0", "plant/1", "plant/2", "plant/3", "plant/4"]);
    let one = talk(20_001, &some[..1]).decode();
    assert_eq!(named(&one), " none");
    assert!(one.column("mqtt", "topic").is_empty());
}

#[test]
fn on_its_port_the_middle_of_a_connection_is_read_at_once() {
    let mut talk = Talk::new(1883);
    talk.send(1, ACK, &wire::publish("plant/a", b"1"));
    talk.send(0, ACK, PINGREQ);
    let decoded = talk.decode();
    let columns = ["packet_type", "direction", "confidence", "client_port"];
    assert_eq!(
        decoded.lines("mqtt", &columns),
        ["publish broker_to_client port 40000", "pingreq client_to_broker port 40000"]
    );
}

#[test]
fn the_version_of_the_middle_is_told_only_where_a_packet_shows_it() {
    let newer = wire::publish5("plant/a", b"\x01\x01", b"{}");
    let decoded = talk(1883, &[(0, PINGREQ), (0, &newer), (0, PINGREQ)]).decode();
    assert_eq!(decoded.lines("mqtt", &["version", "payload_bytes"]), ["5 2", "5 0", "5 0"]);
    let plain = wire::publish5("plant/a", b"", b"21.5");
    let decoded = talk(1883, &[(0, &plain)]).decode();
    assert_eq!(decoded.lines("mqtt", &["version", "payload_bytes", "payload_kind"]), ["5 4 text"]);
    let older = wire::publish("plant/a", b"{\"v\":1}");
    let decoded = talk(1883, &[(0, &older)]).decode();
    assert_eq!(decoded.lines("mqtt", &["version", "payload_bytes", "payload_kind"]), ["3 7 json"]);
}

/// Conversations of other protocols, client and server in turns.
fn foreign() -> Vec<Vec<Vec<u8>>> {
    let random = |seed: u64, length: usize| {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        (0..length).map(|_| next()).collect::<Vec<u8>>()
    };
    let mut all = vec![
        vec![
            [&b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"[..], &random(1, 500)].concat(),
            [&b"\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03"[..], &random(2, 700)].concat(),
            [&b"\x17\x03\x03\0\x40"[..], &random(3, 64)].concat(),
        ],
        vec![b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), b"HTTP/1.1 200 OK\r\n\r\n{}".to_vec()],
        vec![b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), b"SSH-2.0-dropbear\r\n".to_vec(), random(4, 300)],
        vec![adu(1, 1, &[3, 0, 0, 0, 2]), adu(1, 1, &[3, 4, 0, 1, 0, 2])],
        vec![b"0".repeat(200), b"0,0,0\r\n".repeat(20)],
        vec![vec![0x30; 400], vec![0xc0; 400]],
        vec![vec![0xd0, 0], vec![0xe0, 0]],
    ];
    for seed in 10..60 {
        all.push((0..6).map(|turn| random(seed * 7 + turn, 20 + (seed as usize * 13) % 300)).collect());
    }
    all
}

#[test]
fn other_protocols_and_random_bytes_are_never_called_mqtt() {
    for said in foreign() {
        let mut talk = Talk::new(20_001);
        talk.handshake();
        let mut midstream = Talk::new(20_001);
        for (turn, bytes) in said.iter().enumerate() {
            talk.send(turn % 2, ACK, bytes);
            midstream.send(turn % 2, ACK, bytes);
        }
        for decoded in [talk.decode(), midstream.decode()] {
            assert!(decoded.column("mqtt", "topic").is_empty(), "{said:02x?}");
            assert!(!decoded.column("flows", "service").contains(&"mqtt".to_owned()), "{said:02x?}");
        }
    }
}

#[test]
fn something_else_behind_the_port_loses_its_name() {
    let said: [(usize, &[u8]); 4] = [(0, PINGREQ), (0, &[0; 40]), (1, &[0; 40]), (1, &[0; 3])];
    // One packet was read: broken MQTT. None was: something else.
    assert_eq!(named(&talk(1883, &said).decode()), "mqtt port");
}

#[test]
fn a_hole_in_a_long_payload_costs_nothing_else() {
    let long = wire::publish("plant/image", &[7; 3_000]);
    let mut talk = talk(1883, &[(0, &wire::connect("a")), (1, CONNACK)]);
    talk.send(0, ACK, &long[..1_000]).send_unseen(0, ACK, &long[1_000..2_000]).send(0, ACK, &long[2_000..]);
    talk.send(0, ACK, &wire::publish("plant/b", b"1")).send(1, ACK, b"");
    let decoded = talk.decode();
    assert_eq!(
        decoded.lines("mqtt", &["packet_type", "topic", "payload_bytes", "after_gap"]),
        ["connect  0 false", "publish plant/image 3000 true", "publish plant/b 1 false"]
    );
    assert_eq!(decoded.decoder.counts().mqtt_skipped_bytes, 0);
}

#[test]
fn behind_a_hole_the_next_packet_is_found_and_what_it_may_have_touched_says_so() {
    let waits = wire::publish_id(0x32, "plant/a", 1, b"1");
    let lost = wire::publish("plant/lost", &[0x41; 50]);
    let mut talk = talk(1883, &[(0, &wire::connect("a")), (1, CONNACK), (0, &waits)]);
    // The hole ends inside a packet.
    talk.send_unseen(0, ACK, &lost[..20]).send(
        0,
        ACK,
        &[&lost[20..], &wire::publish("plant/b", b"1")].concat(),
    );
    talk.send(1, ACK, &wire::acknowledge(0x40, 1)).send(0, ACK, &wire::publish("plant/c", b"1"));
    let decoded = talk.decode();
    assert_eq!(
        decoded.lines("mqtt", &["packet_type", "topic", "outcome", "after_gap"]),
        [
            "connect  answered false",
            "publish plant/b one_way true",
            "publish plant/a answered true",
            "publish plant/c one_way false",
        ]
    );
    assert!(decoded.column("anomalies", "kind").is_empty());
}

#[test]
fn a_broken_header_is_told_and_later_packets_are_read() {
    let broken = [&[0, 1, 2][..], &wire::publish("plant/a", b"1")].concat();
    let decoded = talk(1883, &[(0, &wire::connect("a")), (1, CONNACK), (0, &broken)]).decode();
    assert_eq!(decoded.column("anomalies", "kind"), ["malformed_message"]);
    assert_eq!(decoded.column("mqtt", "topic"), ["", "plant/a"]);
    assert_eq!(decoded.decoder.counts().mqtt_skipped_bytes, 3);
}

#[test]
fn over_the_limits_rows_are_lost_in_time_and_counted() {
    let mut talk = talk(1883, &[(0, &wire::connect("a")), (1, CONNACK)]);
    for id in 1..6 {
        talk.send(0, ACK, &wire::publish_id(0x32, "a/b", id, b"1"));
    }
    let decoded = talk.decode_within(&[("pending_limit", 3)]);
    assert_eq!(
        decoded.lines("mqtt", &["packet_id", "outcome"])[1..],
        ["1 unanswered", "2 unanswered", "3 pending", "4 pending", "5 pending"]
    );
    assert!(decoded.column("anomalies", "kind").contains(&"pending_limit".to_owned()));
    assert_eq!(decoded.sum("coverage", "evicted_requests"), 2);
    let decoded = talk.decode_within(&[("mqtt_held_bytes", 1_000)]);
    assert!(decoded.decoder.counts().mqtt_not_held > 0);
    assert!(decoded.sum("coverage", "evicted_requests") > 0);
    assert!(decoded.sum("coverage", "evicted_messages") > 0);
    assert_eq!(decoded.column("mqtt", "outcome").len(), 6);
    assert_eq!(decoded.decoder.counts().mqtt_held_bytes, 0);
}

#[test]
fn of_a_payload_only_the_first_bytes_are_looked_at() {
    let long = wire::publish("plant/a", &[b'x'; 5_000]);
    let decoded = talk(1883, &[(0, &wire::connect("a")), (1, CONNACK), (0, &long)])
        .decode_within(&[("mqtt_packet_bytes", 20)]);
    assert_eq!(decoded.lines("mqtt", &["topic", "payload_bytes", "detail"])[1], "plant/a 5000 ");
    let shorter = talk(1883, &[(0, &wire::connect("a")), (1, CONNACK), (0, &long)])
        .decode_within(&[("mqtt_packet_bytes", 18)]);
    assert_eq!(shorter.lines("mqtt", &["packet_type", "topic"])[1], "publish plant/a");
    assert!(shorter.column("anomalies", "kind").is_empty());
}

/// A WebSocket frame: masked from the client.
fn frame(first: u8, side: usize, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let masked = if side == 0 { 0x80 } else { 0 };
    if payload.len() < 126 {
        bytes.push(masked | payload.len() as u8);
    } else {
        bytes.push(masked | 126);
        bytes.extend((payload.len() as u16).to_be_bytes());
    }
    if side == 0 {
        let mask = [0x11, 0x22, 0x33, 0x44];
        bytes.extend(mask);
        bytes.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    } else {
        bytes.extend(payload);
    }
    bytes
}

const GET: &[u8] = b"GET /mqtt HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCHING: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

#[test]
fn over_websocket_the_same_packets_come_out() {
    let published = wire::publish_id(0x32, "plant/a", 1, &[b'x'; 300]);
    let said = [
        (0, GET.to_vec()),
        (1, SWITCHING.to_vec()),
        (0, frame(0x82, 0, &wire::connect("browser"))),
        (1, frame(0x82, 1, CONNACK)),
        // One packet in three fragments with a ping between them.
        (0, frame(0x02, 0, &published[..5])),
        (0, [frame(0x89, 0, b"??"), frame(0x00, 0, &published[5..9])].concat()),
        (0, frame(0x80, 0, &published[9..])),
        (1, frame(0x82, 1, &[&wire::acknowledge(0x40, 1)[..], &wire::publish("b/c", b"1")].concat())),
        (0, frame(0x88, 0, &[3, 232])),
    ];
    let said: Vec<_> = said.iter().map(|(side, bytes)| (*side, &bytes[..])).collect();
    for port in [9001, 8080, 1883] {
        let decoded = talk(port, &said).decode();
        assert_eq!(named(&decoded), "mqtt handshake");
        assert_eq!(
            decoded.lines(
                "mqtt",
                &["packet_type", "topic", "outcome", "payload_bytes", "transport", "client_id"]
            ),
            [
                "connect  answered 0 websocket browser",
                "publish plant/a answered 300 websocket browser",
                "publish b/c one_way 1 websocket browser",
            ]
        );
        assert!(decoded.column("anomalies", "kind").is_empty());
    }
}

#[test]
fn an_upgrade_is_known_wherever_its_request_is_cut() {
    let connect = frame(0x82, 0, &wire::connect("browser"));
    let rest = [(1, SWITCHING), (0, &connect[..])];
    for port in [9001, 8080] {
        for cut in b"GET /".len()..GET.len() {
            let (start, end) = GET.split_at(cut);
            let decoded = talk(port, &[&[(0, start), (0, end)], &rest[..]].concat()).decode();
            assert_eq!(decoded.column("mqtt", "client_id"), ["browser"], "port {port}, cut at {cut}");
        }
    }
}

#[test]
fn a_request_that_only_might_become_an_upgrade_is_http() {
    let said: [(usize, &[u8]); 4] = [
        (0, b"GET /mqtt HTTP/1.1\r\n"),
        (0, b"Host: b\r\n"),
        (0, b"\r\n"),
        (1, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ];
    let decoded = talk(9001, &said).decode();
    assert_eq!(decoded.lines("http", &["path", "status"]), ["/mqtt 200"]);
    assert!(decoded.column("mqtt", "topic").is_empty());
}

#[test]
fn a_refused_upgrade_is_no_mqtt_and_a_compressed_one_is_not_read() {
    let decoded = talk(9001, &[(0, GET), (1, b"HTTP/1.1 404 Not Found\r\n\r\n")]).decode();
    assert!(decoded.column("mqtt", "topic").is_empty());
    let compressed = frame(0xc2, 0, b"????");
    let decoded = talk(9001, &[(0, GET), (1, SWITCHING), (0, &compressed)]).decode();
    assert_eq!(decoded.column("anomalies", "kind"), ["unreadable"]);
    assert_eq!(named(&decoded), "mqtt structure");
}

#[test]
fn a_capture_of_nothing_but_the_port_says_no_more() {
    let decoded = support::decode(&pcap(&talk(1883, &[]).frames), &[]);
    assert_eq!(named(&decoded), "mqtt port");
}

/// Frames of a connection over WebSocket whose upgrade is not in the capture.
fn joined(said: &[(usize, Vec<u8>)]) -> Decoded {
    let mut talk = Talk::new(9001);
    for (side, bytes) in said {
        talk.send(*side, ACK, bytes);
    }
    talk.decode()
}

const JOINED: [&str; 5] = ["packet_type", "direction", "topic", "outcome", "transport"];

#[test]
fn over_websocket_the_middle_of_a_connection_is_read_too_whoever_speaks_first() {
    let command = wire::publish_id(0x32, "plant/a", 3, b"21.5");
    let asked = (0, frame(0x82, 0, &command));
    let answered = (1, frame(0x82, 1, &wire::acknowledge(0x40, 3)));
    let told = (1, frame(0x82, 1, &wire::publish("plant/b", &[b'x'; 400])));
    let rows = [
        "publish client_to_broker plant/a answered websocket",
        "publish broker_to_client plant/b one_way websocket",
    ];
    for said in [[told.clone(), asked.clone(), answered.clone()], [asked, answered, told]] {
        let decoded = joined(&said);
        assert_eq!(named(&decoded), "mqtt structure");
        let mut read = decoded.lines("mqtt", &JOINED);
        read.sort_by(|one, other| other.cmp(one));
        assert_eq!(read, rows);
        assert!(decoded.column("anomalies", "kind").is_empty());
    }
}

#[test]
fn over_websocket_a_connect_is_proof_and_one_publication_is_none() {
    let opened = [(0, frame(0x82, 0, &wire::connect("browser"))), (1, frame(0x82, 1, CONNACK))];
    let decoded = joined(&opened);
    assert_eq!(named(&decoded), "mqtt handshake");
    assert_eq!(decoded.lines("mqtt", &["client_id", "transport", "outcome"]), ["browser websocket answered"]);
    let alone = joined(&[(1, frame(0x82, 1, &wire::publish("plant/a", b"7")))]);
    assert_eq!(named(&alone), " none");
    assert!(alone.column("mqtt", "topic").is_empty());
}

#[test]
fn topics_in_frames_of_one_side_are_enough_where_there_are_some() {
    for side in [0, 1] {
        let said: Vec<_> = (0..5)
            .map(|number| (side, frame(0x82, side, &wire::publish(&format!("plant/{number}"), b"7"))))
            .collect();
        let decoded = joined(&said);
        assert_eq!(named(&decoded), "mqtt structure");
        assert_eq!(decoded.column("mqtt", "topic").len(), 5);
        assert_eq!(decoded.column("flows", "client_port"), ["40000"], "the mask tells who is the client");
    }
}

#[test]
fn a_frame_cut_anywhere_costs_no_more_than_its_packet() {
    for side in [0, 1] {
        let first = frame(0x82, side, &wire::publish("plant/first", b"1"));
        for cut in 1..first.len() {
            let mut said = vec![(side, first[..cut].to_vec()), (side, first[cut..].to_vec())];
            said.extend(
                (0..6).map(|number| {
                    (side, frame(0x82, side, &wire::publish(&format!("plant/{number}"), b"7")))
                }),
            );
            let decoded = joined(&said);
            assert_eq!(named(&decoded), "mqtt structure", "side {side}, cut at {cut}");
            assert!(decoded.column("mqtt", "topic").len() >= 6, "side {side}, cut at {cut}");
        }
    }
}

#[test]
fn the_agreement_of_a_server_alone_says_what_its_frames_carry() {
    let said: [(usize, Vec<u8>); 4] = [
        (1, SWITCHING.to_vec()),
        (0, frame(0x82, 0, &wire::connect("browser"))),
        (1, frame(0x82, 1, CONNACK)),
        (1, frame(0x82, 1, &wire::publish("plant/a", b"7"))),
    ];
    let decoded = joined(&said);
    assert_eq!(named(&decoded), "mqtt handshake");
    assert_eq!(decoded.column("mqtt", "packet_type"), ["connect", "publish"]);
    let other =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    let decoded = joined(&[(1, other.to_vec()), (1, frame(0x82, 1, b"hello"))]);
    assert_eq!(decoded.lines("flows", &["service"]), ["websocket"]);
}

#[test]
fn a_gap_between_frames_costs_what_it_hides() {
    let published = |number: u8| frame(0x82, 1, &wire::publish(&format!("plant/{number}"), b"7"));
    let mut talk = Talk::new(9001);
    for number in 0..5 {
        talk.send(1, ACK, &published(number));
    }
    talk.next[1] += published(5).len() as u32;
    for number in 6..9 {
        talk.send(1, ACK, &published(number));
    }
    // The hole is given up once the other side has acknowledged what is behind it.
    talk.send(0, ACK, &frame(0x82, 0, &wire::publish("plant/after", b"1")));
    let decoded = talk.decode();
    let topics = decoded.column("mqtt", "topic");
    assert!(!topics.contains(&"plant/5".to_owned()), "{topics:?}");
    for number in [4, 6, 8] {
        assert!(topics.contains(&format!("plant/{number}")), "{topics:?}");
    }
}

#[test]
fn other_protocols_within_websocket_are_not_taken_for_it() {
    let foreign: [&[u8]; 6] = [
        b"\x08\x01\x12\x0bplant/a/b/c",
        b"{\"topic\":\"plant/a\",\"value\":7}",
        b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0",
        b"HELF\x20\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\0\x01\0\0\0\x06\x01\x03\0\0\0\x02",
        b"\xd9\x03abc\x30\x05",
    ];
    for payload in foreign {
        let said: Vec<_> = (0..8).map(|at| (at % 2, frame(0x82, at % 2, payload))).collect();
        let decoded = joined(&said);
        assert_eq!(decoded.column("mqtt", "topic"), Vec::<String>::new(), "{payload:?}");
        assert!(!named(&decoded).starts_with("mqtt"), "{payload:?}");
    }
}
