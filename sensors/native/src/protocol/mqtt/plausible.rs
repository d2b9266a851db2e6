//! Bytes of which nothing is known: may they be MQTT? What may be chance is not taken for a packet.

use super::framing::{Head, Packet, Start, start};
use super::packets::{self, Body};
use super::reader::Reader;
use super::words::{PacketType, Version};

/// The longest packet that is looked for whole, where the step is lost: short, since every byte may look like one.
const LONGEST: usize = 256;

/// The longest topic that is believed without any other sign.
const LONGEST_TOPIC: usize = 256;

/// Whether a packet starts where the step is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Yes,
    No,
    /// Only more bytes can tell.
    Incomplete,
}

/// True for a topic name that a sane publisher would use: no wildcard (MQTT 5.0, 4.7.1), nothing unprintable.
pub fn is_topic(bytes: &[u8]) -> bool {
    let printable = |bytes: &[u8]| !bytes.iter().any(|byte| matches!(byte, 0..=0x1f | 0x7f | b'#' | b'+'));
    !bytes.is_empty() && printable(bytes) && std::str::from_utf8(bytes).is_ok()
}

/// The same for a topic filter, which may have wildcards.
pub fn is_filter(bytes: &[u8]) -> bool {
    let printable = |bytes: &[u8]| !bytes.iter().any(|byte| matches!(byte, 0..=0x1f | 0x7f));
    !bytes.is_empty() && printable(bytes) && std::str::from_utf8(bytes).is_ok()
}

/// Reads a whole packet as any version that it fits.
pub fn read_any<'a>(packet: &Packet<'a>) -> Option<(Body<'a>, Version)> {
    [Version::V3, Version::V5]
        .into_iter()
        .find_map(|version| packets::read(packet, version).ok().map(|body| (body, version)))
}

/// How much a whole packet tells of its being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It is none.
    Nothing,
    /// So few bytes that chance may have made them.
    Little,
    /// A name, a topic, a list of filters.
    Much,
}

/// Weighs a whole packet.
pub fn worth(packet: &Packet<'_>) -> Worth {
    let Some((body, _)) = read_any(packet) else { return Worth::Nothing };
    match body {
        Body::Connect(_) => Worth::Much,
        Body::Publish { topic, .. } if topic.len() <= LONGEST_TOPIC && is_topic(topic) => {
            if topic.len() >= 3 { Worth::Much } else { Worth::Little }
        }
        Body::Publish { .. } => Worth::Nothing,
        Body::Subscribe { filters, .. } | Body::Unsubscribe { filters, .. } => {
            if filters.iter().all(|(filter, _)| is_filter(filter)) { Worth::Much } else { Worth::Nothing }
        }
        Body::Granted { codes, .. } => {
            let known = |code: &u8| *code <= 2 || matches!(code, 0x11 | 0x80..=0xa2);
            if codes.iter().all(known) { Worth::Little } else { Worth::Nothing }
        }
        Body::Acknowledge { code, .. } => {
            let known = code.is_none_or(|code| matches!(code, 0 | 0x10 | 0x80..=0xa2));
            if known { Worth::Little } else { Worth::Nothing }
        }
        Body::Connack { code, .. } => {
            if matches!(code, 0..=5 | 0x80..=0xa2) {
                Worth::Little
            } else {
                Worth::Nothing
            }
        }
        Body::Ping | Body::Reasoned { .. } => Worth::Little,
    }
}

fn whole<'a>(head: Head, body: &'a [u8]) -> Packet<'a> {
    Packet {
        kind: head.kind,
        flags: head.flags,
        body,
        body_bytes: head.body_bytes,
        wire_bytes: head.body_bytes.saturating_add(u32::from(head.header_bytes)),
        holed: false,
    }
}

