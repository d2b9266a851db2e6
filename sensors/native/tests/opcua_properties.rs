//! What holds for every OPC UA stream: segmentation says nothing, damage never panics, time grows with the bytes.

mod support;

use std::time::Duration;

use cpu_time::ThreadTime;

use proptest::collection::vec;
use proptest::prelude::*;
use support::opcua::{
    Ua, acknowledge, hello, node, open_request, open_response, read, request, response, secured, string,
    value, words, write, written,
};
use support::property::property;
use support::{ACK, Decoded, Talk, decode, pcap};

const SAID: [&str; 16] = [
    "message_type",
    "service",
    "outcome",
    "request_type",
    "response_type",
    "request_id",
    "session",
    "status",
    "nodes",
    "values_read",
    "values_written",
    "results",
    "request_chunks",
    "response_bytes",
    "detail",
    "after_gap",
];

fn said(decoded: &Decoded) -> Vec<String> {
    decoded.lines("opcua", &SAID)
}

/// A service call's two messages; some of them no service's.
fn call() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let name = "[a-zA-Z0-9äöü.]{0,20}";
    prop_oneof![
        (name, any::<u32>()).prop_map(|(name, number)| (read(&name), value(number))),
        (name, any::<u32>(), 0u32..4).prop_map(|(name, number, session)| {
            (write(&name, number, session), written(number & 0x8034_0000))
        }),
        (any::<u16>(), vec(any::<u8>(), 0..80)).prop_map(|(number, body)| {
            (request(u32::from(number), 1, &body), response(u32::from(number) + 3, 0, &body))
        }),
        (vec(any::<u8>(), 0..60), vec(any::<u8>(), 0..60)),
        // A variant of anything, in a response of Read.
        (vec(any::<u8>(), 0..120)).prop_map(|bytes| {
            (read("Pump1"), response(634, 0, &[&words(&[1])[..], &[1], &bytes].concat()))
        }),
    ]
}

/// Both streams of a conversation: opened, then calls in chunks, now and then noise.
fn conversation() -> impl Strategy<Value = [Vec<u8>; 2]> {
    let noise = prop_oneof![9 => Just(Vec::new()), 1 => vec(any::<u8>(), 1..30)];
    vec((call(), 1usize..60, noise), 1..10).prop_map(|calls| {
        let mut streams = [
            [hello("opc.tcp://plc1:4840"), open_request(51, 1)].concat(),
            [acknowledge(), open_response(51, 1)].concat(),
        ];
        let mut sequence = [51, 51];
        for (number, ((asked, answered), size, noise)) in calls.into_iter().enumerate() {
            for (side, message) in [asked, answered].iter().enumerate() {
                let parts: Vec<_> = message.chunks(size + 4).collect();
                for (place, part) in parts.iter().enumerate() {
                    sequence[side] += 1;
                    let word = if place + 1 == parts.len() { b"MSGF" } else { b"MSGC" };
                    streams[side].extend(secured(word, sequence[side], 2 + number as u32, part));
                }
                streams[side].extend(&noise);
            }
        }
        streams
    })
}

