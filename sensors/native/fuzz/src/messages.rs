//! Inputs as rows of messages, each with its length before it, and how such a row is mutated: whole messages and parts of
//! them, so that one change leaves the others where they were.

/// How the messages of an input are written down.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Bytes before the first message.
    pub head: usize,
    /// Bytes of a message before its length.
    pub start: usize,
    /// The length has two bytes, the higher one first; otherwise one.
    pub is_wide: bool,
}

impl Form {
    fn longest(self) -> usize {
        if self.is_wide { 2_047 } else { 255 }
    }
}

#[derive(Clone)]
struct Message {
    start: Vec<u8>,
    body: Vec<u8>,
}

/// Numbers by chance that are the same for the same seed (splitmix64: Steele, Lea, Flood 2014).
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// One of `count` numbers from 0 on; 0 where there is none.
    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }
}

fn parse(bytes: &[u8], form: Form) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut rest = bytes;
    let width = 1 + usize::from(form.is_wide);
    while rest.len() >= form.start + width {
        let (start, tail) = rest.split_at(form.start);
        let (length, tail) = tail.split_at(width);
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let (body, tail) = tail.split_at(length.min(form.longest()).min(tail.len()));
        messages.push(Message { start: start.to_vec(), body: body.to_vec() });
        rest = tail;
    }
    messages
}

fn write(messages: &[Message], form: Form, bytes: &mut Vec<u8>) {
    for message in messages {
        bytes.extend(&message.start);
        let length = (message.body.len() as u16).to_be_bytes();
        bytes.extend(if form.is_wide { &length[..] } else { &length[1..] });
        bytes.extend(&message.body);
    }
}

/// Mutates the first `size` bytes of `data` and says how many there are then. `fallback` mutates bytes that have no form.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    form: Form,
    fallback: &mut dyn FnMut(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut chance = Chance(u64::from(seed));
    let head = form.head.min(size);
    let mut messages = parse(&data[head..size], form);
    if messages.is_empty() || chance.below(4) == 0 {
        return fallback(data, size, max_size);
    }
    for _ in 0..=chance.below(3) {
        change(&mut messages, form, &mut chance, fallback);
    }
    let mut bytes = data[..head].to_vec();
    write(&messages, form, &mut bytes);
    bytes.truncate(max_size.min(data.len()));
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}

fn change(
    messages: &mut Vec<Message>,
    form: Form,
    chance: &mut Chance,
    fallback: &mut dyn FnMut(&mut [u8], usize, usize) -> usize,
) {
    let count = messages.len();
    if count == 0 {
        return;
    }
    let (at, other) = (chance.below(count), chance.below(count));
    match chance.below(10) {
        0 => drop(messages.remove(at)),
        1 => messages.insert(other, messages[at].clone()),
        2 => messages.swap(at, other),
        // A part of one message in the place of a part of another.
        3 => {
            let donor = messages[other].body.clone();
            let (from, to) = (chance.below(donor.len() + 1), chance.below(donor.len() + 1));
            let body = &mut messages[at].body;
            let place = chance.below(body.len() + 1);
            let end = (place + chance.below(donor.len() + 1)).min(body.len());
            body.splice(place..end, donor[from.min(to)..from.max(to)].iter().copied());
            body.truncate(form.longest());
        }
        4 => {
            let length = chance.below(messages[at].body.len() + 1);
            messages[at].body.truncate(length);
        }
        // The end of one is a message of its own.
        5 => {
            let place = chance.below(messages[at].body.len() + 1);
            let body = messages[at].body.split_off(place);
            let start = messages[at].start.clone();
            messages.insert(at + 1, Message { start, body });
        }
        6 => {
            let start = &mut messages[at].start;
            if let Some(byte) = start.first_mut() {
                *byte = if chance.below(2) == 0 { *byte ^ 1 << chance.below(8) } else { chance.next() as u8 };
            }
        }
        _ => {
            let mut body = std::mem::take(&mut messages[at].body);
            let size = body.len();
            body.resize(form.longest(), 0);
            let size = fallback(&mut body, size, form.longest()).min(form.longest());
            body.truncate(size);
            messages[at].body = body;
        }
    }
}

/// A fallback where there is no libFuzzer: a byte or a few are changed, put in or taken out.
pub fn mutate_bytes(chance: &mut Chance, data: &mut [u8], size: usize, max_size: usize) -> usize {
    const INTERESTING: [u8; 9] = [0, 1, 2, 0x0a, 0x20, 0x7f, 0x80, 0xfe, 0xff];
    let (at, length) = (chance.below(size), 1 + chance.below(8));
    match chance.below(5) {
        0 if size > 0 => data[at] ^= 1 << chance.below(8),
        1 if size > 0 => data[at] = INTERESTING[chance.below(INTERESTING.len())],
        2 if size > 0 => data[at] = chance.next() as u8,
        3 if size > length => {
            let end = (at + length).min(size);
            data.copy_within(end..size, at);
            return size - (end - at);
        }
        _ if size + length <= max_size.min(data.len()) => {
            data.copy_within(at..size, at + length);
            for byte in &mut data[at..at + length] {
                *byte = if chance.below(2) == 0 { 0 } else { chance.next() as u8 };
            }
            return size + length;
        }
        _ => {}
    }
    size
}
