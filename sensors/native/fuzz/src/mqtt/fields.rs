//! Fields of MQTT packets and of Sparkplug's payloads, with their right lengths and any content.

pub const TOPICS: [&[u8]; 8] = [
    b"a/b",
    b"",
    b"spBv1.0/g/NBIRTH/n",
    b"spBv1.0/g/DBIRTH/n/d",
    b"spBv1.0/g/NDATA/n",
    b"spBv1.0/g/DCMD/n/d",
    b"spBv1.0/STATE/h",
    b"+/#",
];

/// Properties and what their values are (MQTT 5.0, 2.2.2.2): 1, 2 or 4 bytes, a variable number, a text, or two of them.
const PROPERTIES: [(u8, Value); 28] = [
    (1, Value::Bytes(1)),
    (2, Value::Bytes(4)),
    (3, Value::Text),
    (8, Value::Text),
    (9, Value::Text),
    (11, Value::Bytes(1)),
    (17, Value::Bytes(4)),
    (18, Value::Text),
    (19, Value::Bytes(2)),
    (21, Value::Text),
    (22, Value::Text),
    (23, Value::Bytes(1)),
    (24, Value::Bytes(4)),
    (25, Value::Bytes(1)),
    (26, Value::Text),
    (28, Value::Text),
    (31, Value::Text),
    (33, Value::Bytes(2)),
    (34, Value::Bytes(2)),
    (35, Value::Bytes(2)),
    (36, Value::Bytes(1)),
    (37, Value::Bytes(1)),
    (38, Value::Pair),
    (39, Value::Bytes(4)),
    (40, Value::Bytes(1)),
    (41, Value::Bytes(1)),
    (42, Value::Bytes(1)),
    (0x7f, Value::Bytes(1)),
];

#[derive(Clone, Copy)]
enum Value {
    Bytes(usize),
    Text,
    Pair,
}

/// A variable byte integer (MQTT 5.0, 1.5.5); of protobuf, the same.
pub fn remaining_length(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while length > 127 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

/// Up to `most` bytes from the front.
fn take<'a>(rest: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (taken, after) = rest.split_at(most.min(rest.len()));
    *rest = after;
    taken
}

fn property(rest: &mut &[u8]) -> Vec<u8> {
    let choice = take(rest, 1).first().copied().unwrap_or(0);
    let (id, value) = PROPERTIES[usize::from(choice) % PROPERTIES.len()];
    let mut bytes = vec![id];
    match value {
        Value::Bytes(count) => {
            let mut number = take(rest, count).to_vec();
            number.resize(count, 0);
            bytes.extend(number);
        }
        Value::Text => bytes.extend(text(take(rest, usize::from(choice >> 5)))),
        Value::Pair => {
            bytes.extend(text(take(rest, 1)));
            bytes.extend(text(take(rest, usize::from(choice >> 5))));
        }
    }
    bytes
}

/// Bytes as fields: the highest values stand for fields that packets are made of, and say how long they are.
pub fn fields(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = data;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte < 0xf9 {
            bytes.push(*byte);
            continue;
        }
        let length = usize::from(take(&mut rest, 1).first().copied().unwrap_or(0));
        match byte {
            0xff => bytes.extend(text(take(&mut rest, length & 31))),
            0xfe => bytes.extend(property(&mut rest)),
            // Properties with their length.
            0xfd => {
                let mut inside = take(&mut rest, length & 63);
                let mut properties = Vec::new();
                while !inside.is_empty() {
                    properties.extend(property(&mut inside));
                }
                bytes.extend(remaining_length(properties.len()));
                bytes.extend(properties);
            }
            // A field of protobuf that has others inside; one that is a number; one of eight bytes.
            0xfc => {
                let inside = fields(take(&mut rest, length >> 3));
                bytes.push(((length & 7) as u8) << 3 | 2);
                bytes.extend(remaining_length(inside.len()));
                bytes.extend(inside);
            }
            0xfb => bytes.extend([(length as u8 & 15) << 3, length as u8 >> 4]),
            0xfa => bytes.extend([&[0x69][..], &[length as u8; 8]].concat()),
            _ => bytes.extend(text(TOPICS[length % TOPICS.len()])),
        }
    }
    bytes
}