/// The packet at the front of bytes and what is behind it, where it is there whole.
pub fn first(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let Start::Head(head) = start(bytes) else { return None };
    let (body, behind) =
        bytes.get(usize::from(head.header_bytes)..)?.split_at_checked(head.body_bytes as usize)?;
    Some((whole(head, body), behind))
}

/// How long the packet at the front of bytes is on the wire, where its fixed header is there.
pub fn length(bytes: &[u8]) -> Option<u64> {
    let Start::Head(head) = start(bytes) else { return None };
    Some(u64::from(head.header_bytes) + u64::from(head.body_bytes))
}

/// A fixed header and what is behind it, of a packet that is to be there whole; a PUBLISH is judged at once.
fn opening(bytes: &[u8]) -> Result<(Head, &[u8]), Verdict> {
    let head = match start(bytes) {
        Start::Incomplete => return Err(Verdict::Incomplete),
        Start::Broken(_) => return Err(Verdict::No),
        Start::Head(head) => head,
    };
    let body = &bytes[usize::from(head.header_bytes)..];
    if head.kind == PacketType::Publish {
        return Err(publication(head, body));
    }
    if head.body_bytes as usize > LONGEST { Err(Verdict::No) } else { Ok((head, body)) }
}

/// Looks at the front of bytes in whose middle a packet is looked for. Depends on the bytes alone.
pub fn verdict(bytes: &[u8]) -> Verdict {
    let (head, body) = match opening(bytes) {
        Ok(found) => found,
        Err(verdict) => return verdict,
    };
    let Some((body, behind)) = body.split_at_checked(head.body_bytes as usize) else {
        return Verdict::Incomplete;
    };
    match worth(&whole(head, body)) {
        Worth::Nothing => Verdict::No,
        Worth::Much => Verdict::Yes,
        // One more of the kind has to follow, or a packet that is worth much.
        Worth::Little => follower(behind),
    }
}

fn follower(bytes: &[u8]) -> Verdict {
    let (head, body) = match opening(bytes) {
        Ok(found) => found,
        Err(verdict) => return verdict,
    };
    match body.get(..head.body_bytes as usize) {
        None => Verdict::Incomplete,
        Some(body) if worth(&whole(head, body)) == Worth::Nothing => Verdict::No,
        Some(_) => Verdict::Yes,
    }
}

/// A PUBLISH may be long: its topic has to do.
fn publication(head: Head, body: &[u8]) -> Verdict {
    let mut reader = Reader::new(body);
    let Some(length) = reader.two_bytes().map(usize::from) else { return Verdict::Incomplete };
    if !(3..=LONGEST_TOPIC).contains(&length) {
        return Verdict::No;
    }
    let there = reader.rest.get(..length).unwrap_or(reader.rest);
    if there.iter().any(|byte| matches!(byte, 0..=0x1f | 0x7f | b'#' | b'+')) {
        return Verdict::No;
    }
    if there.len() < length {
        return Verdict::Incomplete;
    }
    if std::str::from_utf8(there).is_err() {
        return Verdict::No;
    }
    if head.flags & 0b0110 != 0 {
        return match reader.rest.get(length..length + 2) {
            None => Verdict::Incomplete,
            Some([0, 0]) => Verdict::No,
            Some(_) => Verdict::Yes,
        };
    }
    Verdict::Yes
}

/// True where bytes, the first of a segment, are whole packets; the last may be a PUBLISH that goes on.
pub fn are_packets(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        match first(rest) {
            Some((packet, behind)) if worth(&packet) != Worth::Nothing => rest = behind,
            Some(_) => return false,
            None => return goes_on(rest),
        }
    }
    !bytes.is_empty()
}

/// True for the first part of a PUBLISH with a whole topic.
pub fn goes_on(bytes: &[u8]) -> bool {
    match start(bytes) {
        Start::Head(head) if head.kind == PacketType::Publish => {
            publication(head, &bytes[usize::from(head.header_bytes)..]) == Verdict::Yes
        }
        _ => false,
    }
}
