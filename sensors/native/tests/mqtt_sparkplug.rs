//! Sparkplug B, as it comes out of captures (Sparkplug 3.0, chapters 4 to 6).

mod support;

#[path = "support/mqtt.rs"]
mod wire;

use support::{ACK, Decoded, Talk};
use wire::CONNACK;

/// A field of a Protocol Buffers message: number, wire type, value.
fn varint(number: u8, mut value: u64) -> Vec<u8> {
    let mut bytes = vec![number << 3];
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        bytes.push(if value > 0 { low | 0x80 } else { low });
        if value == 0 {
            return bytes;
        }
    }
}

/// The same, of bytes; numbers from 16 on take two bytes of tag.
fn bytes(number: u8, value: &[u8]) -> Vec<u8> {
    let mut field = if number < 16 { vec![number << 3 | 2] } else { vec![(number << 3 | 2) | 0x80, 1] };
    let length = varint(0, value.len() as u64);
    field.extend(&length[1..]);
    field.extend(value);
    field
}

/// A metric with a name, perhaps an alias, a datatype and its value's field.
fn metric(name: &str, alias: Option<u64>, datatype: Option<u64>, value: &[u8]) -> Vec<u8> {
    let mut inside = if name.is_empty() { Vec::new() } else { bytes(1, name.as_bytes()) };
    inside.extend(alias.map(|alias| varint(2, alias)).unwrap_or_default());
    inside.extend(datatype.map(|datatype| varint(4, datatype)).unwrap_or_default());
    inside.extend(value);
    bytes(2, &inside)
}

fn double(value: f64) -> Vec<u8> {
    [&[13 << 3 | 1][..], &value.to_le_bytes()].concat()
}

fn payload(seq: Option<u64>, metrics: &[Vec<u8>]) -> Vec<u8> {
    let mut inside = varint(1, 1_700_000_000_000);
    inside.extend(metrics.concat());
    inside.extend(seq.map(|seq| varint(3, seq)).unwrap_or_default());
    inside
}

/// What an edge node publishes, then what the broker sends it.
fn edge(said: &[(usize, &str, Vec<u8>)]) -> Decoded {
    let mut talk = Talk::new(1883);
    talk.handshake().send(0, ACK, &wire::connect("edge")).send(1, ACK, CONNACK);
    for (side, topic, payload) in said {
        talk.send(*side, ACK, &wire::publish(topic, payload));
    }
    talk.decode()
}

fn rows(decoded: &Decoded, columns: &[&str]) -> Vec<String> {
    decoded.lines("mqtt", columns)[1..].to_vec()
}

fn nbirth(seq: u64) -> (usize, &'static str, Vec<u8>) {
    let metrics = [
        metric("bdSeq", None, Some(8), &varint(11, 4)),
        metric("Speed", Some(1), Some(10), &double(7.5)),
        metric("Level", Some(2), Some(3), &varint(10, 0xffff_ffff)),
        metric("Properties/Hardware Make", None, Some(12), &bytes(15, b"Acme")),
    ];
    (0, "spBv1.0/mine/NBIRTH/shaft", payload(Some(seq), &metrics))
}

#[test]
fn a_birth_names_its_metrics_and_data_is_told_by_alias() {
    let data = payload(Some(1), &[metric("", Some(2), None, &varint(10, 0xffff_fffe))]);
    let decoded = edge(&[nbirth(0), (0, "spBv1.0/mine/NDATA/shaft", data)]);
    assert_eq!(
        rows(
            &decoded,
            &["sparkplug_type", "sparkplug_seq", "sparkplug_bd_seq", "metric_count", "payload_kind"]
        ),
        ["nbirth 0 4 4 sparkplug_b", "ndata 1 - 1 sparkplug_b"]
    );
    assert_eq!(
        rows(&decoded, &["metric_names", "metric_types", "metric_values"]),
        [
            "[\"bdSeq\", \"Speed\", \"Level\", \"Properties/Hardware Make\"] [\"UInt64\", \"Double\", \"Int32\", \"String\"] [\"4\", \"7.5\", \"-1\", \"Acme\"]",
            "[\"Level\"] [\"Int32\"] [\"-2\"]",
        ]
    );
    assert_eq!(rows(&decoded, &["sparkplug_ts"])[0], "1700000000000000000");
    assert!(decoded.column("anomalies", "kind").is_empty());
    let told = decoded.lines("observations", &["kind", "value"]);
    assert!(told.contains(&"vendor Acme".to_owned()), "{told:?}");
    assert!(told.contains(&"role Sparkplug edge node".to_owned()), "{told:?}");
}

