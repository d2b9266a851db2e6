//! Conversations of OPC UA whose chunks and headers are right and whose bodies are made of the pieces that bodies have,
//! in any order; with chunks split, lost and aborted, and raw bytes between them.
//!
//! An input is a byte of options, then actions: what it is, how many bytes it has, its bytes.
#![no_main]

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Record;
use libfuzzer_sys::fuzz_target;

/// Requests whose bodies are read; their responses are 3 behind them.
const TYPES: [u16; 32] = [
    422, 428, 437, 446, 452, 461, 467, 473, 479, 488, 494, 500, 506, 527, 533, 554, 560, 566, 615, 631, 664,
    673, 700, 712, 751, 763, 787, 826, 832, 841, 847, 397,
];

/// Structures that bodies carry, by their types.
const STRUCTURES: [u16; 16] =
    [321, 324, 327, 340, 646, 649, 652, 655, 658, 682, 688, 691, 811, 820, 864, 916];

const CHANNEL: u32 = 7;

struct Wire {
    decoder: Decoder,
    port: u16,
    next: [u32; 2],
    ts: i64,
    sequence: [u32; 2],
    request: u32,
}

impl Wire {
    fn frame(&mut self, side: usize, flags: u8, payload: &[u8], seen: bool) {
        let mut bytes = vec![0x45, 0];
        bytes.extend((40 + payload.len() as u16).to_be_bytes());
        bytes.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        bytes.extend(if side == 0 { [10, 0, 0, 1, 10, 0, 0, 2] } else { [10, 0, 0, 2, 10, 0, 0, 1] });
        let ports = [40_000, self.port];
        bytes.extend(ports[side].to_be_bytes());
        bytes.extend(ports[1 - side].to_be_bytes());
        bytes.extend(self.next[side].to_be_bytes());
        bytes.extend(self.next[1 - side].to_be_bytes());
        bytes.extend([0x50, flags, 1, 0, 0, 0, 0, 0]);
        bytes.extend(payload);
        self.ts += 10_000_000;
        if seen {
            let wire_length = bytes.len() as u32;
            let record = Record { ts: self.ts, wire_length, link_type: 101, interface: 0, data: &bytes };
            self.decoder.frame(&record);
        }
        let control = u32::from(flags & 3 != 0);
        self.next[side] = self.next[side].wrapping_add(payload.len() as u32 + control);
    }

    fn send(&mut self, side: usize, payload: &[u8]) {
        for piece in payload.chunks(1_400) {
            self.frame(side, 16, piece, true);
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

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&words(&[bytes.len() as u32])[..], bytes].concat()
}

fn chunk(word: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&word[..], &words(&[8 + body.len() as u32]), body].concat()
}

fn secured(word: &[u8; 4], sequence: u32, id: u32, bytes: &[u8]) -> Vec<u8> {
    chunk(word, &[&words(&[CHANNEL, 1, sequence, id])[..], bytes].concat())
}

/// A type and the header that requests and responses have.
fn service(side: usize, kind: u16, choice: u8) -> Vec<u8> {
    let kind = if side == 1 && kind != 397 { kind + 3 } else { kind };
    let [low, high] = kind.to_le_bytes();
    let mut bytes = vec![1, 0, low, high];
    if side == 0 {
        bytes.extend([1, 1, choice & 3, 0]);
        bytes.extend(words(&[0, 0, 1, 0, u32::MAX, 0]));
    } else {
        let status = if choice & 0x70 == 0x70 { 0x8034_0000 } else { 0 };
        bytes.extend(words(&[0, 0, 1, status]));
        bytes.push(0);
        bytes.extend(words(&[u32::MAX]));
    }
    bytes.extend([0, 0, 0]);
    bytes
}

/// Bytes as a body: the highest values stand for pieces that bodies are made of.
fn body(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = data;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        let choice = rest.first().copied().unwrap_or(0);
        match byte {
            0xff => bytes.extend(words(&[u32::MAX])),
            0xfe => bytes.extend(words(&[u32::from(choice & 7)])),
            0xfd => bytes.extend([&[3, 2, 0][..], &string(b"Pump1")].concat()),
            0xfc => bytes.extend([1, 6, choice, 0, 0, 0]),
            0xfb => {
                let structure = STRUCTURES[usize::from(choice & 15)];
                let inner = body(rest.get(1..).unwrap_or_default());
                bytes.extend([&[1, 0][..], &structure.to_le_bytes(), &[1], &string(&inner)].concat());
                return bytes;
            }
            0xfa => bytes.extend(string(&rest[..rest.len().min(usize::from(choice & 31))])),
            0xf9 => bytes.extend([0; 8]),
            0xf8 => bytes.extend(words(&[13, u32::MAX])),
            0xf7 => bytes.extend([24; 8]),
            _ => bytes.push(*byte),
        }
    }
    bytes
}

