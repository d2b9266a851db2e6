//! JA4: what a TLS client offers as a short text that clients of one kind share.
//!
//! Source: FoxIO, "JA4: TLS Client Fingerprinting", technical details (BSD 3-Clause). Only JA4 itself; the other
//! methods of that family have another licence.

use sha2::{Digest, Sha256};

use super::hello::{ClientHello, extension, is_grease};

/// What stands for a list without members.
const NOTHING: &str = "000000000000";

/// The fingerprint; `transport` is `t` for TCP, `d` for DTLS and `q` for QUIC.
pub fn ja4(hello: &ClientHello, transport: char) -> String {
    let listed = |list: &[u16]| list.iter().copied().filter(|value| !is_grease(*value)).collect::<Vec<_>>();
    let mut ciphers = listed(&hello.ciphers);
    let mut extensions = listed(&hello.extensions);
    let has_name = extensions.contains(&extension::SERVER_NAME);
    let head = format!(
        "{transport}{}{}{:02}{:02}{}",
        version(hello.version()),
        if has_name { 'd' } else { 'i' },
        ciphers.len().min(99),
        extensions.len().min(99),
        alpn(&hello.first_alpn),
    );
    ciphers.sort_unstable();
    extensions.retain(|kind| ![extension::SERVER_NAME, extension::ALPN].contains(kind));
    extensions.sort_unstable();
    let mut told = joined(&extensions);
    let signatures = listed(&hello.signature_algorithms);
    if !signatures.is_empty() {
        told.push('_');
        told.push_str(&joined(&signatures));
    }
    let tail = if extensions.is_empty() { NOTHING.to_owned() } else { hashed(&told) };
    let middle = if ciphers.is_empty() { NOTHING.to_owned() } else { hashed(&joined(&ciphers)) };
    format!("{head}_{middle}_{tail}")
}

fn version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last character of the first application protocol; of its hexadecimal digits where one is no letter and
/// no digit.
fn alpn(first: &[u8]) -> String {
    let (Some(start), Some(end)) = (first.first(), first.last()) else { return "00".to_owned() };
    if start.is_ascii_alphanumeric() && end.is_ascii_alphanumeric() {
        return [char::from(*start), char::from(*end)].iter().collect();
    }
    let (start, end) = (format!("{start:02x}"), format!("{end:02x}"));
    format!("{}{}", &start[..1], &end[1..])
}

fn joined(values: &[u16]) -> String {
    values.iter().map(|value| format!("{value:04x}")).collect::<Vec<_>>().join(",")
}

fn hashed(text: &str) -> String {
    Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the method's description.
    fn example() -> ClientHello {
        ClientHello {
            legacy_version: 0x0303,
            versions: vec![0x3a3a, 0x0304, 0x0303],
            ciphers: vec![
                0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
                0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0xdada, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023,
                0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
            ],
            signature_algorithms: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            first_alpn: b"h2".to_vec(),
            ..ClientHello::default()
        }
    }

    #[test]
    fn the_description_s_example_has_its_fingerprint() {
        assert_eq!(ja4(&example(), 't'), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn lists_without_members_are_zeros() {
        let hello = ClientHello { legacy_version: 0x0301, ..ClientHello::default() };
        assert_eq!(ja4(&hello, 't'), "t10i000000_000000000000_000000000000");
    }

    #[test]
    fn application_protocols_are_two_characters() {
        assert_eq!(alpn(b"http/1.1"), "h1");
        assert_eq!(alpn(b"x"), "xx");
        assert_eq!(alpn(&[0xab, 0xcd]), "ad");
        assert_eq!(alpn(&[0x30, 0x31, 0xab, 0xcd]), "3d");
    }
}
