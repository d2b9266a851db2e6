//! Captures made in memory, and what the decoder says of them, as text that can be compared.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod opcua;
pub mod property;

use std::collections::BTreeMap;
use std::io::Cursor;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float64Type, Int64Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::{OpenError, Source};

pub const SYN: u8 = 2;
pub const ACK: u8 = 16;
pub const FIN: u8 = 1;
pub const RST: u8 = 4;

pub const MILLISECOND: i64 = 1_000_000;
pub const SECOND: i64 = 1_000_000_000;

/// A time that is the start of a minute.
pub const START: i64 = 1_700_000_040 * SECOND;

/// A frame: when, and its bytes.
pub type Frame = (i64, Vec<u8>);

/// A TCP segment between 10.0.0.1 (side 0) and 10.0.0.2 (side 1), on Ethernet.
#[derive(Clone)]
pub struct Tcp {
    pub side: usize,
    pub ports: [u16; 2],
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: u8,
    pub window: u16,
    pub id: u16,
    pub hops: u8,
    /// Of a segment that is no SYN; a multiple of 4 bytes.
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Tcp {
    pub fn bytes(&self) -> Vec<u8> {
        let mut tcp = Vec::new();
        tcp.extend(self.ports[self.side].to_be_bytes());
        tcp.extend(self.ports[1 - self.side].to_be_bytes());
        tcp.extend(self.sequence.to_be_bytes());
        tcp.extend(self.acknowledgment.to_be_bytes());
        let options: &[u8] = if self.flags & SYN != 0 { &[2, 4, 5, 0xb4] } else { &self.options };
        tcp.extend([((20 + options.len()) / 4 * 16) as u8, self.flags]);
        tcp.extend(self.window.to_be_bytes());
        tcp.extend([0, 0, 0, 0]);
        tcp.extend(options);
        tcp.extend(&self.payload);
        ipv4(self.side, 6, self.id, self.hops, &tcp)
    }
}

/// An Ethernet frame with an IPv4 packet from a side to the other.
pub fn ipv4(side: usize, protocol: u8, id: u16, hops: u8, transport: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    for end in [1 - side, side] {
        frame.extend([2, 0, 0, 0, 0, 1 + end as u8]);
    }
    frame.extend([8, 0, 0x45, 0]);
    frame.extend((20 + transport.len() as u16).to_be_bytes());
    frame.extend(id.to_be_bytes());
    frame.extend([0x40, 0, hops, protocol, 0, 0]);
    for end in [side, 1 - side] {
        frame.extend([10, 0, 0, 1 + end as u8]);
    }
    frame.extend(transport);
    frame
}

/// A TCP conversation that is written down as frames.
pub struct Talk {
    pub frames: Vec<Frame>,
    pub now: i64,
    pub ports: [u16; 2],
    pub next: [u32; 2],
    id: u16,
}

impl Talk {
    /// Client 10.0.0.1:40000 and server 10.0.0.2:`port`; nothing is sent yet.
    pub fn new(port: u16) -> Self {
        Self { frames: Vec::new(), now: START, ports: [40_000, port], next: [1_000, 5_000], id: 1 }
    }

    pub fn segment(&mut self, side: usize, flags: u8, payload: &[u8]) -> Tcp {
        self.id = self.id.wrapping_add(1);
        Tcp {
            side,
            ports: self.ports,
            sequence: self.next[side],
            acknowledgment: if flags & ACK != 0 { self.next[1 - side] } else { 0 },
            flags,
            window: 8_192,
            id: self.id,
            hops: 64,
            options: Vec::new(),
            payload: payload.to_vec(),
        }
    }

    /// Writes a segment down as seen now; the sender's next number does not move.
    pub fn see(&mut self, segment: &Tcp) {
        self.frames.push((self.now, segment.bytes()));
    }

    pub fn wait(&mut self, ns: i64) -> &mut Self {
        self.now += ns;
        self
    }

    /// Sends, and is seen; 1 ms later.
    pub fn send(&mut self, side: usize, flags: u8, payload: &[u8]) -> &mut Self {
        let segment = self.segment(side, flags, payload);
        self.see(&segment);
        self.sent(&segment);
        self.wait(MILLISECOND)
    }

    /// Sends, but the capture does not see it.
    pub fn send_unseen(&mut self, side: usize, flags: u8, payload: &[u8]) -> &mut Self {
        let segment = self.segment(side, flags, payload);
        self.sent(&segment);
        self.wait(MILLISECOND)
    }

    fn sent(&mut self, segment: &Tcp) {
        let control = u32::from(segment.flags & (SYN | FIN) != 0);
        self.next[segment.side] =
            self.next[segment.side].wrapping_add(segment.payload.len() as u32 + control);
    }

    /// SYN, SYN-ACK after 1 ms, ACK after 1 ms.
    pub fn handshake(&mut self) -> &mut Self {
        self.send(0, SYN, b"").send(1, SYN | ACK, b"").send(0, ACK, b"")
    }

    pub fn decode(&self) -> Decoded {
        self.decode_within(&[])
    }

