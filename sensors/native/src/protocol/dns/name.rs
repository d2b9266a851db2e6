//! Domain names of a message as text (RFC 1035, 4.1.4): labels, and pointers to labels that came before.

use std::fmt::Write as _;

/// Octets of a name, lengths of labels included (2.3.4).
const MOST: usize = 255;

/// Pointers of one name that are followed. Every pointer leads back, so that no loop is possible; this bounds what
/// a chain of them costs.
const POINTERS: usize = 16;

/// Why a name cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// The message ends inside the name.
    Cut,
    /// A pointer that does not lead back, too many of them, or a name that is too long.
    Endless,
    /// A label of a kind that does not exist.
    Label,
}

/// The name at a place of a message, without a dot at its end, and where what follows it starts.
///
/// # Errors
/// Where there is no whole name.
pub fn read(message: &[u8], start: usize) -> Result<(String, usize), NameError> {
    let mut text = String::new();
    let mut at = start;
    let mut after = None;
    // Pointers have to lead before everything of the name that was read so far.
    let mut before = start;
    let (mut octets, mut pointers) = (0, 0);
    loop {
        let length = *message.get(at).ok_or(NameError::Cut)?;
        match length {
            0 => return Ok((text, after.unwrap_or(at + 1))),
            1..=63 => {
                let label = message.get(at + 1..at + 1 + usize::from(length)).ok_or(NameError::Cut)?;
                octets += 1 + label.len();
                if octets >= MOST {
                    return Err(NameError::Endless);
                }
                push_label(&mut text, label);
                at += 1 + label.len();
            }
            0xc0.. => {
                let low = *message.get(at + 1).ok_or(NameError::Cut)?;
                let to = usize::from(length & 0x3f) << 8 | usize::from(low);
                pointers += 1;
                if to >= before || pointers > POINTERS {
                    return Err(NameError::Endless);
                }
                after.get_or_insert(at + 2);
                at = to;
                before = to;
            }
            _ => return Err(NameError::Label),
        }
    }
}

/// Dots within a label and what is not printable are escaped (RFC 4343, 2.1); UTF-8 is kept, as mDNS has it.
fn push_label(text: &mut String, label: &[u8]) {
    if !text.is_empty() {
        text.push('.');
    }
    if let Ok(utf8) = std::str::from_utf8(label) {
        for character in utf8.chars() {
            match character {
                '.' | '\\' => {
                    text.push('\\');
                    text.push(character);
                }
                c if c.is_control() => {
                    let _ = write!(text, "\\{:03}", u32::from(c));
                }
                c => text.push(c),
            }
        }
        return;
    }
    for byte in label {
        match byte {
            b'!'..=b'~' if !matches!(byte, b'.' | b'\\') => text.push(char::from(*byte)),
            _ => {
                let _ = write!(text, "\\{byte:03}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1035, 4.1.4: F.ISI.ARPA at 20, FOO and a pointer at 40, a pointer to ARPA at 64, the root at 92.
    fn standards_example() -> Vec<u8> {
        let mut message = vec![0xff; 93];
        message[20..32].copy_from_slice(b"\x01F\x03ISI\x04ARPA\0");
        message[40..46].copy_from_slice(b"\x03FOO\xc0\x14");
        message[64..66].copy_from_slice(b"\xc0\x1a");
        message[92] = 0;
        message
    }

    #[test]
    fn the_standards_example_is_read() {
        let message = standards_example();
        let names: Vec<_> = [20, 40, 64, 92].map(|at| read(&message, at).unwrap()).into();
        assert_eq!(
            names,
            [
                ("F.ISI.ARPA".into(), 32),
                ("FOO.F.ISI.ARPA".into(), 46),
                ("ARPA".into(), 66),
                (String::new(), 93)
            ]
        );
    }

    #[test]
    fn pointers_to_themselves_to_each_other_and_ahead_are_refused() {
        assert_eq!(read(b"\xc0\x00", 0), Err(NameError::Endless));
        assert_eq!(read(b"\x01a\xc0\x04\x01b\xc0\x00", 4), Err(NameError::Endless));
        assert_eq!(read(b"\xc0\x02\x01a\0", 0), Err(NameError::Endless));
        assert_eq!(read(b"\x01a\xc0\x00", 0), Err(NameError::Endless));
    }

    #[test]
    fn a_long_chain_of_pointers_is_given_up() {
        let mut message = vec![0, 0];
        for place in (0..100u16).map(|number| number * 2) {
            message.extend((0xc000 | place).to_be_bytes());
        }
        assert_eq!(read(&message, 200), Err(NameError::Endless));
        assert_eq!(read(&message, 10), Ok((String::new(), 12)));
    }

    #[test]
    fn cut_and_overlong_names_and_unknown_labels_are_refused() {
        let message = standards_example();
        for length in 20..32 {
            assert!(read(&message[..length], 20).is_err(), "{length}");
        }
        assert_eq!(read(&[&[63; 64][..]; 5].concat(), 0), Err(NameError::Endless));
        assert_eq!(read(b"\x80", 0), Err(NameError::Label));
    }

    #[test]
    fn dots_and_control_characters_are_escaped() {
        assert_eq!(read(b"\x03a.b\x02\x07\\\0", 0).unwrap().0, "a\\.b.\\007\\\\");
        assert_eq!(read(b"\x02\xff\x41\0", 0).unwrap().0, "\\255A");
    }
}
