//! Bodies of OPC UA services, made of the pieces that bodies have, in any order (OPC 10000-6, 5.2).

/// Requests whose bodies are read; their responses are 3 behind them.
pub const TYPES: [u16; 32] = [
    422, 428, 437, 446, 452, 461, 467, 473, 479, 488, 494, 500, 506, 527, 533, 554, 560, 566, 615, 631, 664,
    673, 700, 712, 751, 763, 787, 826, 832, 841, 847, 397,
];

/// A fault has the same type whatever it answers.
const FAULT: u16 = 397;

/// Structures that bodies carry, by their types.
const STRUCTURES: [u16; 16] =
    [321, 324, 327, 340, 646, 649, 652, 655, 658, 682, 688, 691, 811, 820, 864, 916];

pub fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub fn string(bytes: &[u8]) -> Vec<u8> {
    [&words(&[bytes.len() as u32])[..], bytes].concat()
}

/// A type and the header that requests and responses have.
pub fn service(side: usize, kind: u16, choice: u8) -> Vec<u8> {
    let kind = if side == 1 && kind != FAULT { kind + 3 } else { kind };
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
pub fn body(data: &[u8]) -> Vec<u8> {
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
