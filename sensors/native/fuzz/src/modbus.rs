//! Any bytes as the two streams of a Modbus flow: pieces repeated, swapped, lost, acknowledged and cut.
//! The first exchange is a sound one, of RTU with the option 4, or there is none.

use super::conversation::{Conversation, Cut, Saying, hold};
use super::messages::Form;
use super::packets::{ACK, FIN, Segment};

const STEP_NS: i64 = 10_000_000;

/// Unit 1 is asked for one register, and says 42; checksums by Serial Line V1.02, 6.2.2.
const RTU: [Saying<'_>; 2] = [(0, &[1, 3, 0, 0, 0, 1, 0x84, 0x0a]), (1, &[1, 3, 2, 0, 42, 0x39, 0x9b])];

/// The same over TCP.
pub const TCP: [Saying<'_>; 2] =
    [(0, &[0, 9, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1]), (1, &[0, 9, 0, 0, 0, 5, 1, 3, 2, 0, 42])];

/// Options; then for each segment what happens to it, its length, its bytes.
pub const FORM: Form = Form { head: 1, start: 1, is_wide: false };

pub fn run(bytes: &[u8]) {
    let [options, rest @ ..] = bytes else { return };
    hold(bytes, |cut| converse(*options, rest, cut));
}

fn converse(options: u8, mut rest: &[u8], cut: Cut) -> Conversation {
    let port = if options & 1 == 0 { 502 } else { 5020 };
    let limits: &[_] = if options & 8 == 0 { &[] } else { &[("pending_limit", 3), ("reassembly_bytes", 96)] };
    let mut conversation = Conversation::new(limits, port, STEP_NS, cut);
    if options & 2 == 0 {
        conversation.open();
    }
    if options & 4 != 0 {
        conversation.greet(&RTU);
    } else if options & 16 == 0 {
        conversation.greet(&TCP);
    }
    while let [action, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = after;
        let side = usize::from(action & 1);
        if action & 0xfe == 0 {
            conversation.say(side, data);
            continue;
        }
        let (mine, theirs) = (conversation.next[side], conversation.next[1 - side]);
        let sequence = match action >> 4 {
            // Starts early or late: overlaps and holes.
            1 => mine.wrapping_sub(u32::from(*length) / 2),
            2 => mine.wrapping_add(u32::from(*length)),
            3 => mine.wrapping_add(1 << 20),
            4 => mine.wrapping_sub(1),
            _ => mine,
        };
        let acknowledgment = if action & 4 == 0 { theirs } else { theirs.wrapping_add(u32::from(*length)) };
        let flags = if action & 8 == 0 { ACK } else { ACK | FIN };
        conversation.segment_out_of_turn(&Segment { side, sequence, acknowledgment, flags, payload: data });
        // A lost one moves on too; a repeated one does not.
        if action & 2 == 0 {
            conversation.next[side] = mine.wrapping_add(data.len() as u32);
        }
    }
    conversation
}
