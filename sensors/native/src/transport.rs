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
    /// The captured options.
    pub options: &'a [u8],
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
        options,
        payload: bytes.get(header..).unwrap_or_default(),
        length: (wire_length - header) as u32,
    })
}

/// What a SYN announces of its sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SynOptions {
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// How far the windows that follow are shifted.
    pub window_shift: Option<u8>,
}

/// Options 2 and 3 of a SYN (RFC 9293, 3.7.1; RFC 7323, 2.2), as far as they are whole.
pub fn syn_options(mut options: &[u8]) -> SynOptions {
    let mut found = SynOptions::default();
    loop {
        match *options {
            [] | [0, ..] => return found,
            [1, ref rest @ ..] => options = rest,
            [kind, length, ..] if length >= 2 && usize::from(length) <= options.len() => {
                let (option, rest) = options.split_at(usize::from(length));
                match (kind, &option[2..]) {
                    (2, &[high, low]) => found.mss = Some(u16::from_be_bytes([high, low])),
                    (3, &[shift]) => found.window_shift = Some(shift),
                    _ => {}
                }
                options = rest;
            }
            _ => return found,
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
    fn the_options_of_a_syn_are_found_among_others() {
        let bytes = syn(&[1, 1, 4, 2, 3, 3, 7, 2, 4, 5, 0xb4, 0]);
        let options = tcp(&bytes, bytes.len()).unwrap().options;
        assert_eq!(syn_options(options), SynOptions { mss: Some(1460), window_shift: Some(7) });
    }

    #[test]
    fn broken_options_give_no_mss() {
        for options in [[3, 0, 0, 0], [3, 9, 0, 0], [2, 3, 0, 0], [8, 1, 2, 4]] {
            let bytes = syn(&options);
            assert_eq!(syn_options(tcp(&bytes, bytes.len()).unwrap().options).mss, None);
        }
    }

    #[test]
    fn a_header_longer_than_the_segment_is_malformed() {
        let mut bytes = syn(&[]);
        bytes[12] = 0xf0;
        assert!(tcp(&bytes, bytes.len()).is_err());
    }
}
