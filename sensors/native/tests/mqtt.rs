//! MQTT transactions, as they come out of captures (MQTT 5.0, 3.1.1).

mod support;

#[path = "support/mqtt.rs"]
mod wire;

use support::{ACK, Decoded, FIN, SECOND, Talk};
use wire::{CONNACK, CONNACK5, PINGREQ, PINGRESP};

const SHORT: [&str; 5] = ["packet_type", "direction", "outcome", "request_frame", "response_frame"];

/// A connection of 3.1.1 on port 1883, then what each side says: 0 the client, 1 the broker.
fn session(said: &[(usize, &[u8])]) -> Talk {
    let mut talk = Talk::new(1883);
    talk.handshake().send(0, ACK, &wire::connect("press-7")).send(1, ACK, CONNACK);
    for (side, bytes) in said {
        talk.send(*side, ACK, bytes);
    }
    talk
}

/// The same for 5, with properties of CONNECT and CONNACK.
fn session5(connect: &[u8], connack: &[u8], said: &[(usize, &[u8])]) -> Talk {
    let mut talk = Talk::new(1883);
    let connack = [&[0, 0, connack.len() as u8], connack].concat();
    talk.handshake().send(0, ACK, &wire::connect5("press-7", connect));
    talk.send(1, ACK, &wire::packet(0x20, &connack));
    for (side, bytes) in said {
        talk.send(*side, ACK, bytes);
    }
    talk
}

/// The rows behind the CONNECT.
fn rows(decoded: &Decoded, columns: &[&str]) -> Vec<String> {
    let kinds = decoded.column("mqtt", "packet_type");
    let lines = decoded.lines("mqtt", columns);
    kinds.iter().zip(lines).filter(|(kind, _)| *kind != "connect").map(|(_, line)| line).collect()
}

fn anomalies(decoded: &Decoded) -> Vec<String> {
    decoded.column("anomalies", "kind")
}

#[test]
fn a_connect_says_who_and_how_and_never_the_password() {
    let body = [
        &b"\0\x04MQTT\x04\xee\0\x1e"[..],
        &wire::text("press-7"),
        &wire::text("plant/press-7/state"),
        &wire::text("offline"),
        &wire::text("maintenance"),
        &wire::text("hunter2"),
    ]
    .concat();
    let mut talk = Talk::new(1883);
    talk.handshake().send(0, ACK, &wire::packet(0x10, &body)).send(1, ACK, b"\x20\x02\x01\0");
    let decoded = talk.decode();
    let columns =
        ["version", "client_id", "user_name", "has_user_name", "has_password", "keep_alive_s", "clean_start"];
    assert_eq!(decoded.lines("mqtt", &columns), ["3.1.1 press-7 maintenance true true 30 true"]);
    let columns =
        ["will_topic", "will_qos", "will_retain", "will_bytes", "session_present", "reason", "latency_ns"];
    assert_eq!(decoded.lines("mqtt", &columns), ["plant/press-7/state 1 true 7 true success 1000000"]);
    assert_eq!(decoded.lines("flows", &["service", "confidence"]), ["mqtt handshake"]);
    assert!(anomalies(&decoded).is_empty());
    for (name, batches) in &decoded.tables {
        let schema = batches[0].schema();
        for field in schema.fields() {
            let values = decoded.column(name, field.name());
            assert!(!values.iter().any(|value| value.contains("hunter2")), "{name}.{}", field.name());
        }
    }
    let hashed = talk.decode_within(&[("mqtt_user_names", 2)]);
    // SHA-256 of "maintenance", by another program.
    assert_eq!(hashed.column("mqtt", "user_name"), ["sha256:8589c63b0943a62b"]);
}

#[test]
fn a_refused_connect_says_why() {
    let mut talk = Talk::new(1883);
    talk.handshake().send(0, ACK, &wire::connect("x")).send(1, ACK, b"\x20\x02\0\x05");
    assert_eq!(
        talk.decode().lines("mqtt", &["outcome", "reason_code", "reason"]),
        ["refused 5 not_authorized"]
    );
    let mut newer = Talk::new(1883);
    newer.handshake().send(0, ACK, &wire::connect5("x", b"")).send(1, ACK, b"\x20\x03\0\x87\0");
    assert_eq!(
        newer.decode().lines("mqtt", &["outcome", "reason_code", "reason"]),
        ["refused 135 not_authorized"]
    );
}

