//! Transport bytes in; ports, sequence numbers and payload out (RFC 9293, RFC 768).

use crate::net::Malformed;

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

/// TCP control bits.
pub mod flag {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const ACK: u8 = 0x10;
}

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    pub source_port: u16,
    pub destination_port: u16,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: u8,
    pub window: u16,
    /// Maximum segment size option, in a SYN.
    pub mss: Option<u16>,
    /// The captured payload.
    pub payload: &'a [u8],
    /// The payload's length on the wire.
    pub length: u32,
}

impl Segment<'_> {
    #[inline]
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A UDP datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    pub source_port: u16,
    pub destination_port: u16,
    /// The captured payload.
    pub payload: &'a [u8],
    /// Payload on the wire.
    pub length: u32,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Reads a TCP header; `wire_length` is the length of header and payload on the wire.
#[inline]
pub fn tcp(bytes: &[u8], wire_length: usize) -> Result<Segment<'_>, Malformed> {
    if bytes.len() < 20 {
        return Err(Malformed("TCP header shorter than 20 bytes"));
    }
    let header = usize::from(bytes[12] >> 4) * 4;
    if header < 20 || header > wire_length {
        return Err(Malformed("TCP header length does not fit"));
    }
    let flags = bytes[13];
    let options = &bytes[20..header.min(bytes.len())];
    Ok(Segment {
        source_port: u16_at(bytes, 0),
        destination_port: u16_at(bytes, 2),
        sequence: u32_at(bytes, 4),
        acknowledgment: u32_at(bytes, 8),
        flags,
        window: u16_at(bytes, 14),
        mss: if flags & flag::SYN != 0 { mss(options) } else { None },
        payload: bytes.get(header..).unwrap_or_default(),
        length: (wire_length - header) as u32,
    })
}

/// Option 2 of a SYN (RFC 9293, 3.7.1).
fn mss(mut options: &[u8]) -> Option<u16> {
    loop {
        match *options {
            [] | [0, ..] => return None,
            [1, ref rest @ ..] => options = rest,
            [2, 4, high, low, ..] => return Some(u16::from_be_bytes([high, low])),
            [_, length, ..] if length >= 2 && usize::from(length) <= options.len() => {
                options = &options[usize::from(length)..];
            }
            _ => return None,
        }
    }
}

/// Reads a UDP header.
#[inline]
pub fn udp(bytes: &[u8], wire_length: usize) -> Result<Datagram<'_>, Malformed> {
    if bytes.len() < 8 {
        return Err(Malformed("UDP header shorter than 8 bytes"));
    }
    let length = usize::from(u16_at(bytes, 4));
    // 0 stands for a jumbogram (RFC 2675, 4) or a length that the card fills in.
    if length != 0 && (length < 8 || length > wire_length) {
        return Err(Malformed("UDP length does not fit"));
    }
    let length = if length == 0 { wire_length } else { length };
    Ok(Datagram {
        source_port: u16_at(bytes, 0),
        destination_port: u16_at(bytes, 2),
        payload: &bytes[8..length.min(bytes.len())],
        length: (length - 8) as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syn(options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        bytes[12] = ((20 + options.len()) / 4 * 16) as u8;
        bytes[13] = flag::SYN;
        bytes.extend(options);
        bytes
    }

    #[test]
    fn the_mss_is_found_behind_other_options() {
        let bytes = syn(&[1, 1, 4, 2, 3, 3, 7, 2, 4, 5, 0xb4, 0]);
        assert_eq!(tcp(&bytes, bytes.len()).unwrap().mss, Some(1460));
    }

    #[test]
    fn broken_options_give_no_mss() {
        for options in [[3, 0, 0, 0], [3, 9, 0, 0], [2, 3, 0, 0], [8, 1, 2, 4]] {
            let bytes = syn(&options);
            assert_eq!(tcp(&bytes, bytes.len()).unwrap().mss, None);
        }
    }

    #[test]
    fn a_header_longer_than_the_segment_is_malformed() {
        let mut bytes = syn(&[]);
        bytes[12] = 0xf0;
        assert!(tcp(&bytes, bytes.len()).is_err());
    }
}