fn opening(side: usize, policy: &[u8], data: &[u8]) -> Vec<u8> {
    let channel = if side == 0 { 0 } else { CHANNEL };
    let uri = [&b"http://opcfoundation.org/UA/SecurityPolicy#"[..], policy].concat();
    chunk(b"OPNF", &[&words(&[channel])[..], &string(&uri), data].concat())
}

/// A connection, and a channel under a policy.
fn connect(wire: &mut Wire, asker: usize, secure: bool) {
    let hello = [&words(&[0, 8_192, 8_192, 0, 0])[..], &string(b"opc.tcp://plc1:4840")].concat();
    wire.send(asker, &chunk(b"HELF", &hello));
    wire.send(1 - asker, &chunk(b"ACKF", &words(&[0, 8_192, 8_192, 0, 0])));
    for (side, bytes) in
        [(0, words(&[0, 0, 1, u32::MAX, 60_000])), (1, words(&[0, CHANNEL, 1, 0, 0, 60_000, 0]))]
    {
        let sender = if side == 0 { asker } else { 1 - asker };
        let clear = [words(&[u32::MAX, u32::MAX, 1, 1]), service(side, 446, 0), bytes].concat();
        let data = if secure { vec![0xff; 200] } else { clear };
        wire.send(sender, &opening(side, if secure { b"Basic256Sha256" } else { b"None" }, &data));
    }
    wire.sequence = [1, 1];
    wire.request = 1;
}

fuzz_target!(|bytes: &[u8]| {
    let [options, rest @ ..] = bytes else { return };
    let mut wire = Wire {
        decoder: Decoder::new(Limits::default()),
        port: if options & 1 == 0 { 4_840 } else { 50_000 },
        next: [0xffff_ff00, 7],
        ts: 0,
        sequence: [1, 1],
        request: 1,
    };
    if options & 2 == 0 {
        wire.frame(0, 2, &[], true);
        wire.frame(1, 18, &[], true);
    }
    if options & 4 == 0 {
        connect(&mut wire, usize::from(options >> 3 & 1), options & 16 != 0);
    }
    let mut rest = rest;
    while let [action, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = after;
        let side = usize::from(action & 1);
        let choice = data.first().copied().unwrap_or(0);
        let kind = TYPES[usize::from(choice & 31)];
        let made = [service(side, kind, *action), body(data.get(1..).unwrap_or_default())].concat();
        let id = wire.id(side, action >> 4);
        match action >> 1 & 7 {
            0 => wire.send(side, data),
            1 => {
                let message = wire.message(side, id, &made, usize::MAX);
                wire.send(side, &message);
            }
            2 => {
                let message = wire.message(side, id, &made, usize::from(action >> 4) * 4 + 3);
                wire.send(side, &message);
            }
            3 => {
                let message = wire.message(side, id, data, usize::MAX);
                wire.send(side, &message);
            }
            4 => {
                let sequence = wire.sequence[side];
                wire.send(side, &secured(b"MSGA", sequence, id, data));
            }
            5 => {
                // A part of a message is lost, and its end is seen.
                let message = wire.message(side, id, &made, 40);
                let (first, last) = message.split_at(message.len() / 2);
                let lost = usize::from(action >> 4).min(last.len());
                wire.send(side, first);
                wire.frame(side, 16, &last[..lost], false);
                wire.frame(1 - side, 16, &[], true);
                wire.send(side, &last[lost..]);
            }
            6 => wire.send(side, &opening(side, if action & 16 == 0 { b"None" } else { b"Basic256" }, data)),
            _ => {
                let word = [b"HELF", b"ACKF", b"ERRF", b"RHEF", b"CLOF", b"OPNF"][usize::from(choice) % 6];
                wire.send(side, &chunk(word, data));
            }
        }
    }
    wire.decoder.finish_capture();
    wire.decoder.take();
});
