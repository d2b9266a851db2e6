//! Implicit messages (class 0 and 1 connections over UDP port 2222): counted, since every few milliseconds has one.

use crate::anomaly::At;
use crate::protocol::operation::{Dialect, Exchange, Head, Message, Operation, Reader, Speaker};
use crate::protocol::{Output, Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, OperationClass as Class, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::EnIp,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[2_222],
    recognise,
    parser: Some(|confidence| Speaker::over_udp(Implicit, confidence)),
};

/// Two items: a sequenced address of 8 bytes, then connected data that fills the datagram (volume 2, 2-6).
fn judge(bytes: &[u8], _in_step: bool) -> Head {
    let [2, 0, 0x02, 0x80, 8, 0, rest @ ..] = bytes else { return Head::Wrong };
    match rest.get(8..12) {
        Some(&[0xb1, 0, low, high]) => Head::Message(18 + usize::from(u16::from_le_bytes([low, high]))),
        _ => Head::Wrong,
    }
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let Head::Message(length) = judge(payload, true) else { return None };
    (length == payload.len()).then_some(Recognised { confidence: Confidence::Structure, speaker: None })
}

struct Implicit;

impl Dialect for Implicit {
    type Key = ();
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::EnIp;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<()>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let connection = Reader(message.bytes.get(6..)?).u32_le()?;
        let bytes = (message.length - 18) as u32;
        exchange.count(u64::from(connection), from, Some(bytes), at, out, || {
            Operation::new("implicit data", Class::Other).on(format!("connection 0x{connection:08x}"))
        });
        Some(())
    }
}
