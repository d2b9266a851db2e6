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

/// The head of a network message.
#[derive(Debug, Default, PartialEq)]
struct NetworkMessage {
    publisher: String,
    group: Option<u16>,
    secured: bool,
    /// Discovery instead of data.
    kind: u8,
}

/// Reads a network message's head; `None` where its flags contradict each other or it is cut short.
fn head(bytes: &[u8]) -> Option<NetworkMessage> {
    let mut reader = Reader(bytes);
    let flags = reader.u8()?;
    if flags & 0x0f != 1 || flags & 0x10 == 0 {
        return None;
    }
    let extended = if flags & 0x80 != 0 { reader.u8()? } else { 0 };
    let further = if extended & 0x80 != 0 { reader.u8()? } else { 0 };
    if further & 0xe0 != 0 {
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
    if flags & 0x40 != 0 && further >> 2 & 7 == 0 {
        let writers = reader.u8()?;
        reader.skip(usize::from(writers) * 2)?;
    }
    Some(NetworkMessage { publisher, group, secured: extended & 0x10 != 0, kind: further >> 2 & 7 })
}

fn judge(bytes: &[u8], _in_step: bool) -> Head {
    if head(bytes).is_some() { Head::Message(bytes.len()) } else { Head::Wrong }
}

/// Too little structure to be told from other datagrams: only on its own port.
fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let message = head(payload).filter(|_| on_port)?;
    // A publisher without groups or discovery is too little even there.
    let tells = message.group.is_some() || message.kind != 0 || payload[0] & 0x40 != 0;
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
                0 => ("publish", Class::Other),
                1 => ("discovery request", Class::Discover),
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
    const MESSAGE: &[u8] = &[0xf1, 0x01, 0xba, 0x08, 0x01, 100, 0, 1, 1, 0, 0xaa];

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
}
