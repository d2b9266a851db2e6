//! Messages of the domain name system and of its relatives (RFC 1035, 4): header, questions, records.

use super::name::{self, NameError};

/// Questions of a message that are read; unicast DNS has one, multicast DNS some.
const QUESTIONS: usize = 16;

/// Records of a message that are read.
const RECORDS: usize = 64;

/// Id, flags, four counts.
pub const HEADER: usize = 12;

pub mod kind {
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const PTR: u16 = 12;
    pub const HINFO: u16 = 13;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    pub const AAAA: u16 = 28;
    /// NetBIOS name (RFC 1002, 4.2.1.3).
    pub const NB: u16 = 32;
    /// Service location, and the state of a NetBIOS node.
    pub const SRV: u16 = 33;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub id: u16,
    pub flags: u16,
    /// Questions, answers, authorities, additional records.
    pub counts: [u16; 4],
}

impl Header {
    pub fn read(message: &[u8]) -> Option<Self> {
        let bytes = message.first_chunk::<HEADER>()?;
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        Some(Self { id: word(0), flags: word(2), counts: [word(4), word(6), word(8), word(10)] })
    }

    pub fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    pub fn opcode(&self) -> u8 {
        (self.flags >> 11 & 0xf) as u8
    }

    pub fn rcode(&self) -> u8 {
        (self.flags & 0xf) as u8
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub name: String,
    pub kind: u16,
    pub class: u16,
}

/// What is told.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    pub name: String,
    pub kind: u16,
    pub data: &'a [u8],
    /// Where the data is in the message: its names may point back.
    pub data_at: usize,
    /// Among the answers, not the authorities or the additional records.
    pub is_answer: bool,
}

/// A message, as far as it can be read.
#[derive(Debug)]
pub struct Message<'a> {
    pub bytes: &'a [u8],
    pub header: Header,
    pub questions: Vec<Question>,
    pub records: Vec<Record<'a>>,
    /// Why not all was read.
    pub flaw: Option<NameError>,
    /// All was read, and nothing is left.
    pub whole: bool,
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.first_chunk::<2>().map(|pair| u16::from_be_bytes(*pair))
}

/// Reads a message; `None` where even its header is not there.
pub fn read(bytes: &[u8]) -> Option<Message<'_>> {
    let header = Header::read(bytes)?;
    let mut message =
        Message { bytes, header, questions: Vec::new(), records: Vec::new(), flaw: None, whole: false };
    match read_body(&mut message) {
        Ok(end) => message.whole = end == bytes.len(),
        Err(flaw) => message.flaw = Some(flaw),
    }
    Some(message)
}

fn read_body(message: &mut Message<'_>) -> Result<usize, NameError> {
    let bytes = message.bytes;
    let mut at = HEADER;
    let [questions, answers, authorities, additional] = message.header.counts.map(usize::from);
    for _ in 0..questions.min(QUESTIONS) {
        let (name, next) = name::read(bytes, at)?;
        let kind = word(bytes, next).ok_or(NameError::Cut)?;
        let class = word(bytes, next + 2).ok_or(NameError::Cut)?;
        message.questions.push(Question { name, kind, class });
        at = next + 4;
    }
    if questions > QUESTIONS {
        return Ok(at);
    }
    for number in 0..(answers + authorities + additional).min(RECORDS) {
        let (name, next) = name::read(bytes, at)?;
        let kind = word(bytes, next).ok_or(NameError::Cut)?;
        let length = usize::from(word(bytes, next + 8).ok_or(NameError::Cut)?);
        let data_at = next + 10;
        let data = bytes.get(data_at..data_at + length).ok_or(NameError::Cut)?;
        message.records.push(Record { name, kind, data, data_at, is_answer: number < answers });
        at = data_at + length;
    }
    Ok(at)
}
