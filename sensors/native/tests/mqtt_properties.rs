//! What holds for every MQTT stream: its cuts say nothing, damage never panics, time grows with the bytes.

mod support;

#[path = "support/mqtt.rs"]
mod wire;

use std::time::Duration;

use cpu_time::ThreadTime;

use proptest::collection::vec;
use proptest::prelude::*;
use support::property::property;
use support::{ACK, Decoded, Talk, decode, pcap};
use wire::{CONNACK, PINGREQ, PINGRESP};

const SAID: [&str; 16] = [
    "packet_type",
    "direction",
    "version",
    "outcome",
    "reason",
    "topic",
    "qos",
    "retries",
    "packet_id",
    "payload_bytes",
    "payload_kind",
    "filters",
    "granted",
    "properties",
    "metric_names",
    "detail",
];

fn said(decoded: &Decoded) -> Vec<String> {
    let mut rows = decoded.lines("mqtt", &SAID);
    // Answers of one side and packets of the other may come in another order.
    rows.sort();
    rows
}

/// A packet of the client and what the broker says after it.
fn exchange() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let topic = "[a-z]{1,8}(/[a-z]{1,8}){0,2}|spBv1.0/g/NDATA/n";
    let noise = prop_oneof![12 => Just(Vec::new()), 1 => vec(any::<u8>(), 1..30)];
    let packets = prop_oneof![
        (topic, vec(any::<u8>(), 0..200))
            .prop_map(|(topic, payload)| { (wire::publish(&topic, &payload), Vec::new()) }),
        (topic, vec(any::<u8>(), 0..80))
            .prop_map(|(topic, payload)| { (Vec::new(), wire::publish(&topic, &payload)) }),
        (topic, 1u16..9, vec(any::<u8>(), 0..80), any::<bool>()).prop_map(|(topic, id, payload, dup)| {
            let first = if dup { 0x3a } else { 0x32 };
            (wire::publish_id(first, &topic, id, &payload), wire::acknowledge(0x40, id))
        }),
        (topic, 1u16..9).prop_map(|(topic, id)| {
            let sent = [wire::publish_id(0x34, &topic, id, b"x"), wire::acknowledge(0x62, id)].concat();
            (sent, [wire::acknowledge(0x50, id), wire::acknowledge(0x70, id)].concat())
        }),
        (topic, 1u16..9, 0u8..3).prop_map(|(topic, id, qos)| {
            (wire::subscribe(id, &[(&topic, qos)]), wire::suback(id, &[qos]))
        }),
        Just((PINGREQ.to_vec(), PINGRESP.to_vec())),
        (0u8..16, vec(any::<u8>(), 0..40))
            .prop_map(|(kind, body)| (wire::packet(kind << 4, &body), Vec::new())),
    ];
    (packets, noise).prop_map(|((sent, answered), noise)| ([noise, sent].concat(), answered))
}

/// Both streams of a connection, with or without its CONNECT.
fn conversation() -> impl Strategy<Value = [Vec<u8>; 2]> {
    (0u8..3, vec(exchange(), 1..10)).prop_map(|(start, exchanges)| {
        let (mut sent, mut answered) = match start {
            0 => (Vec::new(), Vec::new()),
            1 => (wire::connect("a"), CONNACK.to_vec()),
            _ => (wire::connect5("a", b"\x22\0\x05"), b"\x20\x06\0\0\x03\x22\0\x05".to_vec()),
        };
        for (packets, answers) in exchanges {
            sent.extend(packets);
            answered.extend(answers);
        }
        [sent, answered]
    })
}

/// The streams in pieces of the given lengths, over and over: all of the client's first.
fn told(streams: &[Vec<u8>; 2], lengths: &[usize], port: u16) -> Talk {
    let mut talk = Talk::new(port);
    talk.handshake();
    for (side, stream) in streams.iter().enumerate() {
        let mut rest = stream.as_slice();
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*length).min(rest.len()));
            talk.send(side, ACK, piece);
            rest = after;
        }
    }
    talk
}