#[test]
fn a_command_says_what_it_writes_and_where() {
    let birth = payload(Some(1), &[metric("Setpoint", Some(9), Some(9), &[12 << 3 | 5, 0, 0, 0, 0])]);
    let value = [&[12 << 3 | 5][..], &42.5f32.to_le_bytes()].concat();
    let decoded = edge(&[
        nbirth(0),
        (0, "spBv1.0/mine/DBIRTH/shaft/pump", birth),
        (1, "spBv1.0/mine/DCMD/shaft/pump", payload(None, &[metric("", Some(9), None, &value)])),
        (
            1,
            "spBv1.0/mine/NCMD/shaft",
            payload(None, &[metric("Node Control/Rebirth", None, Some(11), &varint(14, 1))]),
        ),
        (
            1,
            "spBv1.0/mine/NCMD/shaft",
            payload(None, &[metric("Node Control/Reboot", None, Some(11), &varint(14, 1))]),
        ),
    ]);
    assert_eq!(
        rows(&decoded, &["sparkplug_type", "direction", "operation_class", "detail"])[2..],
        [
            "dcmd broker_to_client write DCMD writes Setpoint = 42.5 to mine/shaft/pump",
            "ncmd broker_to_client write rebirth of mine/shaft requested",
            "ncmd broker_to_client restart NCMD writes Node Control/Reboot = true to mine/shaft",
        ]
    );
    assert_eq!(rows(&decoded, &["sparkplug_device"])[2], "pump");
    assert_eq!(rows(&decoded, &["operation_class"])[0], "session");
}

#[test]
fn an_alias_settled_on_another_connection_is_known_too() {
    let mut node = Talk::new(1883);
    node.handshake().send(0, ACK, &wire::connect("edge")).send(1, ACK, CONNACK);
    node.send(0, ACK, &wire::publish(nbirth(0).1, &nbirth(0).2));
    let mut host = Talk::new(1883);
    host.ports[0] = 41_000;
    host.wait(support::SECOND).handshake().send(0, ACK, &wire::connect("scada")).send(1, ACK, CONNACK);
    let command = payload(None, &[metric("", Some(1), None, &double(9.5))]);
    host.send(0, ACK, &wire::publish("spBv1.0/mine/NCMD/shaft", &command));
    let decoded = support::decode(&support::pcap(&[node.frames, host.frames].concat()), &[]);
    assert!(decoded.column("mqtt", "detail").contains(&"NCMD writes Speed = 9.5 to mine/shaft".to_owned()));
}

#[test]
fn an_alias_that_nobody_settled_stays_a_number() {
    let decoded = edge(&[(
        0,
        "spBv1.0/mine/NDATA/shaft",
        payload(Some(1), &[metric("", Some(3), None, &varint(10, 5))]),
    )]);
    assert_eq!(
        rows(&decoded, &["metric_names", "metric_types", "metric_values"]),
        ["[\"alias 3\"] [\"\"] [\"5\"]"]
    );
}

#[test]
fn a_missing_number_is_an_anomaly_and_the_round_from_255_is_none() {
    let data = |seq| (0, "spBv1.0/mine/NDATA/shaft", payload(Some(seq), &[]));
    let decoded = edge(&[nbirth(254), data(255), data(0), data(2)]);
    assert_eq!(decoded.column("anomalies", "kind"), ["sequence_gap"]);
    assert_eq!(
        decoded.column("anomalies", "detail"),
        ["edge node shaft: seq 2 where 1 was due (Sparkplug 3.0, 6.4)"]
    );
    // A subscriber may have asked for a part.
    let down = |seq| (1, "spBv1.0/mine/NDATA/shaft", payload(Some(seq), &[]));
    assert!(edge(&[down(1), down(5)]).column("anomalies", "kind").is_empty());
}

#[test]
fn a_birth_has_the_number_of_the_will() {
    let will = payload(None, &[metric("bdSeq", None, Some(8), &varint(11, 3))]);
    let body = [
        &b"\0\x04MQTT\x04\x06\0\x1e"[..],
        &wire::text("edge"),
        &wire::text("spBv1.0/mine/NDEATH/shaft"),
        &(will.len() as u16).to_be_bytes(),
        &will,
    ]
    .concat();
    let mut talk = Talk::new(1883);
    talk.handshake().send(0, ACK, &wire::packet(0x10, &body)).send(1, ACK, CONNACK);
    talk.send(0, ACK, &wire::publish(nbirth(0).1, &nbirth(0).2));
    let decoded = talk.decode();
    assert_eq!(decoded.column("mqtt", "detail")[0], "will is an NDEATH with bdSeq 3");
    assert_eq!(decoded.column("anomalies", "kind"), ["sequence_gap"]);
}