/// The streams cut into pieces of the given lengths, over and over.
fn told(streams: &[Vec<u8>; 2], lengths: &[usize]) -> Talk {
    let mut talk = Talk::new(4_840);
    talk.handshake();
    for (side, stream) in streams.iter().enumerate() {
        let mut rest = &stream[..];
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

/// A stream in frames of the given lengths, over and over: masked from the client (RFC 6455, 5.2).
fn framed(side: usize, stream: &[u8], lengths: &[usize]) -> Vec<u8> {
    let (mut rest, mut framed) = (stream, Vec::new());
    for (number, length) in lengths.iter().cycle().enumerate() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        let mask = if side == 0 { [number as u8, 7, 99, 200] } else { [0; 4] };
        let short = piece.len().min(126) as u8;
        framed.extend([0x82, if side == 0 { 0x80 | short } else { short }]);
        if short == 126 {
            framed.extend((piece.len() as u16).to_be_bytes());
        }
        if side == 0 {
            framed.extend(mask);
        }
        framed.extend(piece.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
        rest = after;
    }
    framed
}

proptest! {
    #![proptest_config(property(96))]

    #[test]
    fn any_split_of_the_same_streams_gives_the_same_transactions(
        streams in conversation(),
        lengths in vec(1usize..90, 1..6),
    ) {
        let whole = said(&told(&streams, &[60_000]).decode());
        prop_assert!(whole.len() > 2);
        prop_assert_eq!(said(&told(&streams, &lengths).decode()), whole);
    }

    #[test]
    fn frames_of_websocket_say_nothing(
        streams in conversation(),
        frames in vec(1usize..200, 1..6),
        lengths in vec(1usize..90, 1..6),
    ) {
        let ask = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: opcua+uacp\r\n\r\n";
        let agree = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        let mut talk = Talk::new(8_080);
        talk.handshake().send(0, ACK, ask).send(1, ACK, agree);
        for (side, stream) in streams.iter().enumerate() {
            let mut sent = framed(side, stream, &frames);
            for length in lengths.iter().cycle() {
                if sent.is_empty() {
                    break;
                }
                let rest = sent.split_off((*length).min(sent.len()));
                talk.send(side, ACK, &sent);
                sent = rest;
            }
        }
        prop_assert_eq!(said(&talk.decode()), said(&told(&streams, &[60_000]).decode()));
    }

    #[test]
    fn damage_and_loss_never_panic(
        streams in conversation(),
        lengths in vec(20usize..90, 1..4),
        flips in vec((any::<prop::sample::Index>(), 0u8..8), 1..6),
        lost in any::<prop::sample::Index>(),
    ) {
        let mut talk = told(&streams, &lengths);
        let clean = said(&talk.decode());
        prop_assert!(!clean.is_empty());
        for (index, bit) in &flips {
            let frame = index.index(talk.frames.len());
            let bytes = &mut talk.frames[frame].1;
            let at = 54 + index.index(bytes.len().saturating_sub(54).max(1));
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        let frame = lost.index(talk.frames.len());
        talk.frames.remove(frame);
        decode(&pcap(&talk.frames), &[]);
    }

    #[test]
    fn any_bytes_in_a_channel_never_panic(parts in vec((0usize..2, vec(any::<u8>(), 0..200)), 1..20)) {
        let mut ua = Ua::opened();
        for (number, (side, bytes)) in parts.iter().enumerate() {
            ua.send(*side, &secured(b"MSGF", 52 + number as u32, number as u32 / 2, bytes));
        }
        ua.decode();
    }
}

/// The shortest of some runs of decoding.
fn cost(capture: &[u8]) -> Duration {
    let run = || {
        let start = ThreadTime::now();
        decode(capture, &[]);
        start.elapsed()
    };
    (0..3).map(|_| run()).min().unwrap_or_default()
}

/// Four times the bytes may take four times as long and a little, not sixteen times.
fn grows_with_the_bytes(what: &str, capture: impl Fn(usize) -> Talk) {
    let (small, large) = (capture(1), capture(4));
    let (little, much) = (cost(&pcap(&small.frames)), cost(&pcap(&large.frames)));
    assert!(much < little * 10 + Duration::from_millis(20), "{what}: {little:?}, then {much:?}");
}

/// A conversation with one long stream of the client.
fn asking(stream: &[u8]) -> Talk {
    let mut ua = Ua::opened();
    for piece in stream.chunks(1_400) {
        ua.talk.send(0, ACK, piece);
    }
    ua.talk
}

#[test]
fn time_grows_with_the_bytes_of_many_chunks() {
    grows_with_the_bytes("tiny chunks of one message", |times| {
        let chunks: Vec<u8> =
            (0..4_000 * times as u32).flat_map(|number| secured(b"MSGC", 52 + number, 2, b"x")).collect();
        asking(&chunks)
    });
}

#[test]
fn time_grows_with_the_bytes_of_many_waiting_requests() {
    grows_with_the_bytes("requests without answers", |times| {
        let requests: Vec<u8> = (0..2_000 * times as u32)
            .flat_map(|number| secured(b"MSGF", 52 + number, 2 + number, &read("Pump1")))
            .collect();
        asking(&requests)
    });
}

#[test]
fn time_grows_with_the_bytes_of_noise() {
    grows_with_the_bytes("noise that looks like headers", |times| {
        asking(&b"MSGFMSGCOPNFxxHEL".repeat(8_000 * times))
    });
}

#[test]
fn time_grows_with_the_bytes_of_nested_values() {
    grows_with_the_bytes("values in values", |times| {
        // Each level holds an array of one value more deeply nested, up to the limit of the decoder.
        let deep = [[0x98, 1, 0, 0, 0].repeat(90), vec![3, 1]].concat();
        let one = [vec![1], deep].concat();
        let body = [words(&[(100 * times) as u32]), one.repeat(100 * times)].concat();
        let mut ua = Ua::opened();
        let id = ua.ask(&read("Pump1"));
        let bytes = ua.answered(id, &response(634, 0, &body));
        for piece in bytes.chunks(1_400) {
            ua.talk.send(1, ACK, piece);
        }
        ua.talk
    });
}

#[test]
fn time_grows_with_the_bytes_of_watched_nodes() {
    grows_with_the_bytes("subscriptions made and deleted", |times| {
        let mut ua = Ua::opened();
        for number in 0..200 * times as u32 {
            let item = [node("Pump1"), words(&[13, u32::MAX]), vec![0, 0], words(&[u32::MAX, 2])].concat();
            let wanted = [&words(&[number, 0, 0])[..], &[0, 0, 0], &words(&[1]), &[1]].concat();
            let items = [words(&[number, 2, 8]), [item, wanted].concat().repeat(8)].concat();
            let result = [words(&[0, 1, 0, 0, 1]), vec![0, 0, 0]].concat();
            let results = [words(&[8]), result.repeat(8), words(&[0])].concat();
            ua.call(&request(751, 1, &items), &response(754, 0, &results));
            ua.call(&request(847, 1, &words(&[1, number])), &response(850, 0, &words(&[1, 0, 0])));
        }
        ua.talk
    });
}

#[test]
fn time_grows_with_the_bytes_of_long_texts() {
    grows_with_the_bytes("a long name in every read", |times| {
        let name = string(&"x".repeat(1_000 * times));
        let long = [&[3, 2, 0][..], &name, &words(&[13, u32::MAX]), &[0, 0], &words(&[u32::MAX])].concat();
        let body = [words(&[0, 0, 0, 60]), long.repeat(60)].concat();
        let mut ua = Ua::opened();
        let (bytes, _) = ua.asked(&request(631, 1, &body));
        for piece in bytes.chunks(1_400) {
            ua.talk.send(0, ACK, piece);
        }
        ua.talk
    });
}
