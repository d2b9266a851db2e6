//! What a record says, as text, and which address or name it tells.

use super::message::{Record, kind};
use super::name;
use crate::inventory::text;

/// Characters of one answer that are kept.
const KEPT: usize = 255;

/// A type's name (IANA, DNS parameters), or TYPE and its number (RFC 3597, 5).
pub fn type_name(kind: u16) -> String {
    let known = match kind {
        kind::A => "A",
        kind::NS => "NS",
        kind::CNAME => "CNAME",
        kind::SOA => "SOA",
        kind::PTR => "PTR",
        kind::HINFO => "HINFO",
        kind::MX => "MX",
        kind::TXT => "TXT",
        kind::AAAA => "AAAA",
        29 => "LOC",
        kind::SRV => "SRV",
        35 => "NAPTR",
        39 => "DNAME",
        41 => "OPT",
        43 => "DS",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        50 => "NSEC3",
        52 => "TLSA",
        64 => "SVCB",
        65 => "HTTPS",
        99 => "SPF",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        _ => return format!("TYPE{kind}"),
    };
    known.to_owned()
}

/// The address of an A or AAAA record.
pub fn address(record: &Record<'_>) -> Option<[u8; 16]> {
    match record.kind {
        kind::A => record.data.try_into().ok().map(text::mapped),
        kind::AAAA => record.data.try_into().ok(),
        _ => None,
    }
}

/// The name that a record's data is, or ends with.
pub fn target(message: &[u8], record: &Record<'_>) -> Option<String> {
    let skipped = match record.kind {
        kind::NS | kind::CNAME | kind::SOA | kind::PTR => 0,
        kind::MX => 2,
        kind::SRV => 6,
        _ => return None,
    };
    if record.data.len() <= skipped {
        return None;
    }
    name::read(message, record.data_at + skipped).ok().map(|(name, _)| name)
}

/// The strings of a TXT or HINFO record.
pub fn strings<'a>(record: &Record<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let mut rest = record.data;
    std::iter::from_fn(move || {
        let [length, tail @ ..] = rest else { return None };
        let (string, after) = tail.split_at_checked(usize::from(*length))?;
        rest = after;
        Some(string)
    })
}

/// A record's data as people write it.
pub fn say(message: &[u8], record: &Record<'_>) -> String {
    if let Some(address) = address(record) {
        return text::ip(&address);
    }
    let said = match (record.kind, record.data, target(message, record)) {
        (kind::MX, [high, low, ..], Some(name)) => {
            format!("{} {name}", u16::from_be_bytes([*high, *low]))
        }
        (kind::SRV, [_, _, _, _, high, low, ..], Some(name)) => {
            format!("{name}:{}", u16::from_be_bytes([*high, *low]))
        }
        (_, _, Some(name)) => name,
        (kind::TXT | kind::HINFO, _, None) => strings(record).map(text::of).collect::<Vec<_>>().join(" "),
        (other, data, None) => format!("{}, {} bytes", type_name(other), data.len()),
    };
    said.chars().take(KEPT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