#[test]
fn deliveries_of_every_quality_and_both_directions() {
    let talk = session(&[
        (0, &wire::publish("a/zero", b"21.5")),
        (0, &wire::publish_id(0x32, "a/one", 7, b"{\"v\": 1}")),
        (1, &wire::acknowledge(0x40, 7)),
        (0, &wire::publish_id(0x35, "a/two", 8, b"\x01\x02")),
        (1, &wire::acknowledge(0x50, 8)),
        (0, &wire::acknowledge(0x62, 8)),
        (1, &wire::acknowledge(0x70, 8)),
        (1, &wire::publish_id(0x32, "b/one", 7, b"")),
        (0, &wire::acknowledge(0x40, 7)),
    ]);
    let decoded = talk.decode();
    assert_eq!(
        rows(&decoded, &["direction", "topic", "qos", "retain", "outcome", "payload_bytes", "payload_kind"]),
        [
            "client_to_broker a/zero 0 false one_way 4 text",
            "client_to_broker a/one 1 false answered 8 json",
            "client_to_broker a/two 2 true answered 2 binary",
            "broker_to_client b/one 1 false answered 0 empty",
        ]
    );
    assert_eq!(
        rows(&decoded, &["request_frame", "response_frame", "pubrel_frame", "pubcomp_frame", "latency_ns"]),
        ["6 - - - -", "7 8 - - 1000000", "9 10 11 12 1000000", "13 14 - - 1000000"]
    );
    assert!(anomalies(&decoded).is_empty());
    assert_eq!(decoded.decoder.counts().mqtt_packets, [1, 1, 4, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_repetition_is_counted_not_told_again() {
    let first = wire::publish_id(0x32, "a/b", 7, b"x");
    let again = wire::publish_id(0x3a, "a/b", 7, b"x");
    let decoded =
        session(&[(0, &first), (0, &again), (0, &again), (1, &wire::acknowledge(0x40, 7))]).decode();
    assert_eq!(rows(&decoded, &["outcome", "retries", "dup", "request_frame"]), ["answered 2 false 6"]);
    assert!(anomalies(&decoded).is_empty());
    // Without a first one it is a packet of its own: an earlier connection of the session sent that.
    let alone = session(&[(0, &again), (1, &wire::acknowledge(0x40, 7))]).decode();
    assert_eq!(rows(&alone, &["outcome", "retries", "dup"]), ["answered 0 true"]);
}

#[test]
fn an_identifier_used_again_ends_what_waits_under_it() {
    let first = wire::publish_id(0x32, "a/b", 7, b"x");
    let other = wire::publish_id(0x32, "a/c", 7, b"y");
    let decoded = session(&[(0, &first), (0, &other), (1, &wire::acknowledge(0x40, 7))]).decode();
    assert_eq!(rows(&decoded, &["topic", "outcome"]), ["a/b unanswered", "a/c answered"]);
    assert_eq!(anomalies(&decoded), ["identifier_in_use"]);
}

#[test]
fn subscriptions_with_what_was_asked_and_granted() {
    let decoded = session(&[
        (0, &wire::subscribe(1, &[("plant/#", 2), ("+/state", 0)])),
        (1, &wire::suback(1, &[1, 0x80])),
        (0, &wire::packet(0xa2, &[&[0, 2][..], &wire::text("plant/#")].concat())),
        (1, &wire::acknowledge(0xb0, 2)),
    ])
    .decode();
    let columns =
        ["packet_type", "filters", "requested_qos", "granted", "outcome", "reason", "operation_class"];
    assert_eq!(
        rows(&decoded, &columns),
        [
            "subscribe [\"plant/#\", \"+/state\"] [2, 0] [1, 128] refused unspecified_error read",
            "unsubscribe [\"plant/#\"] [] [] answered  read",
        ]
    );
}

#[test]
fn a_suback_with_another_number_of_codes_is_an_anomaly() {
    let asked = wire::subscribe(1, &[("a/b", 0), ("a/c", 0)]);
    let decoded = session(&[(0, &asked), (1, &wire::suback(1, &[0]))]).decode();
    assert_eq!(anomalies(&decoded), ["response_mismatch"]);
}

#[test]
fn pings_and_the_end() {
    let decoded =
        session(&[(0, PINGREQ), (0, PINGREQ), (1, PINGRESP), (1, PINGRESP), (0, b"\xe0\0")]).decode();
    assert_eq!(
        rows(&decoded, &SHORT),
        [
            "pingreq client_to_broker answered 6 8",
            "pingreq client_to_broker answered 7 9",
            "disconnect client_to_broker one_way 10 -",
        ]
    );
}

#[test]
fn properties_of_version_5_have_their_columns() {
    let published = wire::publish5(
        "a/b",
        b"\x01\x01\x02\0\0\0\x4d\x03\0\x04json\x08\0\x03r/t\x09\0\x02\x01\x02\x0b\x05\x26\0\x01k\0\x06secret",
        b"{}",
    );
    let decoded =
        session5(b"\x11\0\0\x02\x2b\x21\0\x0a", b"\x22\0\x0a\x13\0\x0f", &[(0, &published)]).decode();
    let lines = decoded.lines("mqtt", &["session_expiry_s", "properties"]);
    assert_eq!(
        lines[0],
        "555 [\"receive_maximum=10\", \"connack.topic_alias_maximum=10\", \"connack.server_keep_alive=15\"]"
    );
    assert_eq!(lines[1], "- [\"payload_format_indicator=1\", \"subscription_identifier=5\"]");
    let columns = ["message_expiry_s", "content_type", "response_topic", "has_correlation"];
    assert_eq!(rows(&decoded, &columns), ["77 json r/t true"]);
    // A user property's value may be anything, a secret too.
    let columns = ["user_property_count", "user_property_keys", "payload_bytes", "payload_kind"];
    assert_eq!(rows(&decoded, &columns), ["1 [\"k\"] 2 json"]);
}

#[test]
fn aliases_stand_for_their_topic_and_a_new_one_replaces_it() {
    let named = |topic: &str| wire::publish5(topic, b"\x23\0\x02", b"1");
    let said = [named("a/b"), named(""), named("c/d"), named("")];
    let said: Vec<_> = said.iter().map(|bytes| (0, &bytes[..])).collect();
    let decoded = session5(b"", b"\x22\0\x02", &said).decode();
    assert_eq!(rows(&decoded, &["topic", "topic_alias"]), ["a/b 2", "a/b 2", "c/d 2", "c/d 2"]);
    assert!(anomalies(&decoded).is_empty());
}

#[test]
fn aliases_of_the_two_directions_are_apart_and_bounded_by_what_was_agreed() {
    let up = wire::publish5("up", b"\x23\0\x02", b"1");
    let down = wire::publish5("", b"\x23\0\x02", b"1");
    let high = wire::publish5("high", b"\x23\0\x03", b"1");
    let decoded = session5(b"\x22\0\x09", b"\x22\0\x02", &[(0, &up), (1, &down), (0, &high)]).decode();
    assert_eq!(
        rows(&decoded, &["direction", "topic", "detail"]),
        [
            "client_to_broker up ",
            "broker_to_client  topic alias 2 was settled unseen",
            "client_to_broker high ",
        ]
    );
    assert_eq!(anomalies(&decoded), ["illegal_value"]);
}

#[test]
fn reason_codes_and_server_s_farewell() {
    let published = wire::packet(0x32, &[&wire::text("a/b")[..], b"\0\x07\0x"].concat());
    let decoded =
        session5(b"", b"", &[(0, &published), (1, b"\x40\x03\0\x07\x97"), (1, b"\xe0\x02\x8e\0")]).decode();
    assert_eq!(
        rows(&decoded, &["packet_type", "direction", "outcome", "reason"]),
        [
            "publish client_to_broker refused quota_exceeded",
            "disconnect broker_to_client one_way session_taken_over",
        ]
    );
}

#[test]
fn a_refused_exactly_once_delivery_ends_with_its_pubrec() {
    let published = wire::packet(0x34, &[&wire::text("a/b")[..], b"\0\x07\0x"].concat());
    let decoded = session5(b"", b"", &[(0, &published), (1, b"\x50\x03\0\x07\x87")]).decode();
    assert_eq!(rows(&decoded, &["outcome", "reason", "pubcomp_frame"]), ["refused not_authorized -"]);
}

#[test]
fn an_enhanced_authentication_is_told_step_by_step() {
    let method = [&b"\x15"[..], &wire::text("SCRAM"), b"\x16\0\x06secret"].concat();
    let step = |code: u8| wire::packet(0xf0, &[&[code, method.len() as u8][..], &method].concat());
    let mut talk = Talk::new(1883);
    talk.handshake().send(0, ACK, &wire::connect5("x", &method));
    talk.send(1, ACK, &step(0x18)).send(0, ACK, &step(0x18)).send(1, ACK, CONNACK5);
    let decoded = talk.decode();
    assert_eq!(
        decoded.lines("mqtt", &["packet_type", "direction", "outcome", "reason"]),
        [
            "auth broker_to_client one_way continue_authentication",
            "auth client_to_broker answered success",
            "connect client_to_broker answered success",
        ]
    );
    assert_eq!(
        decoded.column("mqtt", "properties")[0],
        "[\"authentication_method=SCRAM\", \"authentication_data: 6 bytes\"]"
    );
}

#[test]
fn what_breaks_the_standard_is_an_anomaly_and_still_a_row() {
    for (bytes, kind) in [
        (&wire::publish("a/#", b"1")[..], "illegal_value"),
        (&wire::publish("", b"1"), "illegal_value"),
        (&wire::publish_id(0x32, "a/b", 0, b"1"), "malformed_message"),
        (&wire::packet(0x82, b"\0\x01\0\x03a/b\x07"), "malformed_message"),
        (b"\x20\x02\0\0", "reversed_roles"),
    ] {
        let decoded = session(&[(0, bytes)]).decode();
        assert_eq!(anomalies(&decoded), [kind], "{bytes:?}");
        assert_eq!(rows(&decoded, &["outcome"]), ["one_way"].repeat(rows(&decoded, &["outcome"]).len()));
    }
}

#[test]
fn an_answer_nobody_asked_for_is_an_orphan() {
    let decoded = session(&[(1, &wire::acknowledge(0x40, 9))]).decode();
    assert_eq!(rows(&decoded, &SHORT), ["puback broker_to_client orphan - 6"]);
    assert_eq!(anomalies(&decoded), ["orphan_response"]);
}

#[test]
fn an_answer_to_what_the_capture_lost_says_so_and_is_no_anomaly() {
    let mut talk = session(&[]);
    talk.send_unseen(0, ACK, &wire::publish_id(0x32, "a/b", 9, b"x"));
    talk.send(1, ACK, &wire::acknowledge(0x40, 9)).send(0, ACK, PINGREQ);
    talk.wait(61 * SECOND).send(1, ACK, &wire::acknowledge(0x40, 9));
    let decoded = talk.decode();
    let orphans = rows(&decoded, &["packet_type", "outcome", "after_gap"]);
    assert_eq!(orphans[..2], ["puback orphan true", "puback orphan false"], "{orphans:?}");
    assert_eq!(decoded.lines("anomalies", &["kind", "frame"]), ["orphan_response 8"]);
}

#[test]
fn what_is_never_answered_says_so_when_the_time_is_over() {
    let mut late = session(&[(0, &wire::publish_id(0x32, "a/b", 7, b"x"))]);
    late.wait(61 * SECOND).send(0, ACK, PINGREQ);
    assert_eq!(rows(&late.decode(), &["packet_type", "outcome"]), ["publish unanswered", "pingreq pending"]);
    let mut closed =
        session(&[(0, &wire::publish_id(0x34, "a/b", 7, b"x")), (1, &wire::acknowledge(0x50, 7))]);
    closed.send(1, ACK | FIN, b"").send(0, ACK | FIN, b"");
    closed.wait(200 * SECOND).ports = [40_001, 1883];
    closed.next = [1, 1];
    closed.send(0, support::SYN, b"");
    assert_eq!(rows(&closed.decode(), &["outcome", "response_frame"]), ["unanswered 7"]);
}

#[test]
fn a_release_of_an_earlier_connection_is_a_row_of_its_own() {
    let decoded = session(&[(0, &wire::acknowledge(0x62, 5)), (1, &wire::acknowledge(0x70, 5))]).decode();
    assert_eq!(rows(&decoded, &SHORT), ["pubrel client_to_broker answered 6 7"]);
    assert!(anomalies(&decoded).is_empty());
}

#[test]
fn the_connect_s_row_comes_when_it_is_answered() {
    let decoded = session(&[(0, &wire::publish("a/b", b"1"))]).decode();
    assert_eq!(decoded.column("mqtt", "packet_type"), ["connect", "publish"]);
}
