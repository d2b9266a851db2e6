//! Basic encoding rules, as much as SNMP uses (ITU-T X.690, 8.1; RFC 3417, 8): definite lengths, low tags.

pub const INTEGER: u8 = 0x02;
pub const OCTETS: u8 = 0x04;
pub const OBJECT_ID: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;

/// The first element of some bytes: its tag, its content, and what is behind it.
pub fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, length, rest @ ..] = bytes else { return None };
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (octets.iter().fold(0usize, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

/// The first element, where it has a tag: its content and what is behind it.
pub fn tagged(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(tag, ..)| *tag == wanted).map(|(_, content, after)| (content, after))
}

/// An object identifier in dots (X.690, 8.19); none where it ends inside a number.
pub fn object_id(content: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut number = 0u64;
    for octet in content {
        number = number.checked_shl(7)? | u64::from(octet & 0x7f);
        if number > u64::from(u32::MAX) + 80 {
            return None;
        }
        if octet & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let first = (number / 40).min(2);
            text = format!("{first}.{}", number - first * 40);
        } else {
            text.push('.');
            text.push_str(&number.to_string());
        }
        number = 0;
    }
    let ended = content.last().is_some_and(|octet| octet & 0x80 == 0);
    ended.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_examples_are_read() {
        // X.690, 8.19.5: {2 999 3}.
        assert_eq!(object_id(&[0x88, 0x37, 0x03]).unwrap(), "2.999.3");
        assert_eq!(object_id(&[0x2b, 6, 1, 4, 1, 0x94, 0x78]).unwrap(), "1.3.6.1.4.1.2680");
        assert_eq!(object_id(&[0x2b, 0x86]), None);
        assert_eq!(object_id(&[0xff; 40]), None);
    }

    #[test]
    fn elements_end_where_their_lengths_say() {
        assert_eq!(element(&[4, 2, 1, 2, 9]), Some((4, &[1, 2][..], &[9][..])));
        assert_eq!(element(&[4, 0x82, 0, 1, 7]), Some((4, &[7][..], &[][..])));
        for bytes in
            [&[4][..], &[4, 3, 1, 2], &[4, 0x80], &[4, 0x84, 255, 255, 255, 255], &[4, 0x85, 0, 0, 0, 0, 0]]
        {
            assert_eq!(element(bytes), None, "{bytes:?}");
        }
    }
}
