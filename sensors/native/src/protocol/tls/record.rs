//! The record layer (RFC 8446, 5.1): what a header says, and whether bytes are records.

/// Type, version, length.
pub const HEADER: usize = 5;

/// Ciphertext may be so much longer than the 2^14 bytes of plaintext (RFC 5246, 6.2.3).
const LENGTH_LIMIT: usize = (1 << 14) + 2_048;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
}

/// One record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    pub version: u16,
    /// Of what follows the header.
    pub length: usize,
}

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    Incomplete,
    Wrong,
    Is(Header),
}

/// Reads a header, or as much of it as is there.
pub fn head(bytes: &[u8]) -> Head {
    let kind = match bytes.first() {
        Some(20) => Kind::ChangeCipherSpec,
        Some(21) => Kind::Alert,
        Some(22) => Kind::Handshake,
        Some(23) => Kind::ApplicationData,
        Some(_) => return Head::Wrong,
        None => return Head::Incomplete,
    };
    match *bytes {
        [_, major, ..] if major != 3 => Head::Wrong,
        [_, _, minor, ..] if minor > 4 => Head::Wrong,
        [_, major, minor, high, low, ..] => {
            let length = usize::from(high) << 8 | usize::from(low);
            let fits = match kind {
                Kind::ChangeCipherSpec => length == 1,
                Kind::Alert => (2..=256).contains(&length),
                Kind::Handshake => (4..=LENGTH_LIMIT).contains(&length),
                Kind::ApplicationData => length <= LENGTH_LIMIT,
            };
            let version = u16::from_be_bytes([major, minor]);
            if fits { Head::Is(Header { kind, version, length }) } else { Head::Wrong }
        }
        _ => Head::Incomplete,
    }
}

/// True where the bytes are whole records, the last of which may go on in the next segment when it is long: the
/// shape of a connection that was joined after its handshake.
pub fn are_records(mut bytes: &[u8]) -> bool {
    let mut whole = 0;
    loop {
        let Head::Is(header) = head(bytes) else { return false };
        // A cipher's tag alone has eight bytes (RFC 6655), and plaintext is of no use without a handshake.
        let fits = match header.kind {
            Kind::ApplicationData => header.length >= 16 && (0x0301..=0x0303).contains(&header.version),
            Kind::Handshake | Kind::Alert => header.length >= 24,
            Kind::ChangeCipherSpec => bytes.get(HEADER).is_none_or(|byte| *byte == 1),
        };
        if !fits {
            return false;
        }
        match bytes.get(HEADER + header.length..) {
            Some([]) => return true,
            Some(rest) => {
                bytes = rest;
                whole += 1;
            }
            // One header that fits may be chance.
            None => return whole > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, length: u16) -> Vec<u8> {
        let mut bytes = vec![kind, 3, 3];
        bytes.extend(length.to_be_bytes());
        bytes.resize(HEADER + usize::from(length), 0x5a);
        bytes
    }

    #[test]
    fn records_in_a_row_are_recognised_and_a_broken_row_is_not() {
        let data = [record(23, 40), record(23, 100)].concat();
        assert!(are_records(&data));
        assert!(are_records(&data[..120]));
        assert!(!are_records(&data[..40]));
        assert!(!are_records(&[record(23, 40), b"GET /".to_vec()].concat()));
        assert!(!are_records(&record(23, 4)));
    }

    #[test]
    fn a_header_is_judged_as_soon_as_a_byte_speaks_against_it() {
        assert_eq!(head(&[]), Head::Incomplete);
        assert_eq!(head(&[22, 3]), Head::Incomplete);
        for wrong in [&[24][..], &[22, 2], &[22, 3, 9], &[20, 3, 3, 0, 2], &[23, 3, 3, 0x60, 0]] {
            assert_eq!(head(wrong), Head::Wrong, "{wrong:?}");
        }
    }
}