proptest! {
    #![proptest_config(property(128))]

    #[test]
    fn any_split_of_the_same_streams_gives_the_same_rows(
        streams in conversation(),
        lengths in vec(1usize..90, 1..6),
    ) {
        // A connection from its start: in the middle of one, what is recognised first depends on its pieces.
        let [sent, answered] = streams;
        let streams = [[wire::connect("first"), sent].concat(), answered];
        let whole = told(&streams, &[60_000], 1883).decode();
        prop_assert_eq!(said(&told(&streams, &lengths, 1883).decode()), said(&whole));
    }

    #[test]
    fn frames_of_websocket_with_anything_in_them_are_no_mqtt(
        said in vec((0usize..2, vec(any::<u8>(), 0..120)), 1..12),
        loose in any::<bool>(),
    ) {
        let mut talk = Talk::new(9001);
        for (at, (side, payload)) in said.iter().enumerate() {
            let mut bytes = vec![0x82, payload.len() as u8 | if *side == 0 { 0x80 } else { 0 }];
            // Loose bytes behind the opcode, or a frame that is one.
            if !loose && *side == 0 {
                bytes.extend([at as u8, 7, 99, 200]);
            }
            bytes.extend(payload);
            talk.send(*side, ACK, &bytes);
        }
        let decoded = talk.decode();
        prop_assert!(decoded.column("mqtt", "topic").is_empty());
        prop_assert!(!decoded.column("flows", "service").contains(&"mqtt".to_owned()));
    }

    #[test]
    fn of_a_connection_over_websocket_whose_upgrade_is_not_there_the_packets_are_the_same(
        topics in vec("[a-z]{3,8}(/[a-z]{1,8}){0,2}", 5..20),
        masks in vec(any::<[u8; 4]>(), 20),
        sizes in vec(0usize..300, 20),
    ) {
        let mut talk = Talk::new(9001);
        for ((at, topic), mask) in topics.iter().enumerate().zip(&masks) {
            let packet = wire::publish(topic, &vec![b'x'; sizes[at]]);
            let length = match packet.len() {
                short @ ..126 => vec![0x80 | short as u8],
                long => [&[0xfe][..], &(long as u16).to_be_bytes()].concat(),
            };
            let masked = packet.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]);
            talk.send(0, ACK, &[&[0x82][..], &length, mask, &masked.collect::<Vec<_>>()].concat());
        }
        let decoded = talk.decode();
        prop_assert_eq!(decoded.column("mqtt", "topic"), topics);
        prop_assert_eq!(decoded.lines("flows", &["service", "confidence"]), ["mqtt structure"]);
    }

    #[test]
    fn a_websocket_s_frames_say_nothing(streams in conversation(), lengths in vec(1usize..60, 1..6)) {
        let mut plain = Talk::new(9001);
        plain.handshake().send(0, ACK, &wire::connect("first"));
        let mut talk = Talk::new(9001);
        talk.handshake().send(0, ACK, b"GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
        talk.send(1, ACK, b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
        let mask = [1, 2, 3, 4];
        let framed = |side: usize, piece: &[u8]| -> Vec<u8> {
            if side == 1 {
                return [&[0x82, piece.len() as u8][..], piece].concat();
            }
            let masked: Vec<u8> = piece.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]).collect();
            [&[0x82, 0x80 | piece.len() as u8][..], &mask, &masked].concat()
        };
        talk.send(0, ACK, &framed(0, &wire::connect("first")));
        for (side, stream) in streams.iter().enumerate() {
            plain.send(side, ACK, stream);
            let mut rest = stream.as_slice();
            for (at, length) in lengths.iter().cycle().enumerate() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at((*length).min(rest.len()));
                let bytes = framed(side, piece);
                // Frames and segments are cut at different places.
                let cut = (at * 7 + 3) % bytes.len();
                talk.send(side, ACK, &bytes[..cut]);
                talk.send(side, ACK, &bytes[cut..]);
                rest = after;
            }
        }
        prop_assert_eq!(said(&talk.decode()), said(&plain.decode()));
    }

    #[test]
    fn flipped_bits_never_panic_and_every_byte_held_is_given_back(
        streams in conversation(),
        lengths in vec(1usize..90, 1..6),
        flips in vec((any::<prop::sample::Index>(), 0u8..8), 1..6),
        lost in vec(any::<prop::sample::Index>(), 0..3),
        port in prop_oneof![Just(1883u16), Just(20_001)],
    ) {
        let mut frames = told(&streams, &lengths, port).frames;
        for index in &lost {
            frames.remove(index.index(frames.len()));
        }
        let mut bytes = pcap(&frames);
        for (index, bit) in &flips {
            let at = 24 + index.index(bytes.len() - 24);
            bytes[at] ^= 1 << bit;
        }
        let decoded = decode(&bytes, &[]);
        prop_assert_eq!(decoded.decoder.counts().mqtt_held_bytes, 0);
    }

    #[test]
    fn cut_at_any_byte_the_packets_before_it_stay(streams in conversation(), cut in any::<prop::sample::Index>()) {
        let [sent, _] = &streams;
        let whole = [&wire::connect("first")[..], sent].concat();
        let cut = cut.index(whole.len().max(1));
        let one = |bytes: &[u8]| -> usize {
            let mut talk = Talk::new(1883);
            talk.handshake().send(0, ACK, bytes);
            talk.decode().decoder.counts().mqtt_packets.iter().sum::<u64>() as usize
        };
        prop_assert!(one(&whole[..cut]) <= one(&whole));
    }
}

