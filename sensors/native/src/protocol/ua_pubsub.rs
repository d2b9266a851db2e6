//! OPC UA PubSub over UDP (OPC 10000-14, 7.2.4 UADP): publishers and writer groups, counted.

use super::operation::{Dialect, Exchange, Head, Message, Operation, Reader, Speaker, printable};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, OperationClass as Class, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::UaPubSub,
    layer: Layer::OpcUa,
    transport: Transport::Udp,
    ports: &[4_840],
    recognise,
    parser: Some(|confidence| Speaker::over_udp(PubSub, confidence)),
};

/// What a network message is for.
const DATA: u8 = 0;
const DISCOVERY_PROBE: u8 = 1;
const DISCOVERY_ANNOUNCEMENT: u8 = 2;
/// A data set message that says only that its writer is alive.
const KEEP_ALIVE: u8 = 3;
/// Fields as they lie in memory.
const RAW: u8 = 1;

/// The head of a network message.
#[derive(Debug, Default, PartialEq)]
struct NetworkMessage {
    publisher: String,
    group: Option<u16>,
    secured: bool,
    /// Discovery instead of data.
    kind: u8,
}

/// Reads a network message's head; `None` where it is cut short, where its flags contradict each other, or where what
/// follows it cannot be what they announce.
fn head(bytes: &[u8]) -> Option<NetworkMessage> {
    let mut reader = Reader(bytes);
    let flags = reader.u8()?;
    if flags & 0x0f != 1 || flags & 0x10 == 0 {
        return None;
    }
    let extended = if flags & 0x80 != 0 { reader.u8()? } else { 0 };
    let further = if extended & 0x80 != 0 { reader.u8()? } else { 0 };
    let kind = further >> 2 & 7;
    let has_header = flags & 0x60 != 0;
    // Kinds from 3 on are reserved, and discovery has neither a group's header nor a payload's.
    if further & 0xe0 != 0 || kind > DISCOVERY_ANNOUNCEMENT || kind != DATA && has_header {
        return None;
    }
    let publisher = match extended & 7 {
        0 => reader.u8()?.to_string(),
        1 => reader.u16_le()?.to_string(),
        2 => reader.u32_le()?.to_string(),
        3 => reader.u64_le()?.to_string(),
        4 => {
            let length = usize::try_from(reader.u32_le()?).ok()?;
            printable(reader.take(length)?)
        }
        _ => return None,
    };
    if extended & 0x08 != 0 {
        reader.skip(16)?;
    }
    let mut group = None;
    if flags & 0x20 != 0 {
        let flags = reader.u8()?;
        if flags & 0xf0 != 0 {
            return None;
        }
        if flags & 1 != 0 {
            group = Some(reader.u16_le()?);
        }
        for (bit, length) in [(2, 4), (4, 2), (8, 2)] {
            if flags & bit != 0 {
                reader.skip(length)?;
            }
        }
    }
    let mut messages = 1;
    if flags & 0x40 != 0 {
        messages = reader.u8()?;
        reader.skip(usize::from(messages) * 2)?;
    }
    // A time stamp and its picoseconds.
    reader.skip(if extended & 0x20 != 0 { 8 } else { 0 } + if extended & 0x40 != 0 { 2 } else { 0 })?;
    if further & 2 != 0 {
        let promoted = reader.u16_le()?;
        reader.skip(usize::from(promoted))?;
    }
    let secured = extended & 0x10 != 0;
    let is_plausible = match kind {
        _ if secured => security(&mut reader),
        DATA if further & 1 != 0 => Some(()), // A chunk: its part of a message says nothing by itself.
        DATA => data(reader, messages),
        DISCOVERY_PROBE => (1..=2).contains(&reader.u8()?).then_some(()),
        _ => announcement(&mut reader),
    };
    is_plausible.map(|()| NetworkMessage { publisher, group, secured, kind })
}

/// A security header (7.2.4.4.3): flags, token, nonce, and the length of a footer.
fn security(reader: &mut Reader<'_>) -> Option<()> {
    let flags = reader.u8()?;
    reader.skip(4)?;
    let nonce = reader.u8()?;
    reader.skip(usize::from(nonce))?;
    let footer = if flags & 4 != 0 { reader.u16_le()? } else { 0 };
    (flags & 0xf0 == 0 && flags & 3 != 0 && reader.len() >= usize::from(footer)).then_some(())
}

/// An announcement's kind and sequence number (7.2.4.6.12).
fn announcement(reader: &mut Reader<'_>) -> Option<()> {
    let kind = reader.u8()?;
    reader.u16_le()?;
    (1..=5).contains(&kind).then_some(())
}

