//! Any bytes as what two sides of a service say, over TCP or as datagrams; the first byte chooses the port.

use super::conversation::{Conversation, Cut};
use super::messages::Form;

/// In the order that `seeds/services.py` knows.
const PORTS: [u16; 30] = [
    49_000, 21, 22, 23, 25, 80, 88, 135, 389, 443, 445, 500, 514, 1194, 1433, 1701, 1723, 3306, 3389, 3478,
    4433, 4899, 5432, 5900, 5938, 5985, 21116, 41641, 51820, 4500,
];

/// So small that every one is reached.
const LIMITS: [(&str, u64); 2] = [("introduction_bytes", 600), ("reassembly_bytes", 600)];

const STEP_NS: i64 = 10_000_000;

/// Payload of the first datagrams of QUIC and of RDP over UDP.
const LONG: usize = 1_232;

/// Port and options; then for each piece who sends it and whether it is lost, its length, its bytes.
pub const FORM: Form = Form { head: 2, start: 1, is_wide: false };

pub fn run(bytes: &[u8]) {
    let [service, options, rest @ ..] = bytes else { return };
    let port = PORTS[usize::from(*service) % PORTS.len()];
    converse(port, *options, rest).finish();
}

fn converse(port: u16, options: u8, mut rest: &[u8]) -> Conversation {
    let datagrams = options & 1 != 0;
    let limits: &[_] = if options & 4 == 0 { &[] } else { &LIMITS };
    let mut conversation = Conversation::new(limits, port, STEP_NS, Cut::Whole);
    if !datagrams && options & 2 == 0 {
        conversation.open();
    }
    while let [action, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        let side = usize::from(action & 1);
        if datagrams {
            // A first datagram may have to be long.
            let mut payload = data.to_vec();
            payload.resize(if action & 8 == 0 { data.len() } else { LONG }, 0);
            conversation.datagram(side, &payload, 0);
        } else if action & 6 == 6 {
            conversation.lose(side, data);
        } else {
            conversation.say(side, data);
        }
        rest = after;
    }
    conversation
}