/// A stream of about so many bytes, and what it is hostile by.
type Hostile = (&'static str, Box<dyn Fn(usize) -> Vec<u8>>);

/// How long a stream takes, in segments of 1,400 bytes.
fn time(stream: &[u8]) -> Duration {
    let mut talk = Talk::new(1883);
    talk.handshake().send(0, ACK, &wire::connect5("a", b"")).send(1, ACK, b"\x20\x06\0\0\x03\x22\xff\xff");
    for piece in stream.chunks(1_400) {
        talk.send(0, ACK, piece);
    }
    let bytes = pcap(&talk.frames);
    (0..2)
        .map(|_| {
            let start = ThreadTime::now();
            decode(&bytes, &[]);
            start.elapsed()
        })
        .min()
        .unwrap()
}

#[test]
fn time_grows_with_the_bytes_and_no_faster() {
    let hostile: Vec<Hostile> = vec![
        ("pings", Box::new(|size| PINGREQ.repeat(size / 2))),
        (
            "orphans",
            Box::new(|size| (0..size / 4).flat_map(|id| wire::acknowledge(0x40, id as u16 | 1)).collect()),
        ),
        (
            "waiting",
            Box::new(|size| {
                (0..size / 12)
                    .flat_map(|id| wire::packet(0x32, &[0, 1, b'a', (id >> 8) as u8, id as u8 | 1, 0]))
                    .collect()
            }),
        ),
        (
            "aliases",
            Box::new(|size| {
                (0..size / 12)
                    .flat_map(|id| wire::publish5("ab", &[0x23, (id >> 8) as u8, id as u8], b""))
                    .collect()
            }),
        ),
        ("no header", Box::new(|size| vec![0; size])),
        ("starts of topics", Box::new(|size| b"\x30\x7f\0\x7daaa".repeat(size / 7))),
        ("short of a packet", Box::new(|size| [&[0][..], &b"\x40\x02\0\x01\xff".repeat(size / 5)].concat())),
        (
            "filters",
            Box::new(|size| wire::packet(0x82, &[&[0, 1, 0][..], &b"\0\x01a\0".repeat(size / 4)].concat())),
        ),
        (
            "metrics",
            Box::new(|size| {
                let metrics = b"\x12\x04\x0a\0\x10\x01".repeat(size.min(60_000) / 6);
                wire::publish5("spBv1.0/g/NBIRTH/n", b"", &metrics).repeat(size.div_ceil(60_000))
            }),
        ),
        (
            "user properties",
            Box::new(|size| {
                let properties = b"\x26\0\0\0\0".repeat(20);
                wire::publish5("a/b", &properties, b"").repeat(size / 108)
            }),
        ),
    ];
    for (name, make) in hostile {
        let (short, long) = (time(&make(12_000)), time(&make(120_000)));
        let ratio = long.as_secs_f64() / short.as_secs_f64().max(0.000_5);
        assert!(
            ratio < 40.0,
            "{name}: ten times the bytes take {ratio:.1} times as long ({short:?}, {long:?})"
        );
    }
}
