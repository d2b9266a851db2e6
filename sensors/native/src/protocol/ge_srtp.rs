//! GE-SRTP, the service request transport of GE's controllers, on its own port only: its structure is not published.
//! Service codes as in Denton et al., Leveraging the SRTP protocol for over-the-network memory acquisition of a GE
//! Fanuc Series 90-30 (Digital Investigation 22, 2017).

use super::operation::{Answer, Dialect, Exchange, Head, Message, Operation, Speaker, printable};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::observations::Observation;
use crate::words::{Confidence, Layer, ObservationKind, ObservationSource, OperationClass as Class, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::GeSrtp,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[18_245],
    recognise,
    parser: Some(|confidence| Speaker::over_tcp(GeSrtp, confidence)),
};

const HEADER: usize = 56;

const OPEN: u8 = 0;
const OPENED: u8 = 1;
const REQUEST: u8 = 2;
const RESPONSE: u8 = 3;

/// Kind of the mailbox message: short request, acknowledge, acknowledge with text, request with text, refusal.
const KINDS: [u8; 5] = [0xc0, 0xd4, 0x94, 0x80, 0xd1];

fn judge(bytes: &[u8], _in_step: bool) -> Head {
    match bytes {
        [] | [0..=3] => return Head::Incomplete,
        [0..=3, 0, ..] => {}
        _ => return Head::Wrong,
    }
    let Some(header) = bytes.first_chunk::<HEADER>() else { return Head::Incomplete };
    let text = usize::from(u16::from_le_bytes([header[4], header[5]]));
    match header[0] {
        OPEN if header.iter().all(|byte| *byte == 0) => Head::Message(HEADER),
        OPENED if text == 0 => Head::Message(HEADER),
        REQUEST | RESPONSE if KINDS.contains(&header[31]) => Head::Message(HEADER + text),
        _ => Head::Wrong,
    }
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let Head::Message(length) = judge(payload, true) else { return None };
    if !on_port || length > payload.len() {
        return None;
    }
    let speaker = if matches!(payload[0], OPEN | REQUEST) { Role::Client } else { Role::Server };
    Some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) })
}

struct GeSrtp;

impl Dialect for GeSrtp {
    /// The sequence number; none for the connection itself.
    type Key = Option<u8>;
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::GeSrtp;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Self::Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let header = message.bytes.first_chunk::<HEADER>()?;
        let text = message.bytes.get(HEADER..)?;
        let sequence = header[30];
        let open = || Operation::new("open connection", Class::Session);
        match header[0] {
            OPEN => exchange.ask(None, from, open(), at, out),
            OPENED => {
                exchange.confidence = Confidence::Handshake;
                exchange.answer_or_orphan(&None, from, &Answer::default(), at, out, open);
            }
            REQUEST => {
                // With text, the service stands eight bytes later.
                let [code, selector, low, high, count, more] = match header[31] {
                    0x80 => *header[50..].first_chunk()?,
                    _ => *header[42..].first_chunk()?,
                };
                let (name, class) = named(code);
                let mut operation = Operation::new(name, class);
                if matches!(code, 0x04 | 0x07) {
                    let offset = u32::from(u16::from_le_bytes([low, high])) + 1;
                    operation.object = memory(selector, offset);
                    operation.quantity = Some(u32::from(u16::from_le_bytes([count, more])));
                }
                exchange.ask(Some(sequence), from, operation, at, out);
            }
            _ => {
                let mut answer = Answer::default();
                if header[31] == 0xd1 {
                    answer.error = Some(u32::from(u16::from_be_bytes([header[42], header[43]])));
                }
                let asked =
                    exchange.request(from, &Some(sequence)).map(|pending| pending.operation.name.clone());
                if answer.error.is_none() && asked.as_deref() == Some("controller type and identity") {
                    let name = printable(text.get(..8).unwrap_or_default());
                    let ip = *if from == Role::Client { out.client_ip } else { out.server_ip };
                    let (kind, source) = (ObservationKind::HostName, ObservationSource::GeSrtp);
                    out.observe(&Observation { mac: 0, ip, kind, source, value: &name }, at);
                    answer.value = name;
                }
                exchange.answer_or_orphan(&Some(sequence), from, &answer, at, out, || {
                    Operation::new("answer", Class::Other)
                });
            }
        }
        Some(())
    }
}

fn memory(selector: u8, offset: u32) -> String {
    let name = match selector {
        0x08 => "%R",
        0x0a => "%AI",
        0x0c => "%AQ",
        0x10 | 0x46 => "%I",
        0x12 | 0x48 => "%Q",
        0x14 | 0x4a => "%T",
        0x16 | 0x4c => "%M",
        0x18 | 0x4e => "%SA",
        0x1a | 0x50 => "%SB",
        0x1c | 0x52 => "%SC",
        0x1e | 0x54 => "%S",
        0x38 | 0x56 => "%G",
        _ => return format!("memory 0x{selector:02x} {offset}"),
    };
    format!("{name}{offset}")
}

fn named(code: u8) -> (String, Class) {
    let (name, class) = match code {
        0x00 => ("controller status", Class::Read),
        0x03 => ("program names", Class::Discover),
        0x04 => ("read system memory", Class::Read),
        0x05 => ("read task memory", Class::Read),
        0x06 => ("read program memory", Class::Program),
        0x07 => ("write system memory", Class::Write),
        0x08 => ("write task memory", Class::Write),
        0x09 => ("write program memory", Class::Program),
        0x20 => ("programmer log on", Class::Session),
        0x21 => ("change privilege level", Class::Session),
        0x22 => ("set controller identity", Class::Configure),
        0x23 => ("set run or stop", Class::Stop),
        0x24 => ("set clock", Class::Configure),
        0x25 => ("read clock", Class::Read),
        0x38 => ("read fault table", Class::Read),
        0x39 => ("clear fault table", Class::Configure),
        0x3f => ("store program", Class::Program),
        0x40 => ("load program", Class::Program),
        0x43 => ("controller type and identity", Class::Discover),
        0x44 => ("toggle force", Class::Write),
        _ => return (format!("service 0x{code:02x}"), Class::Other),
    };
    (name.into(), class)
}
