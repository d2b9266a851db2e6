//! NTLM messages in, wherever they are carried; names of domain, user and hosts out ([MS-NLMP], 2.2).
//!
//! Challenges and responses are passed over: from them a password can be guessed.

use super::introduction::Introduction;
use super::reading::{Fields, text, utf16_text};

const SIGNATURE: &[u8] = b"NTLMSSP\0";

/// Characters kept of a name.
const NAME_CHARACTERS: usize = 255;

/// NTLMSSP_NEGOTIATE_UNICODE (2.2.2.5).
const UNICODE: u32 = 1;

/// Names of the server in its challenge (2.2.2.1).
const COMPUTER_NAME: u16 = 1;
const DNS_COMPUTER_NAME: u16 = 3;

/// Names of one challenge that are looked at.
const PAIRS_LIMIT: usize = 16;

/// Looks for a message within bytes that may carry one, and notes its names; true where there was one.
pub fn read_within(bytes: &[u8], said: &mut Introduction) -> bool {
    let Some(at) = bytes.windows(SIGNATURE.len()).position(|window| window == SIGNATURE) else {
        return false;
    };
    let message = &bytes[at..];
    let mut fields = Fields(&message[SIGNATURE.len()..]);
    match fields.u32_le() {
        Some(2) => challenge(message, said).is_some(),
        Some(3) => authenticate(message, said).is_some(),
        kind => kind == Some(1),
    }
}

/// The same for a message in base64, as HTTP carries it (RFC 4559, 4).
pub fn read_base64(encoded: &str, said: &mut Introduction) -> bool {
    !encoded.is_empty() && read_within(&decoded(encoded), said)
}

fn decoded(encoded: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let (mut bits, mut count) = (0u32, 0);
    for sign in encoded.bytes() {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'a'..=b'z' => sign - b'a' + 26,
            b'0'..=b'9' => sign - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

/// The text that a length and an offset of eight bytes point to.
fn payload(message: &[u8], at: usize) -> Option<&[u8]> {
    let mut fields = Fields(message.get(at..)?);
    let length = usize::from(fields.u16_le()?);
    fields.u16()?;
    let start = usize::try_from(fields.u32_le()?).ok()?;
    message.get(start..start.checked_add(length)?)
}

/// AUTHENTICATE_MESSAGE (2.2.1.3).
fn authenticate(message: &[u8], said: &mut Introduction) -> Option<()> {
    let flags = Fields(message.get(60..)?).u32_le()?;
    let name = |bytes: &[u8]| match flags & UNICODE {
        0 => text(bytes, NAME_CHARACTERS),
        _ => utf16_text(bytes, NAME_CHARACTERS),
    };
    let domain = name(payload(message, 28)?);
    let user = name(payload(message, 36)?);
    said.client_name = name(payload(message, 44)?);
    if !user.is_empty() {
        said.user = if domain.is_empty() { user } else { format!("{domain}\\{user}") };
    }
    Some(())
}

/// CHALLENGE_MESSAGE (2.2.1.2): the server's names.
fn challenge(message: &[u8], said: &mut Introduction) -> Option<()> {
    let mut pairs = Fields(payload(message, 40)?);
    let mut found = String::new();
    for _ in 0..PAIRS_LIMIT {
        let (kind, length) = (pairs.u16_le()?, pairs.u16_le()?);
        let value = pairs.take(usize::from(length))?;
        match kind {
            0 => break,
            DNS_COMPUTER_NAME => found = utf16_text(value, NAME_CHARACTERS),
            COMPUTER_NAME if found.is_empty() => found = utf16_text(value, NAME_CHARACTERS),
            _ => {}
        }
    }
    if !found.is_empty() {
        said.server_name = found;
    }
    // Where the version is told: product's major, minor and build (2.2.2.10).
    if let Some([major, minor, low, high, ..]) = message.get(48..56) {
        if (5..=11).contains(major) {
            let build = u16::from_le_bytes([*low, *high]);
            said.remark(format!("server is Windows {major}.{minor} build {build}, or says so"));
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_up_to_its_padding() {
        assert_eq!(decoded("TlRMTVNTUAA="), SIGNATURE);
        assert_eq!(decoded("TlRM"), b"NTL");
    }

    #[test]
    fn cut_messages_leave_no_name() {
        let mut said = Introduction::default();
        for length in 0..64 {
            let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
            message.resize(12 + length, 0xff);
            read_within(&message, &mut said);
        }
        assert_eq!(said.user, "");
    }
}
