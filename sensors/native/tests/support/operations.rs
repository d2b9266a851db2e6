//! Conversations of OT protocols: recorded ones, and ones that are put together as their standards say.

use std::path::Path;

/// A side and what it says.
pub type Turn = (usize, Vec<u8>);

/// The segments with payload of the first connection of a recorded conversation (Ethernet, IPv4).
pub fn recorded(name: &str, port: u16) -> (u16, Vec<Turn>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sensors/operations/recorded");
    let file = std::fs::read(folder.join(name)).unwrap();
    let mut turns = Vec::new();
    let mut client = None;
    let mut rest = &file[24..];
    while let Some(header) = rest.get(..16) {
        let length = u32::from_le_bytes(header[8..12].try_into().unwrap()) as usize;
        let frame = &rest[16..16 + length];
        rest = &rest[16 + length..];
        let ip = &frame[14..];
        if ip[9] != 6 {
            continue;
        }
        let whole = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let tcp = &ip[usize::from(ip[0] & 15) * 4..whole];
        let ports = [0, 2].map(|at| u16::from_be_bytes([tcp[at], tcp[at + 1]]));
        let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
        let side = usize::from(ports[0] == port);
        if payload.is_empty() || *client.get_or_insert(ports[side]) != ports[side] {
            continue;
        }
        turns.push((side, payload.to_vec()));
    }
    (port, turns)
}

/// A DNP3 frame with right checksums.
fn dnp3(control: u8, to: u16, from: u16, data: &[u8]) -> Vec<u8> {
    let checksum = |bytes: &[u8]| {
        let mut sum = 0u16;
        for byte in bytes {
            sum ^= u16::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xa6bc };
            }
        }
        (!sum).to_le_bytes()
    };
    let mut frame = vec![5, 0x64, 5 + data.len() as u8, control];
    frame.extend(to.to_le_bytes());
    frame.extend(from.to_le_bytes());
    frame.extend(checksum(&frame.clone()));
    for block in data.chunks(16) {
        frame.extend(block);
        frame.extend(checksum(block));
    }
    frame
}

pub fn dnp3_turns() -> (u16, Vec<Turn>) {
    let mut turns = Vec::new();
    for sequence in 0..12u8 {
        let request = [0xc0 | sequence, 0xc0 | sequence, 13 + sequence % 2];
        turns.push((0, dnp3(0xc4, 4, 1, &request)));
        // An answer in three frames.
        let points = [vec![0xc0 | sequence, 129, 0, 0, 30, 2, 0, 0, 199], vec![7; 600]].concat();
        let parts: Vec<&[u8]> = points.chunks(240).collect();
        let mut answer = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let first = if number == 0 { 0x40 } else { 0 };
            let last = if number + 1 == parts.len() { 0x80 } else { 0 };
            answer.extend(dnp3(0x44, 1, 4, &[&[first | last | number as u8], *part].concat()));
        }
        turns.push((1, answer));
    }
    (20_000, turns)
}

pub fn fins_turns() -> (u16, Vec<Turn>) {
    let message = |control: u8, sid: u8, data: &[u8]| {
        let body = [&[control, 0, 2, 0, 1, 0, 0, 2, 0, sid, 1, 1], data].concat();
        let mut message = b"FINS".to_vec();
        message.extend((8 + body.len() as u32).to_be_bytes());
        message.extend([0, 0, 0, 2, 0, 0, 0, 0]);
        message.extend(body);
        message
    };
    let mut turns = Vec::new();
    for sid in 0..20 {
        turns.push((0, message(0x80, sid, &[0x82, 0, sid, 0, 0, 2])));
        turns.push((1, message(0xc0, sid, &[0, 0, 0, 5, 0, sid])));
    }
    (9_600, turns)
}

fn ads_turns() -> (u16, Vec<Turn>) {
    let message = |flags: u8, invoke: u8, data: &[u8]| {
        let mut message = vec![0, 0, 32 + data.len() as u8, 0, 0, 0];
        message.extend([5, 1, 2, 3, 1, 1, 0x53, 3, 9, 9, 9, 9, 1, 1, 1, 0x80]);
        message.extend([3, 0, flags, 0, data.len() as u8, 0, 0, 0, 0, 0, 0, 0, invoke, 0, 0, 0]);
        message.extend(data);
        message
    };
    let mut turns = Vec::new();
    for invoke in 0..20 {
        turns.push((0, message(4, invoke, &[0x20, 0x40, 0, 0, invoke, 0, 0, 0, 2, 0, 0, 0, 5, 0])));
        turns.push((1, message(5, invoke, &[0, 0, 0, 0])));
    }
    (48_898, turns)
}

