//! Conversations of MQTT whose packets have the right lengths and the wrong contents, over TCP and WebSocket, with
//! bytes that are lost, and Sparkplug inside. An input says which packets they are and of which fields they are made.

mod fields;

use super::conversation::{Conversation, Cut, Saying, hold};
use super::messages::Form;
use super::websocket::wrapped;
use fields::{TOPICS, fields, remaining_length};

const GET: &[u8] = b"GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

/// CONNECT and CONNACK of 3.1.1, and of 5.
const GREETING: (&[u8], &[u8]) = (b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c", b"\x20\x02\0\0");
const GREETING_5: (&[u8], &[u8]) = (b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01c", b"\x20\x03\0\0\0");

const LIMITS: [(&str, u64); 4] =
    [("mqtt_held_bytes", 2_000), ("sparkplug_bytes", 3_000), ("mqtt_packet_bytes", 40), ("pending_limit", 3)];

const STEP_NS: i64 = 1_000_000_000;

/// Options; then for each packet what happens to it and its type, its length, its bytes.
pub const FORM: Form = Form { head: 1, start: 1, is_wide: false };

pub fn run(bytes: &[u8]) {
    let [options, rest @ ..] = bytes else { return };
    hold(bytes, |cut| converse(*options, rest, cut));
}

fn converse(options: u8, mut rest: &[u8], cut: Cut) -> Conversation {
    let port = if options & 1 == 0 { 1883 } else { 20_001 };
    let (newer, websocket) = (options & 2 != 0, options & 8 != 0);
    let limits: &[_] = if options & 16 == 0 { &[] } else { &LIMITS };
    let mut conversation = Conversation::new(limits, port, STEP_NS, cut);
    if options & 4 == 0 {
        conversation.open();
    }
    // Over WebSocket, without a greeting: its upgrade is not there.
    if websocket && options & 64 == 0 {
        let greeting: [Saying<'_>; 2] = [(0, GET), (1, SWITCHING)];
        conversation.greet_in_pieces(&greeting);
    } else if options & 64 == 0 {
        let (connect, connack) = if newer { GREETING_5 } else { GREETING };
        conversation.greet(&[(0, connect), (1, connack)]);
    }
    while let [action, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = after;
        let side = usize::from(action & 1);
        let mut sent = made(action >> 4, newer, data);
        if websocket {
            sent = wrapped(side, *action & 4 == 0, &sent);
        }
        // A part of it may be lost: none, its start, its end, all.
        let lost = if options & 32 == 0 { 0 } else { action >> 1 & 3 };
        if lost == 0 {
            conversation.say(side, &sent);
            continue;
        }
        let (start, end) = sent.split_at(sent.len() / 2);
        for (part, is_lost) in [(start, lost & 1 != 0), (end, lost & 2 != 0)] {
            if is_lost {
                conversation.lose(side, part);
            } else {
                conversation.say(side, part);
            }
        }
    }
    conversation
}

/// A packet with a remaining length that is true.
fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    [&[first][..], &remaining_length(body.len()), body].concat()
}

/// The packet that a type and some bytes make; type 0 is the bytes themselves.
fn made(kind: u8, newer: bool, data: &[u8]) -> Vec<u8> {
    let choice = data.first().copied().unwrap_or(0);
    let rest = data.get(1..).unwrap_or_default();
    match kind {
        0 => data.to_vec(),
        1 => {
            let level = if newer { 5 } else { 4 };
            let start = [&b"\0\x04MQTT"[..], &[level, choice, 0, 60]].concat();
            packet(0x10, &[start, fields(rest)].concat())
        }
        3 => {
            let topic = TOPICS[usize::from(choice >> 4) % TOPICS.len()];
            let length = (topic.len() as u16).to_be_bytes();
            packet(0x30 | choice & 0x0f, &[&length[..], topic, &fields(rest)].concat())
        }
        6 | 8 | 10 => packet(kind << 4 | 2, &fields(data)),
        _ => packet(kind << 4, &fields(data)),
    }
}
