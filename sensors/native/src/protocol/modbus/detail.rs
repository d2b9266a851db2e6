//! What of a Modbus PDU has no column of its own, as bounded text.

use std::fmt::Write as _;

/// Private bytes that are kept, as hex.
const BYTES_KEPT: usize = 64;

/// Characters of one detail.
const TEXT_KEPT: usize = 512;

/// Up to 64 bytes as hex; more are told by their number.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().min(BYTES_KEPT) * 2);
    for byte in bytes.iter().take(BYTES_KEPT) {
        let _ = write!(text, "{byte:02x}");
    }
    if bytes.len() > BYTES_KEPT {
        let _ = write!(text, "… ({} bytes)", bytes.len());
    }
    text
}

/// Bytes as text: ASCII as it is, all else escaped.
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes.iter().take(TEXT_KEPT / 4) {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// File record references (6.14), with the registers where they are written (6.15).
pub fn records(mut groups: &[u8], written: bool) -> String {
    let mut text = String::new();
    while groups.len() >= 7 && text.len() < TEXT_KEPT {
        let (file, record, length) = (word(groups, 1), word(groups, 3), word(groups, 5));
        if !text.is_empty() {
            text.push_str("; ");
        }
        let _ = write!(text, "file {file} record {record} length {length}");
        let size = if written { 7 + usize::from(length) * 2 } else { 7 };
        let data = &groups[7..size.min(groups.len())];
        if !data.is_empty() {
            let _ = write!(text, ": {}", hex(data));
        }
        groups = &groups[size.min(groups.len())..];
    }
    text
}

/// File records that were read: a length, reference type 6, registers (6.14).
pub fn read_records(mut groups: &[u8]) -> String {
    let mut text = String::new();
    while groups.len() >= 2 && text.len() < TEXT_KEPT {
        let size = (1 + usize::from(groups[0])).clamp(2, groups.len());
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&hex(&groups[2..size]));
        groups = &groups[size..];
    }
    text
}

/// The request of an encapsulated transport (6.19): device identification codes (6.21), or bytes.
pub fn device_request(body: &[u8]) -> String {
    match *body {
        [14, code, object] => format!("device identification {code} from object {object}"),
        _ => hex(&body[1..]),
    }
}

/// Object names of a basic and regular device identification (6.21).
const OBJECTS: [&str; 7] = [
    "VendorName",
    "ProductCode",
    "MajorMinorRevision",
    "VendorUrl",
    "ProductName",
    "ModelName",
    "UserApplicationName",
];

/// The objects of a device identification, by number; none of another encapsulated transport.
pub fn objects(body: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = match body {
        [14, _code, _conformity, _more, _next, _count, objects @ ..] => objects,
        _ => &[],
    };
    std::iter::from_fn(move || {
        let [id, length, data @ ..] = rest else { return None };
        let (value, after) = data.split_at(usize::from(*length).min(data.len()));
        rest = after;
        Some((*id, value))
    })
}

/// The objects of a device identification, as name=text.
pub fn device_response(body: &[u8]) -> String {
    if !matches!(body, [14, _, _, _, _, _, ..]) {
        return hex(&body[1..]);
    }
    let mut text = String::new();
    for (id, value) in objects(body) {
        if !text.is_empty() {
            text.push_str("; ");
        }
        match OBJECTS.get(usize::from(id)) {
            Some(name) => text.push_str(name),
            None => {
                let _ = write!(text, "object {id}");
            }
        }
        text.push('=');
        text.push_str(&self::text(value));
        if text.len() >= TEXT_KEPT {
            break;
        }
    }
    text
}

/// A request's detail and its response's, in one.
pub fn joined(request: &str, response: &str) -> String {
    match (request.is_empty(), response.is_empty()) {
        (true, _) => response.to_owned(),
        (_, true) => request.to_owned(),
        _ if request == response => request.to_owned(),
        _ => format!("{request} -> {response}"),
    }
}
