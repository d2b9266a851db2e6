//! DER in; the few fields of an X.509 certificate that tell whose it is out (X.690; RFC 5280, 4.1).
//!
//! Nothing is verified: this is what a certificate says of itself. Elements are taken only where their length fits
//! into what is left, lists are read up to a named bound, and nothing recurses.

/// Parts of a name, and alternative names, that are kept.
const PARTS_LIMIT: usize = 32;

/// Characters kept of one part of a name.
const PART_CHARACTERS: usize = 128;

/// Extensions that are looked at.
const EXTENSIONS_LIMIT: usize = 64;

/// Octets of a serial number (RFC 5280, 4.1.2.2).
const SERIAL_OCTETS: usize = 20;

mod tag {
    pub const INTEGER: u8 = 0x02;
    pub const OCTET_STRING: u8 = 0x04;
    pub const OBJECT: u8 = 0x06;
    pub const BMP_STRING: u8 = 0x1e;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;
    pub const VERSION: u8 = 0xa0;
    pub const EXTENSIONS: u8 = 0xa3;
}

/// The extension with the subject's other names (RFC 5280, 4.2.1.6).
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// Attribute types with a short name (RFC 4514, 3; RFC 4519), by the encoding of their object identifier.
const ATTRIBUTES: &[(&[u8], &str)] = &[
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "street"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 42], "GN"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
];

/// One element: its tag and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
}

/// The first element and what follows it; none where its length is not in definite form or does not fit.
pub fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let [tag, first, rest @ ..] = bytes else { return None };
    // A tag number of more than one octet occurs in no certificate.
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((Element { tag: *tag, content }, rest))
}

/// The first element, where it has that tag: its content and what follows it.
fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = element(bytes)?;
    (found.tag == tag).then_some((found.content, rest))
}

/// The elements that stand in a row, as far as they can be read.
fn elements(mut bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    std::iter::from_fn(move || {
        let (found, rest) = element(bytes)?;
        bytes = rest;
        Some(found)
    })
}

/// What a certificate says of its holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The holder's name as text (RFC 4514: the most particular part first).
    pub subject: String,
    pub issuer: String,
    /// The subject's common name; empty where it has none.
    pub common_name: String,
    /// Hexadecimal digits.
    pub serial_number: String,
    /// Nanoseconds since the epoch; the last representable one for times that lie beyond it.
    pub not_before: Option<i64>,
    pub not_after: Option<i64>,
    /// Other names of the holder: `dns:`, `uri:`, `email:` and `ip:` before the name.
    pub alternative_names: Vec<String>,
}

/// Reads a certificate; none where it is not one (RFC 5280, 4.1).
pub fn certificate(bytes: &[u8]) -> Option<Certificate> {
    let (whole, _) = expect(bytes, tag::SEQUENCE)?;
    let (mut fields, _) = expect(whole, tag::SEQUENCE)?;
    if let Some((_, rest)) = expect(fields, tag::VERSION) {
        fields = rest;
    }
    let (serial, fields) = expect(fields, tag::INTEGER)?;
    let (_algorithm, fields) = expect(fields, tag::SEQUENCE)?;
    let (issuer, fields) = expect(fields, tag::SEQUENCE)?;
    let (validity, fields) = expect(fields, tag::SEQUENCE)?;
    let (subject, fields) = expect(fields, tag::SEQUENCE)?;
    let (_key, fields) = expect(fields, tag::SEQUENCE)?;
    let mut times = elements(validity).map(time);
    let (subject, common_name) = name(subject);
    Some(Certificate {
        subject,
        issuer: name(issuer).0,
        common_name,
        serial_number: hexadecimal(serial.strip_prefix(&[0]).unwrap_or(serial), SERIAL_OCTETS),
        not_before: times.next().flatten(),
        not_after: times.next().flatten(),
        alternative_names: elements(fields)
            .find(|field| field.tag == tag::EXTENSIONS)
            .and_then(|field| expect(field.content, tag::SEQUENCE))
            .map(|(extensions, _)| alternative_names(extensions))
            .unwrap_or_default(),
    })
}