/// The sizes of the data set messages, where there are several, and the head of the first (7.2.4.5.4).
fn data(mut reader: Reader<'_>, messages: u8) -> Option<()> {
    if messages == 0 {
        return reader.is_empty().then_some(());
    }
    if messages > 1 {
        let sizes: Option<usize> = (0..messages).map(|_| reader.u16_le().map(usize::from)).sum();
        if sizes? > reader.len() {
            return None;
        }
    }
    let flags = reader.u8()?;
    let encoding = flags >> 1 & 3;
    let further = if flags & 0x80 != 0 { reader.u8()? } else { 0 };
    let kind = further & 0x0f;
    if flags & 1 == 0 || encoding == 3 || kind > KEEP_ALIVE || further & 0xc0 != 0 {
        return None;
    }
    // Sequence number, status and both versions; a time stamp and its picoseconds.
    for (is_there, length) in [
        (flags & 0x08 != 0, 2),
        (further & 0x10 != 0, 8),
        (further & 0x20 != 0, 2),
        (flags & 0x10 != 0, 2),
        (flags & 0x20 != 0, 4),
        (flags & 0x40 != 0, 4),
    ] {
        reader.skip(if is_there { length } else { 0 })?;
    }
    // Raw fields have no frame of their own; others are counted, and each is a byte at least.
    if kind == KEEP_ALIVE || encoding == RAW {
        return Some(());
    }
    let fields = reader.u16_le()?;
    (usize::from(fields) <= reader.len()).then_some(())
}

fn judge(bytes: &[u8], _in_step: bool) -> Head {
    if head(bytes).is_some() { Head::Message(bytes.len()) } else { Head::Wrong }
}

/// Too little structure to be told from other datagrams: only on its own port.
fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let message = head(payload).filter(|_| on_port)?;
    // A publisher without groups or discovery is too little even there.
    let tells = message.group.is_some() || message.kind != DATA || payload[0] & 0x40 != 0;
    tells.then_some(Recognised { confidence: Confidence::Structure, speaker: None })
}

struct PubSub;

impl Dialect for PubSub {
    type Key = ();
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::UaPubSub;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<()>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let head = head(message.bytes)?;
        let key = u64::from(head.group.unwrap_or(0)) | u64::from(head.kind) << 16;
        exchange.count(key, from, None, at, out, || {
            let (name, class) = match head.kind {
                DATA => ("publish", Class::Other),
                DISCOVERY_PROBE => ("discovery request", Class::Discover),
                _ => ("discovery response", Class::Discover),
            };
            let group = head.group.map(|group| format!(" writer group {group}")).unwrap_or_default();
            Operation::new(name, class)
                .on(format!("publisher {}{group}", head.publisher))
                .with(if head.secured { "secured" } else { "" })
        });
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Publisher 2234 as a 16-bit number, writer group 100, one writer.
    const MESSAGE: &[u8] = &[0xf1, 0x01, 0xba, 0x08, 0x01, 100, 0, 1, 1, 0, 0x03, 0xaa];

    #[test]
    fn a_network_message_says_publisher_and_group() {
        let head = head(MESSAGE).unwrap();
        assert_eq!((head.publisher.as_str(), head.group), ("2234", Some(100)));
        assert!(recognise(MESSAGE, true).is_some());
    }

    #[test]
    fn elsewhere_or_with_other_versions_it_is_not_named() {
        assert!(recognise(MESSAGE, false).is_none());
        assert!(recognise(&[0xf2, 1, 0xba, 8], true).is_none());
        assert!(recognise(&[0x11, 7], true).is_none());
    }

    /// An announcement of a publisher known by a 64-bit number, behind it an announcement's kind.
    fn announced(further: u8, kind: u8) -> Vec<u8> {
        let mut bytes = vec![0x91, 0x83, further];
        bytes.extend([7, 0, 0, 0, 0, 0, 0, 0, kind, 1, 0, 0]);
        bytes
    }

    #[test]
    fn discovery_is_told_by_its_flags_and_by_what_it_announces() {
        assert!(recognise(&announced(2 << 2, 2), true).is_some());
        assert!(recognise(&announced(2 << 2, 0xe1), true).is_none());
        assert!(recognise(&announced(4 << 2, 2), true).is_none());
        let mut with_groups = announced(2 << 2, 2);
        with_groups[0] |= 0x40;
        assert!(recognise(&with_groups, true).is_none());
        // Random bytes that were once taken for an announcement.
        let noise =
            [209, 203, 12, 107, 218, 92, 173, 56, 172, 179, 185, 108, 121, 102, 36, 225, 89, 92, 56, 130];
        assert!(recognise(&noise, true).is_none());
    }

    #[test]
    fn data_is_told_by_the_head_of_its_first_message() {
        let message = |tail: &[u8]| [&MESSAGE[..10], tail].concat();
        assert!(recognise(&message(&[0x01, 1, 0, 1, 1]), true).is_some());
        assert!(recognise(&message(&[0x00, 1, 0, 1, 1]), true).is_none(), "not valid");
        assert!(recognise(&message(&[0x07, 1, 0, 1, 1]), true).is_none(), "a reserved encoding");
        assert!(recognise(&message(&[0x01, 9, 0, 1, 1]), true).is_none(), "more fields than bytes");
        assert!(recognise(&message(&[0x81, 0x04, 1, 0, 1]), true).is_none(), "a reserved kind");
        assert!(recognise(&message(&[0x03, 0xaa]), true).is_some(), "raw fields");
    }

    #[test]
    fn what_is_secured_is_told_by_its_security_header() {
        let secured = |flags: u8, nonce: u8| {
            let mut bytes = vec![0xf1, 0x11, 0xba, 0x08, 0x01, 100, 0, 1, 1, 0];
            bytes.extend([flags, 1, 0, 0, 0, nonce]);
            bytes.extend([0xcc; 20]);
            bytes
        };
        assert!(head(&secured(3, 8)).unwrap().secured);
        assert!(head(&secured(0x13, 8)).is_none());
        assert!(head(&secured(3, 200)).is_none());
    }
}
