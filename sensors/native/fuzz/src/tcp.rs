//! Two streams of Modbus whose segments come out of order, overlap, are repeated, with other bytes or the same.
//!
//! A model holds what each stream is: of every byte the first that came. Where all of them came, what is read has to be
//! what is read of that stream in order; where no byte came twice as two, no conflict may be told.

use super::conversation::{Conversation, Cut};
use super::messages::Form;
use super::modbus;
use super::packets::{ACK, Segment};
use super::watched::assert_same;

const PORT: u16 = 502;
const STEP_NS: i64 = 100_000;

/// Bytes of one stream: less than what is held behind a hole, in fewer pieces.
const STREAM: usize = 2_048;
const SEGMENTS: usize = 100;

/// So small that every one is reached.
const LIMITS: [(&str, u64); 3] =
    [("reassembly_bytes_per_flow", 700), ("reassembly_bytes", 900), ("reassembly_pieces", 5)];

/// Options; then for each segment what happens to it, its length, its bytes.
pub const FORM: Form = Form { head: 1, start: 1, is_wide: false };

/// A segment as it is seen: its place in the stream and its bytes.
struct Seen {
    side: usize,
    at: usize,
    bytes: Vec<u8>,
}

pub fn run(bytes: &[u8]) {
    let [options, rest @ ..] = bytes else { return };
    let mut seen = segments(rest);
    if seen.is_empty() {
        return;
    }
    reorder(&mut seen, rest);
    let (streams, has_conflict) = model(&seen);
    let (whole, opened) = (options & 1 == 0, options & 2 == 0);
    let limits: &[_] = if options & 4 == 0 { &[] } else { &LIMITS };
    let mut shuffled = conversation(limits, opened);
    let start = shuffled.next;
    for (place, segment) in seen.iter().enumerate() {
        if !whole && place % 5 == 3 {
            continue;
        }
        let sequence = start[segment.side].wrapping_add(segment.at as u32);
        // Responses acknowledge the requests; the requests were said before there was anything to acknowledge.
        let acknowledgment =
            if segment.side == 1 { start[0].wrapping_add(streams[0].len() as u32) } else { start[1] };
        shuffled.wait(STEP_NS);
        let payload = &segment.bytes[..];
        shuffled.segment(&Segment { side: segment.side, sequence, acknowledgment, flags: ACK, payload });
    }
    let told = shuffled.finish();
    let conflicts = told.words("anomalies", "kind").iter().filter(|kind| *kind == "overlap_conflict").count();
    assert!(has_conflict || conflicts == 0, "a conflict without one");
    // A connection that is joined begins where its first segment does.
    if !whole || !opened || !limits.is_empty() {
        return;
    }
    let mut ordered = conversation(limits, opened);
    for (side, stream) in streams.iter().enumerate() {
        if !stream.is_empty() {
            ordered.say(side, stream);
        }
    }
    let ordered = ordered.finish();
    let [shuffled, ordered] = [told, ordered].map(|told| told.without("modbus", &["ts", "latency_ns"]));
    assert_same("modbus", shuffled, ordered, "in order");
}

fn conversation(limits: &[(&str, u64)], opened: bool) -> Conversation {
    let mut conversation = Conversation::new(limits, PORT, STEP_NS, Cut::Whole);
    if opened {
        conversation.open();
        conversation.greet(&modbus::TCP);
    }
    conversation
}

/// The segments that an input stands for, each side's in the order of its stream, requests first.
fn segments(mut rest: &[u8]) -> Vec<Seen> {
    let mut sides = [Vec::new(), Vec::new()];
    let mut streams = [Vec::<u8>::new(), Vec::new()];
    while let [action, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = after;
        let side = usize::from(action & 1);
        let (stream, seen) = (&mut streams[side], &mut sides[side]);
        if data.is_empty() || stream.len() + data.len() > STREAM || seen.len() >= SEGMENTS {
            continue;
        }
        // It starts a few bytes early, with the bytes that are there or with others.
        let early = usize::from(action >> 4 & 7).min(stream.len());
        let at = stream.len() - early;
        let mut bytes = stream[at..].to_vec();
        if action & 2 != 0 {
            bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
        }
        bytes.extend(data);
        stream.extend(data);
        if action & 4 != 0 {
            // Said twice, the second time with another byte at its end.
            let mut again = bytes.clone();
            let last = again.len() - 1;
            again[last] ^= action >> 7;
            seen.push(Seen { side, at, bytes: again });
        }
        seen.push(Seen { side, at, bytes });
    }
    let [requests, responses] = sides;
    requests.into_iter().chain(responses).collect()
}

/// Segments change places with later ones of their side: option 8 of an action, by as many places as its length says.
fn reorder(seen: &mut [Seen], mut input: &[u8]) {
    let mut place = 0;
    while let [action, length, tail @ ..] = input {
        let other = place + 1 + usize::from(length % 7);
        if action & 8 != 0 && other < seen.len() && seen[place].side == seen[other].side {
            seen.swap(place, other);
        }
        place += 1;
        input = &tail[usize::from(*length).min(tail.len())..];
    }
}

/// Each side's stream, of every byte the first that came; and whether any came again as another.
fn model(seen: &[Seen]) -> ([Vec<u8>; 2], bool) {
    let mut streams = [Vec::<Option<u8>>::new(), Vec::new()];
    let mut has_conflict = false;
    for segment in seen {
        let stream = &mut streams[segment.side];
        let end = segment.at + segment.bytes.len();
        stream.resize(stream.len().max(end), None);
        for (kept, byte) in stream[segment.at..end].iter_mut().zip(&segment.bytes) {
            has_conflict |= *kept.get_or_insert(*byte) != *byte;
        }
    }
    (
        streams.map(|stream| stream.into_iter().map(|byte| byte.expect("every byte comes")).collect()),
        has_conflict,
    )
}