/// A distinguished name as text (RFC 4514), and its common name.
fn name(bytes: &[u8]) -> (String, String) {
    let mut common_name = String::new();
    let mut sets = Vec::new();
    for set in elements(bytes).take(PARTS_LIMIT).filter(|set| set.tag == tag::SET) {
        let mut together = String::new();
        for attribute in elements(set.content).take(PARTS_LIMIT) {
            let Some((object, rest)) = expect(attribute.content, tag::OBJECT) else { continue };
            let Some((value, _)) = element(rest) else { continue };
            let value = text(value);
            if !together.is_empty() {
                together.push('+');
            }
            match ATTRIBUTES.iter().find(|(known, _)| *known == object) {
                Some((_, short)) => together.push_str(short),
                None => together.push_str(&dotted(object)),
            }
            together.push('=');
            together.push_str(&escaped(&value));
            if object == ATTRIBUTES[0].0 {
                common_name = value;
            }
        }
        sets.push(together);
    }
    sets.reverse();
    (sets.join(","), common_name)
}

/// A string of any type as bounded text without control characters.
fn text(value: Element<'_>) -> String {
    let cleaned = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    if value.tag == tag::BMP_STRING {
        let units = value.content.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        let characters = char::decode_utf16(units).map(|read| read.unwrap_or('\u{fffd}'));
        return characters.map(cleaned).take(PART_CHARACTERS).collect();
    }
    let bounded = &value.content[..value.content.len().min(PART_CHARACTERS * 4)];
    String::from_utf8_lossy(bounded).chars().map(cleaned).take(PART_CHARACTERS).collect()
}

/// A value with the signs of RFC 4514, 2.4 escaped.
fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(value.len());
    for (place, sign) in value.chars().enumerate() {
        let at_an_end = (sign == ' ' && (place == 0 || place == last)) || (sign == '#' && place == 0);
        if at_an_end || matches!(sign, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            escaped.push('\\');
        }
        escaped.push(sign);
    }
    escaped
}

/// An object identifier in dotted form (X.690, 8.19).
fn dotted(object: &[u8]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut part = 0u64;
    for octet in object.iter().take(PART_CHARACTERS) {
        part = part.saturating_mul(128).saturating_add(u64::from(octet & 0x7f));
        if octet & 0x80 != 0 {
            continue;
        }
        if parts.is_empty() {
            let first = (part / 40).min(2);
            parts.push(first.to_string());
            part -= first * 40;
        }
        parts.push(part.to_string());
        part = 0;
    }
    parts.join(".")
}

fn hexadecimal(bytes: &[u8], most: usize) -> String {
    bytes.iter().take(most).map(|byte| format!("{byte:02x}")).collect()
}

