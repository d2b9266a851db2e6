//! PROFINET's connection setup over UDP (IEC 61158-6-10, 5): connectionless DCE/RPC to port 34964.

use super::operation::{Answer, Dialect, Exchange, Head, Message, Operation, Reader, Speaker};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, OperationClass as Class, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Profinet,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[34_964],
    recognise,
    parser: Some(|confidence| Speaker::over_udp(Setup, confidence)),
};

/// The length of a connectionless header (C706, 12.5.2).
const HEADER: usize = 80;

/// The end of the interfaces' identifiers; the first four bytes say whose, in the sender's order.
const INTERFACE: &[u8] = &[0x82, 0x71, 0x00, 0xa0, 0x24, 0x42, 0xdf, 0x7d];

const REQUEST: u8 = 0;
const RESPONSE: u8 = 2;
const FAULT: u8 = 3;
const REJECT: u8 = 6;

fn judge(bytes: &[u8], _in_step: bool) -> Head {
    let is_one = matches!(bytes, [4, 0..=10, ..]) && bytes.len() >= HEADER && &bytes[32..40] == INTERFACE;
    if is_one { Head::Message(bytes.len()) } else { Head::Wrong }
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let Head::Message(_) = judge(payload, true) else { return None };
    let speaker = match payload[1] {
        REQUEST => Some(Role::Client),
        RESPONSE | FAULT | REJECT => Some(Role::Server),
        _ => None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

/// One flow.
struct Setup;

impl Dialect for Setup {
    /// Activity and sequence number.
    type Key = ([u8; 16], u32);
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::Profinet;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Self::Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let mut reader = Reader(message.bytes);
        let [_, kind, flags, _, order, ..] = *reader.chunk::<8>()?;
        let little = order & 0x10 != 0;
        reader.skip(32)?;
        let activity = *reader.chunk::<16>()?;
        reader.skip(8)?;
        let mut number = |wide: bool| match (wide, little) {
            (true, true) => reader.u32_le(),
            (true, false) => reader.u32_be(),
            (false, true) => reader.u16_le().map(u32::from),
            (false, false) => reader.u16_be().map(u32::from),
        };
        let (sequence, operation) = (number(true)?, number(false)?);
        let key = (activity, sequence);
        let (name, class) = match operation {
            0 => ("connect", Class::Session),
            1 => ("release", Class::Session),
            2 => ("read record", Class::Read),
            3 => ("write record", Class::Write),
            4 => ("control", Class::Session),
            5 => ("read record without connection", Class::Read),
            _ => ("remote procedure", Class::Other),
        };
        // Fragments behind the first one add nothing that is read here.
        let is_later = flags & 0x04 != 0 && message.bytes.get(76..78) != Some(&[0, 0]);
        match kind {
            REQUEST if is_later => {}
            REQUEST => {
                let mut operation = Operation::new(name, class);
                operation.object = record(message.bytes.get(HEADER..)?).unwrap_or_default();
                exchange.ask(key, from, operation, at, out);
            }
            RESPONSE | FAULT | REJECT if !is_later => {
                // A response begins with PROFINET's own status; faults have the RPC's.
                let mut body = Reader(message.bytes.get(HEADER..)?);
                let status = if little { body.u32_le() } else { body.u32_be() };
                let failed = kind != RESPONSE || status.is_some_and(|status| status != 0);
                let answer = Answer { error: failed.then(|| status.unwrap_or(0)), ..Answer::default() };
                exchange.answer_or_orphan(&key, from, &answer, at, out, || Operation::new(name, class));
            }
            _ => {}
        }
        Some(())
    }
}

/// The place of a record that is read or written: its slot, subslot and index (IODReadReqHeader, IODWriteReqHeader).
fn record(body: &[u8]) -> Option<String> {
    // Arguments' sizes, then a block: type, length, version, sequence, relation, API, slot, subslot, padding, index.
    let mut block = Reader(body.get(20..)?);
    let kind = block.u16_be()?;
    if !matches!(kind, 0x0008 | 0x0009) {
        return None;
    }
    block.skip(2 + 2 + 2 + 16)?;
    let api = block.u32_be()?;
    let (slot, subslot) = (block.u16_be()?, block.u16_be()?);
    block.skip(2)?;
    let index = block.u16_be()?;
    Some(format!("API {api} slot {slot} subslot {subslot} index 0x{index:04x}"))
}