#[test]
fn a_host_s_state_of_both_generations() {
    let decoded = edge(&[
        (0, "spBv1.0/STATE/scada", b"{\"online\": true, \"timestamp\": 1}".to_vec()),
        (0, "STATE/scada", b"OFFLINE".to_vec()),
    ]);
    assert_eq!(
        rows(
            &decoded,
            &["sparkplug_type", "sparkplug_node", "metric_names", "metric_values", "payload_kind"]
        ),
        ["state scada [\"online\"] [\"true\"] json", "state scada [\"online\"] [\"false\"] text"]
    );
}

#[test]
fn what_is_no_payload_is_an_anomaly_and_what_was_read_stays() {
    let mut broken = payload(Some(1), &[metric("Speed", None, Some(10), &double(1.0))]);
    broken.extend([0xff, 0xff]);
    let decoded = edge(&[(0, "spBv1.0/mine/NDATA/shaft", broken)]);
    assert_eq!(rows(&decoded, &["metric_names"]), ["[\"Speed\"]"]);
    assert_eq!(decoded.column("anomalies", "kind"), ["malformed_message"]);
}

#[test]
fn of_many_metrics_the_first_are_listed_and_all_are_counted() {
    let many: Vec<_> =
        (0..500).map(|number| metric(&format!("m{number}"), None, Some(3), &varint(10, number))).collect();
    let decoded = edge(&[(0, "spBv1.0/mine/NDATA/shaft", payload(Some(1), &many))]);
    assert_eq!(rows(&decoded, &["metric_count"]), ["500"]);
    assert_eq!(rows(&decoded, &["metric_names"])[0].matches(", ").count(), 127);
}

#[test]
fn a_payload_that_was_cut_says_so() {
    let many: Vec<_> =
        (0..50).map(|number| metric(&format!("m{number}"), None, Some(3), &varint(10, number))).collect();
    let mut talk = Talk::new(1883);
    talk.handshake().send(0, ACK, &wire::connect("edge")).send(1, ACK, CONNACK);
    talk.send(0, ACK, &wire::publish("spBv1.0/mine/NDATA/shaft", &payload(Some(1), &many)));
    let decoded = talk.decode_within(&[("mqtt_packet_bytes", 200)]);
    let detail = &rows(&decoded, &["detail"])[0];
    assert!(detail.starts_with("only 174 bytes of the payload were read"), "{detail}");
    assert!(decoded.column("anomalies", "kind").is_empty());
}

#[test]
fn a_flood_of_made_up_edge_nodes_does_not_take_the_names_of_one_that_speaks() {
    let birth = payload(Some(0), &[metric("Speed", Some(7), Some(10), &double(1.0))]);
    let data = payload(Some(1), &[metric("", Some(7), None, &double(2.0))]);
    let mut talk = Talk::new(1883);
    talk.handshake().send(0, ACK, &wire::connect("edge")).send(1, ACK, CONNACK);
    for (kind, payload) in [("NBIRTH", &birth), ("NDATA", &data)] {
        talk.send(0, ACK, &wire::publish(&format!("spBv1.0/mine/{kind}/shaft"), payload));
    }
    for number in 0..200 {
        talk.send(0, ACK, &wire::publish(&format!("spBv1.0/mine/NBIRTH/made-up-{number}"), &birth));
    }
    for node in ["shaft", "made-up-0", "made-up-199"] {
        talk.send(0, ACK, &wire::publish(&format!("spBv1.0/mine/NDATA/{node}"), &data));
    }
    for (limit, first) in [(33_554_432, "Speed"), (16_384, "alias 7")] {
        let decoded = talk.decode_within(&[("sparkplug_bytes", limit)]);
        let names = rows(&decoded, &["metric_names"]);
        let last: Vec<_> = names[names.len() - 3..].iter().map(|names| &names[2..names.len() - 2]).collect();
        assert_eq!(last, ["Speed", first, "Speed"], "{limit}");
        assert_eq!(decoded.sum("coverage", "evicted_messages") > 0, first != "Speed");
    }
}