    /// The same, with limits of its own.
    pub fn decode_within(&self, limits: &[(&str, u64)]) -> Decoded {
        decode(&pcap(&self.frames), limits)
    }
}

/// A Modbus application data unit.
pub fn adu(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = transaction.to_be_bytes().to_vec();
    bytes.extend([0, 0]);
    bytes.extend((1 + pdu.len() as u16).to_be_bytes());
    bytes.push(unit);
    bytes.extend(pdu);
    bytes
}

/// A read of `quantity` holding registers at `address`, and its response with zeros.
pub fn read_registers(transaction: u16, address: u16, quantity: u8) -> (Vec<u8>, Vec<u8>) {
    let [high, low] = address.to_be_bytes();
    let mut response = vec![3, quantity * 2];
    response.resize(2 + usize::from(quantity) * 2, 0);
    (adu(transaction, 1, &[3, high, low, 0, quantity]), adu(transaction, 1, &response))
}

/// A little-endian pcap file with nanoseconds, Ethernet.
pub fn pcap(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [0xa1b2_3c4du32, 0x0004_0002, 0, 0, 65_535, 1] {
        bytes.extend(word.to_le_bytes());
    }
    for (ts, frame) in frames {
        let length = frame.len() as u32;
        for word in [(ts / SECOND) as u32, (ts % SECOND) as u32, length, length] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(frame);
    }
    bytes
}

/// Everything that a capture gave.
pub struct Decoded {
    pub tables: BTreeMap<&'static str, Vec<RecordBatch>>,
    /// Not in place: it is large, and some tests have ten.
    pub decoder: Box<Decoder>,
}

pub fn open(bytes: &[u8]) -> Result<Source, OpenError> {
    Source::from_stream(Box::new(Cursor::new(bytes.to_vec())), bytes.len() as u64)
}

/// Decodes a capture, seven frames a call.
pub fn decode(bytes: &[u8], limits: &[(&str, u64)]) -> Decoded {
    let mut chosen = Limits::default();
    for (name, value) in limits {
        chosen.set(name, *value).unwrap();
    }
    let Ok(mut source) = open(bytes) else { panic!("not a capture") };
    let mut decoder = Decoder::new(chosen);
    let mut tables: BTreeMap<_, Vec<_>> = BTreeMap::new();
    loop {
        let goes_on = decoder.run(&mut source, 7);
        for (name, batch) in decoder.take() {
            tables.entry(name).or_default().push(batch);
        }
        if !goes_on {
            break;
        }
    }
    Decoded { tables, decoder: Box::new(decoder) }
}

impl Decoded {
    /// One column of a table as text; "-" where a value is missing.
    pub fn column(&self, table: &str, column: &str) -> Vec<String> {
        let batches = self.tables.get(table).map(Vec::as_slice).unwrap_or_default();
        batches
            .iter()
            .flat_map(|batch| {
                let values = batch.column_by_name(column).unwrap_or_else(|| panic!("no column {column}"));
                (0..values.len()).map(|row| text(values, row)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Some columns of a table, a line a row.
    pub fn lines(&self, table: &str, columns: &[&str]) -> Vec<String> {
        let columns: Vec<_> = columns.iter().map(|column| self.column(table, column)).collect();
        (0..columns[0].len())
            .map(|row| columns.iter().map(|column| column[row].as_str()).collect::<Vec<_>>().join(" "))
            .collect()
    }

    /// The sum of a number column.
    pub fn sum(&self, table: &str, column: &str) -> u64 {
        self.column(table, column).iter().map(|value| value.parse::<u64>().unwrap()).sum()
    }
}

fn text(values: &ArrayRef, row: usize) -> String {
    if values.is_null(row) {
        return "-".into();
    }
    match values.data_type() {
        DataType::UInt8 => values.as_primitive::<UInt8Type>().value(row).to_string(),
        DataType::UInt16 => values.as_primitive::<UInt16Type>().value(row).to_string(),
        DataType::UInt32 => values.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::UInt64 => values.as_primitive::<UInt64Type>().value(row).to_string(),
        DataType::Timestamp(..) => values.as_primitive::<TimestampNanosecondType>().value(row).to_string(),
        DataType::Boolean => values.as_boolean().value(row).to_string(),
        DataType::Utf8 => values.as_string::<i32>().value(row).to_owned(),
        DataType::FixedSizeBinary(_) => format!("{:?}", &values.as_fixed_size_binary().value(row)[12..]),
        DataType::Dictionary(..) => {
            let words = values.as_dictionary::<UInt8Type>();
            let key = usize::from(words.keys().value(row));
            words.values().as_string::<i32>().value(key).to_owned()
        }
        DataType::Float64 => values.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Int64 => values.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::List(_) => {
            let list = values.as_list::<i32>().value(row);
            match list.as_string_opt::<i32>() {
                Some(texts) => format!("{:?}", texts.iter().flatten().collect::<Vec<_>>()),
                None => format!("{:?}", &list.as_primitive::<UInt16Type>().values()[..]),
            }
        }
        other => panic!("{other} is in no table"),
    }
}