/// UTCTime or GeneralizedTime in UTC (RFC 5280, 4.1.2.5), as nanoseconds since the epoch.
fn time(value: Element<'_>) -> Option<i64> {
    let digits = value.content.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |part: &[u8]| part.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let (year, rest) = match (value.tag, digits.len()) {
        (tag::UTC_TIME, 12) => {
            let year = number(&digits[..2]);
            (if year >= 50 { 1_900 + year } else { 2_000 + year }, &digits[2..])
        }
        (tag::GENERALIZED_TIME, 14) => (number(&digits[..4]), &digits[4..]),
        _ => return None,
    };
    let [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map(|at| number(&rest[at..at + 2]));
    let plausible = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60;
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    plausible.then_some(seconds.saturating_mul(1_000_000_000))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar: years are counted from March, so that a leap day is
/// the last of its year.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let since_march = (month + 9) % 12;
    let day_of_year = (153 * since_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + day_of_year - 719_468
}

fn alternative_names(extensions: &[u8]) -> Vec<String> {
    for extension in elements(extensions).take(EXTENSIONS_LIMIT) {
        let Some((SUBJECT_ALTERNATIVE_NAME, rest)) = expect(extension.content, tag::OBJECT) else { continue };
        let value = elements(rest).find(|field| field.tag == tag::OCTET_STRING);
        let names = value.and_then(|value| expect(value.content, tag::SEQUENCE));
        let Some((names, _)) = names else { return Vec::new() };
        return elements(names).filter_map(alternative_name).take(PARTS_LIMIT).collect();
    }
    Vec::new()
}

/// A GeneralName of the kinds that are text or an address.
fn alternative_name(name: Element<'_>) -> Option<String> {
    let kind = match name.tag {
        0x81 => "email",
        0x82 => "dns",
        0x86 => "uri",
        0x87 => {
            return match *name.content {
                [a, b, c, d] => Some(format!("ip:{a}.{b}.{c}.{d}")),
                _ => {
                    let octets: [u8; 16] = name.content.try_into().ok()?;
                    Some(format!("ip:{}", std::net::Ipv6Addr::from(octets)))
                }
            };
        }
        _ => return None,
    };
    Some(format!("{kind}:{}", text(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
        assert!(content.len() < 128);
        [&[tag, content.len() as u8][..], content].concat()
    }

    fn attribute(object: &[u8], value: &[u8]) -> Vec<u8> {
        let pair = [wrapped(tag::OBJECT, object), wrapped(0x0c, value)].concat();
        wrapped(tag::SET, &wrapped(tag::SEQUENCE, &pair))
    }

    #[test]
    fn the_most_particular_part_of_a_name_comes_first_and_signs_are_escaped() {
        let bytes = [
            attribute(&[0x55, 4, 6], b"CL"),
            attribute(&[0x55, 4, 10], b"Mine, A"),
            attribute(&[0x55, 4, 3], b"#plc1 "),
        ]
        .concat();
        assert_eq!(name(&bytes), ("CN=\\#plc1\\ ,O=Mine\\, A,C=CL".to_owned(), "#plc1 ".to_owned()));
    }

    #[test]
    fn an_attribute_without_a_short_name_is_dotted() {
        // id-at-organizationIdentifier.
        assert_eq!(name(&attribute(&[0x55, 4, 97], b"x")).0, "2.5.4.97=x");
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]), "1.2.840.113549");
    }

    #[test]
    fn times_of_both_forms_are_read() {
        let read = |tag, text: &'static [u8]| time(Element { tag, content: text });
        // RFC 5280, 4.1.2.5.1: years from 50 on are of the last century.
        assert_eq!(read(tag::UTC_TIME, b"700101000001Z"), Some(1_000_000_000));
        assert_eq!(read(tag::UTC_TIME, b"491231235959Z"), Some(2_524_607_999_000_000_000));
        assert_eq!(read(tag::GENERALIZED_TIME, b"20000229120000Z"), Some(951_825_600_000_000_000));
        assert_eq!(read(tag::GENERALIZED_TIME, b"99991231235959Z"), Some(i64::MAX));
        for wrong in [&b"20001301000000Z"[..], b"2000", b"20000101000000+0100", b""] {
            assert_eq!(read(tag::GENERALIZED_TIME, wrong), None);
        }
    }

    #[test]
    fn alternative_names_carry_their_kind() {
        let names = [
            wrapped(0x82, b"plc1.mine"),
            wrapped(0x86, b"urn:plc1"),
            wrapped(0x87, &[10, 0, 0, 9]),
            wrapped(0xa0, b"other"),
        ]
        .concat();
        let value = wrapped(tag::OCTET_STRING, &wrapped(tag::SEQUENCE, &names));
        let extension = [wrapped(tag::OBJECT, SUBJECT_ALTERNATIVE_NAME), value].concat();
        let read = alternative_names(&wrapped(tag::SEQUENCE, &extension));
        assert_eq!(read, ["dns:plc1.mine", "uri:urn:plc1", "ip:10.0.0.9"]);
    }

    #[test]
    fn lengths_that_do_not_fit_end_the_reading() {
        for bytes in [&b""[..], b"\x30", b"\x30\x05ab", b"\x30\x80", b"\x30\x85\0\0\0\0\0", b"\x1f\x01\0"] {
            assert_eq!(element(bytes), None, "{bytes:?}");
        }
        assert_eq!(element(b"\x04\x81\x01a!").unwrap().1, b"!");
    }
}