/// Open, then reads and writes of registers, one of them refused; service requests as Denton et al. found them.
pub fn ge_srtp_turns() -> (u16, Vec<Turn>) {
    let message = |kind: u8, sequence: u8, mailbox: u8, service: &[u8], text: &[u8]| {
        let mut message = vec![0; 56];
        (message[0], message[4], message[30], message[31]) = (kind, text.len() as u8, sequence, mailbox);
        let at = if mailbox == 0x80 { 50 } else { 42 };
        message[at..at + service.len()].copy_from_slice(service);
        [message, text.to_vec()].concat()
    };
    let mut turns = vec![(0, vec![0; 56]), (1, message(1, 0, 0, &[], &[]))];
    for sequence in 1..12 {
        turns.push((0, message(2, sequence, 0xc0, &[4, 8, sequence, 0, 2, 0], &[])));
        turns.push((1, message(3, sequence, 0x94, &[], &[1, 2, 3, 4])));
    }
    // Eight bytes are written, and one write is refused.
    turns.push((0, message(2, 12, 0x80, &[7, 8, 99, 0, 4, 0], &[9; 8])));
    turns.push((1, message(3, 12, 0xd4, &[], &[])));
    turns.push((0, message(2, 13, 0x80, &[7, 8, 99, 0, 4, 0], &[9; 8])));
    turns.push((1, message(3, 13, 0xd1, &[5, 0xc1], &[])));
    (18_245, turns)
}

/// S7comm-plus within ISO transport: a session in version 1, then reads and writes in version 3, each with its digest,
/// one answer in two data units.
pub fn s7_plus_turns() -> (u16, Vec<Turn>) {
    let tpkt = |last: bool, data: &[u8]| {
        let length = (7 + data.len()) as u16;
        [&[3, 0][..], &length.to_be_bytes(), &[2, 0xf0, if last { 0x80 } else { 0 }], data].concat()
    };
    let unit = |version: u8, code: u8, function: u16, sequence: u8, data: &[u8]| {
        let digest: &[u8] = if version == 3 { &[[32; 1].as_slice(), &[0xdd; 32]].concat() } else { &[] };
        let body =
            [digest, &[code, 0, 0], &function.to_be_bytes(), &[0, 0, 0, sequence, 0, 0, 3, 0x87, 0x34], data]
                .concat();
        let length = body.len() as u16;
        [&[0x72, version], &length.to_be_bytes()[..], &body, &[0x72, version, 0, 0]].concat()
    };
    let connect = |code: u8| {
        let data = [0xc0, 1, 10, 0xc1, 2, 6, 0, 0xc2, 15];
        [&[3, 0, 0, 35, 30, code, 0, 0, 0, 1, 0][..], &data, b"SIMATIC-ROOT-ES"].concat()
    };
    // An object of class 287 within 285: a session.
    let opening = b"\0\0\x01\x1d\0\x04\0\0\0\0\0\xa1\0\0\0\xd3\x82\x1f\0\0\xa2\0\0\0\0";
    // One variable: DB 1, the values of it, bytes 4 to 7; then what is written, a REAL of 10.
    let variable = b"\0\0\0\0\x01\x04\0\x88\xd0\xb8\x80\x01\x03\x93\x76\x04\x04";
    let written = [&variable[..], b"\x01\0\x0e\x41\x20\0\0\0\0\0\0\0"].concat();
    let mut turns = vec![(0, connect(0xe0)), (1, connect(0xd0))];
    turns.push((0, tpkt(true, &unit(1, 0x31, 0x04ca, 1, opening))));
    turns.push((1, tpkt(true, &unit(1, 0x32, 0x04ca, 1, &[&b"\0\x01\x87\x07"[..], &[0; 56]].concat()))));
    for sequence in 2..12 {
        let function = if sequence % 3 == 0 { 0x0542 } else { 0x054c };
        let asked = if sequence % 3 == 0 { &written[..] } else { &variable[..] };
        turns.push((0, tpkt(true, &unit(3, 0x31, function, sequence, asked))));
        // A blob of 150 bytes, in two TPDUs; a write has nothing but its errors.
        let blob = [&b"\0\x01\0\x14\0\x81\x16"[..], &[9; 150], &[0; 8]].concat();
        let answer = unit(3, 0x32, function, sequence, if sequence % 3 == 0 { &[0; 100] } else { &blob });
        let (first, rest) = answer.split_at(100);
        turns.push((1, [tpkt(false, first), tpkt(true, rest)].concat()));
    }
    turns.push((1, tpkt(true, &unit(3, 0x33, 0, 0, &[1; 20]))));
    (102, turns)
}

pub fn conversations() -> Vec<(u16, Vec<Turn>)> {
    vec![
        recorded("s7.pcap", 102),
        recorded("enip.pcap", 44_818),
        recorded("iec104.pcap", 2_404),
        dnp3_turns(),
        fins_turns(),
        ads_turns(),
        ge_srtp_turns(),
        s7_plus_turns(),
        recorded("dnp3.pcap", 20_000),
    ]
}
