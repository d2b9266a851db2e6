//! Conversations of OPC UA whose chunks and headers are right and whose bodies are made of the pieces that bodies have,
//! in any order; with chunks split, lost and aborted, and raw bytes between them; over TCP and WebSocket.

mod body;

use super::conversation::{Conversation, Cut, hold};
use super::messages::Form;
use super::websocket::wrapped;
use body::{TYPES, body, service, string, words};

const CHANNEL: u32 = 7;

/// So small that every one is reached.
const LIMITS: [(&str, u64); 5] = [
    ("opcua_message_bytes", 200),
    ("opcua_message_chunks", 4),
    ("opcua_bytes_per_flow", 1_500),
    ("opcua_bytes", 2_000),
    ("pending_limit", 3),
];

const GET: &[u8] = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: opcua+uacp\r\n\r\n";
const SWITCHING: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: opcua+uacp\r\n\r\n";

const STEP_NS: i64 = 10_000_000;

/// Bytes of a segment.
const SEGMENT: usize = 1_400;

/// Options; then for each action what it is, its length, its bytes.
pub const FORM: Form = Form { head: 1, start: 1, is_wide: false };

pub fn run(bytes: &[u8]) {
    let [options, rest @ ..] = bytes else { return };
    hold(bytes, |cut| {
        let mut wire = Wire::new(*options, cut);
        wire.follow(rest);
        wire.conversation
    });
}

struct Wire {
    conversation: Conversation,
    sequence: [u32; 2],
    request: u32,
    /// Chunks are within frames.
    is_framed: bool,
}

impl Wire {
    fn new(options: u8, cut: Cut) -> Self {
        let port = if options & 1 == 0 { 4_840 } else { 50_000 };
        let limits: &[_] = if options & 32 == 0 { &[] } else { &LIMITS };
        let conversation = Conversation::new(limits, port, STEP_NS, cut);
        let is_framed = options & 64 != 0;
        let mut wire = Self { conversation, sequence: [1, 1], request: 1, is_framed };
        if options & 2 == 0 {
            wire.conversation.open();
        }
        // Or its upgrade is not there.
        if is_framed && options & 128 == 0 {
            wire.conversation.greet(&[(0, GET), (1, SWITCHING)]);
        }
        if options & 4 == 0 {
            wire.connect(usize::from(options >> 3 & 1), options & 16 != 0);
        }
        wire
    }

    /// A connection, and a channel under a policy.
    fn connect(&mut self, asker: usize, secure: bool) {
        let limits = words(&[0, 8_192, 8_192, 0, 0]);
        let hello = chunk(b"HELF", &[&limits[..], &string(b"opc.tcp://plc1:4840")].concat());
        let mut sayings = vec![(asker, hello), (1 - asker, chunk(b"ACKF", &limits))];
        for (side, bytes) in
            [(0, words(&[0, 0, 1, u32::MAX, 60_000])), (1, words(&[0, CHANNEL, 1, 0, 0, 60_000, 0]))]
        {
            let sender = if side == 0 { asker } else { 1 - asker };
            let clear = [words(&[u32::MAX, u32::MAX, 1, 1]), service(side, 446, 0), bytes].concat();
            let data = if secure { vec![0xff; 200] } else { clear };
            sayings.push((sender, opening(side, if secure { b"Basic256Sha256" } else { b"None" }, &data)));
        }
        let sayings: Vec<_> = sayings.iter().map(|(side, said)| (*side, self.framed(*side, said))).collect();
        let sayings: Vec<_> = sayings.iter().map(|(side, said)| (*side, &said[..])).collect();
        self.conversation.greet(&sayings);
    }

    fn follow(&mut self, mut rest: &[u8]) {
        while let [action, length, tail @ ..] = rest {
            let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
            self.act(*action, data);
            rest = after;
        }
    }

    fn act(&mut self, action: u8, data: &[u8]) {
        let side = usize::from(action & 1);
        let choice = data.first().copied().unwrap_or(0);
        let kind = TYPES[usize::from(choice & 31)];
        let made = [service(side, kind, action), body(data.get(1..).unwrap_or_default())].concat();
        let id = self.id(side, action >> 4);
        match action >> 1 & 7 {
            0 => self.send(side, data),
            1 => {
                let message = self.message(side, id, &made, usize::MAX);
                self.send(side, &message);
            }
            2 => {
                let message = self.message(side, id, &made, usize::from(action >> 4) * 4 + 3);
                self.send(side, &message);
            }
            3 => {
                let message = self.message(side, id, data, usize::MAX);
                self.send(side, &message);
            }
            4 => {
                let sequence = self.sequence[side];
                self.send(side, &secured(b"MSGA", sequence, id, data));
            }
            5 => {
                // A part of a message is lost, and its end is seen.
                let message = self.message(side, id, &made, 40);
                let (first, last) = message.split_at(message.len() / 2);
                let lost = usize::from(action >> 4).min(last.len());
                self.send(side, first);
                self.conversation.lose(side, &last[..lost]);
                self.conversation.say(1 - side, &[]);
                self.send(side, &last[lost..]);
            }
            6 => self.send(side, &opening(side, if action & 16 == 0 { b"None" } else { b"Basic256" }, data)),
            _ => {
                let word = [b"HELF", b"ACKF", b"ERRF", b"RHEF", b"CLOF", b"OPNF"][usize::from(choice) % 6];
                self.send(side, &chunk(word, data));
            }
        }
    }

    fn framed(&self, side: usize, chunk: &[u8]) -> Vec<u8> {
        if self.is_framed { wrapped(side, true, chunk) } else { chunk.to_vec() }
    }

    fn send(&mut self, side: usize, payload: &[u8]) {
        for piece in self.framed(side, payload).chunks(SEGMENT) {
            self.conversation.say(side, piece);
        }
    }

    /// A message in chunks of some bytes each.
    fn message(&mut self, side: usize, id: u32, body: &[u8], size: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let parts: Vec<_> = body.chunks(size.max(1)).collect();
        for (place, part) in parts.iter().enumerate() {
            self.sequence[side] = self.sequence[side].wrapping_add(1);
            let word = if place + 1 == parts.len() { b"MSGF" } else { b"MSGC" };
            bytes.extend(secured(word, self.sequence[side], id, part));
        }
        bytes
    }

    /// The identifier of a request, or of one that may wait.
    fn id(&mut self, side: usize, choice: u8) -> u32 {
        if side == 0 {
            self.request += 1;
            self.request
        } else {
            self.request.saturating_sub(u32::from(choice & 3))
        }
    }
}

fn chunk(word: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&word[..], &words(&[8 + body.len() as u32]), body].concat()
}

fn secured(word: &[u8; 4], sequence: u32, id: u32, bytes: &[u8]) -> Vec<u8> {
    chunk(word, &[&words(&[CHANNEL, 1, sequence, id])[..], bytes].concat())
}

fn opening(side: usize, policy: &[u8], data: &[u8]) -> Vec<u8> {
    let channel = if side == 0 { 0 } else { CHANNEL };
    let uri = [&b"http://opcfoundation.org/UA/SecurityPolicy#"[..], policy].concat();
    chunk(b"OPNF", &[&words(&[channel])[..], &string(&uri), data].concat())
}
