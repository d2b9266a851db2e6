//! Any bytes as a conversation of a protocol whose operations are read: over TCP, over UDP, or without IP.
//!
//! The first byte chooses the protocol by its port or Ethernet type, and how its streams are treated.

use super::conversation::{Conversation, Cut, Saying, hold};
use super::messages::Form;
use super::packets::ETHERNET;

const TCP_PORTS: [u16; 11] =
    [102, 2_404, 5_007, 5_094, 9_600, 11_740, 18_245, 20_000, 44_818, 48_898, 40_001];
const UDP_PORTS: [u16; 9] = [2_222, 4_840, 5_007, 5_094, 9_600, 20_000, 34_964, 44_818, 47_808];
const TYPES: [u16; 4] = [0x8892, 0x88b8, 0x88ba, 0x88a4];

/// So small that every one is reached.
const LIMITS: [(&str, u64); 3] =
    [("operations_pending", 3), ("operations_pending_all", 5), ("operation_bytes", 48)];

/// What a few protocols begin with, by port: S7comm's connection (RFC 905, 13.3 and 13.4), IEC 60870-5-104's STARTDT,
/// EtherNet/IP's session.
const GREETINGS: [(u16, [Saying<'_>; 2]); 3] = [
    (
        102,
        [
            (0, b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02"),
            (1, b"\x03\0\0\x16\x11\xd0\0\x01\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02"),
        ],
    ),
    (2_404, [(0, b"\x68\x04\x07\0\0\0"), (1, b"\x68\x04\x0b\0\0\0")]),
    (44_818, [(0, &registration(0)), (1, &registration(7))]),
];

/// RegisterSession, or its answer with a session.
const fn registration(session: u8) -> [u8; 28] {
    let mut bytes = [0; 28];
    (bytes[0], bytes[2], bytes[4], bytes[24]) = (0x65, 4, session, 1);
    bytes
}

const STEP_NS: i64 = 700_000_000;

/// The protocol; then for each message who sends it and what becomes of it, its length, its bytes.
pub const FORM: Form = Form { head: 1, start: 1, is_wide: false };

pub fn run(bytes: &[u8]) {
    let [choice, rest @ ..] = bytes else { return };
    hold(bytes, |cut| converse(*choice, rest, cut));
}

fn converse(choice: u8, mut rest: &[u8], cut: Cut) -> Conversation {
    let limits: &[_] = if choice & 0x80 == 0 { &[] } else { &LIMITS };
    let which = usize::from(choice & 0x1f);
    let over_tcp = TCP_PORTS.get(which).copied();
    let over_udp = which.checked_sub(TCP_PORTS.len()).and_then(|place| UDP_PORTS.get(place)).copied();
    let port = over_tcp.or(over_udp).unwrap_or_default();
    let mut conversation = Conversation::new(limits, port, STEP_NS, cut);
    if over_tcp.is_some() && choice & 0x40 == 0 {
        conversation.open();
        if let Some((_, greeting)) = GREETINGS.iter().find(|(of, _)| *of == port) {
            conversation.greet(greeting);
        }
    }
    while let [action, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = after;
        let side = action & 1;
        if over_tcp.is_some() {
            if action & 2 == 0 {
                conversation.say(usize::from(side), data);
            } else {
                conversation.lose(usize::from(side), data);
            }
        } else if over_udp.is_some() {
            conversation.datagram(usize::from(side), data, 0);
        } else {
            let mut frame = vec![2, 0, 0, 0, 0, side, 2, 0, 0, 0, 0, 1 - side];
            frame.extend(TYPES[which % TYPES.len()].to_be_bytes());
            frame.extend(data);
            conversation.frame(ETHERNET, &frame);
        }
    }
    conversation
}
