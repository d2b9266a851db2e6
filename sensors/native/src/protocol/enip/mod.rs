//! EtherNet/IP (CIP Networks Library, volume 2): encapsulation over TCP and UDP, implicit messages over UDP.

mod cip;
mod cip_service;
mod identity;
mod implicit;
mod path;
mod pccc;

use super::operation::{Answer, Dialect, Exchange, Head, Message, Operation, Reader, Speaker};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, OperationClass as Class, Service};

pub use implicit::PROTOCOL as IMPLICIT;

/// Explicit messages over TCP.
pub const TCP: Protocol = Protocol {
    service: Service::EnIp,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[44_818],
    recognise,
    parser: Some(|confidence| Speaker::over_tcp(EnIp, confidence)),
};

/// The same commands over UDP: finding devices.
pub const UDP: Protocol = Protocol {
    service: Service::EnIp,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[44_818],
    recognise,
    parser: Some(|confidence| Speaker::over_udp(EnIp, confidence)),
};

/// Command, length, session, status, sender context, options (2-3.1).
const HEADER: usize = 24;

const NOP: u16 = 0x00;
const LIST_SERVICES: u16 = 0x04;
const LIST_IDENTITY: u16 = 0x63;
const LIST_INTERFACES: u16 = 0x64;
const REGISTER: u16 = 0x65;
const UNREGISTER: u16 = 0x66;
const SEND_RR_DATA: u16 = 0x6f;
const SEND_UNIT_DATA: u16 = 0x70;

/// What an answer has in common with its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A command of the encapsulation, by its sender context.
    Command(u16, [u8; 8]),
    /// A message of CIP: what carries it, its service, and its place in a packet of several.
    Cip(Carrier, u8, u16),
}

/// What tells the answers of one connection apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The sender context of an unconnected message.
    Context([u8; 8]),
    /// The sequence count of a connected one.
    Sequence(u16),
}

fn head(bytes: &[u8]) -> Option<(u16, usize)> {
    let mut reader = Reader(bytes);
    let (command, length) = (reader.u16_le()?, usize::from(reader.u16_le()?));
    reader.skip(4)?;
    let status = reader.u32_le()?;
    reader.skip(8)?;
    let options = reader.u32_le()?;
    // Commands whose data is of one length, where they have not failed (2-4).
    let fits = match command {
        NOP => true,
        LIST_SERVICES | LIST_IDENTITY | LIST_INTERFACES => length == 0 || length >= 2,
        REGISTER => length == 4,
        UNREGISTER => length == 0,
        SEND_RR_DATA | SEND_UNIT_DATA => length >= 16 || length == 0 && status != 0,
        _ => false,
    };
    // Statuses have one byte of numbers, whoever gives them out.
    let known_status = status < 0x100;
    (fits && known_status && options == 0).then_some((command, length))
}

fn judge(bytes: &[u8], in_step: bool) -> Head {
    // The command's second byte is 0, and the first one of few.
    match bytes {
        [] | [0x00 | 0x04 | 0x63..=0x66 | 0x6f | 0x70] => return Head::Incomplete,
        [0x00 | 0x04 | 0x63..=0x66 | 0x6f | 0x70, 0, ..] => {}
        _ => return Head::Wrong,
    }
    if bytes.len() < HEADER {
        return Head::Incomplete;
    }
    match head(bytes) {
        // A header of zeros says nothing: only where one has to begin may it be one.
        Some((NOP, _)) if !in_step => Head::Wrong,
        Some((_, length)) => Head::Message(HEADER + length),
        None => Head::Wrong,
    }
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let Head::Message(length) = judge(payload, on_port) else { return None };
    let (command, data) = head(payload)?;
    let session = u32::from_le_bytes(*payload[4..].first_chunk()?);
    let body = &payload[HEADER..length.min(payload.len())];
    let (fits, speaker) = match command {
        LIST_SERVICES | LIST_IDENTITY | LIST_INTERFACES if data == 0 => (session == 0, Some(Role::Client)),
        // A list of items (2-6): few, and the first one of the kind that was asked for.
        LIST_IDENTITY => (matches!(*body, [1, 0, 0x0c, 0, ..]), Some(Role::Server)),
        LIST_SERVICES => (matches!(*body, [1, 0, 0, 1, ..]), Some(Role::Server)),
        LIST_INTERFACES => (on_port, Some(Role::Server)),
        // Version 1; the answer has the number of the session.
        REGISTER => {
            let speaker = if session == 0 { Role::Client } else { Role::Server };
            (matches!(*body, [1, 0, ..]), Some(speaker))
        }
        UNREGISTER => (session != 0, Some(Role::Client)),
        SEND_RR_DATA | SEND_UNIT_DATA => (are_items(body), cip::speaker(body)),
        // No operation: zeros are one, on any port. What comes next tells.
        _ => (false, None),
    };
    (fits && (length <= payload.len() || !body.is_empty()))
        .then_some(Recognised { confidence: Confidence::Structure, speaker })
}

/// Interface 0 and two to four items, an address first (2-6).
fn are_items(body: &[u8]) -> bool {
    matches!(*body, [0, 0, 0, 0, _, _, 2..=4, 0, 0, 0, 0, 0, 0xb2, 0, ..])
        || matches!(*body, [0, 0, 0, 0, _, _, 2..=4, 0, 0xa1, 0, 4, 0, ..])
}

/// One flow.
struct EnIp;

impl Dialect for EnIp {
    type Key = Key;
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::EnIp;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let (command, length) = head(message.bytes)?;
        let mut reader = Reader(message.bytes);
        reader.skip(4)?;
        let session = reader.u32_le()?;
        let status = reader.u32_le()?;
        let context = *reader.chunk::<8>()?;
        let body = message.bytes.get(HEADER..)?;
        let mut scene = cip::Scene { from, at, exchange, out };
        match command {
            NOP => {}
            SEND_RR_DATA | SEND_UNIT_DATA if length > 0 => return cip::read(body, context, &mut scene),
            SEND_RR_DATA | SEND_UNIT_DATA => cip::refuse(status, context, &mut scene),
            _ => {
                let operation = Operation::new(name(command), class(command));
                let answers = match command {
                    REGISTER => session != 0 || status != 0,
                    LIST_IDENTITY | LIST_SERVICES | LIST_INTERFACES => length > 0,
                    _ => false,
                };
                if command == UNREGISTER {
                    scene.exchange.tell(from, operation, at, scene.out);
                    return Some(());
                }
                if !answers {
                    scene.exchange.ask(Key::Command(command, context), from, operation, at, scene.out);
                    return Some(());
                }
                let mut answer = Answer { error: (status != 0).then_some(status), ..Answer::default() };
                if command == REGISTER && answer.error.is_none() {
                    scene.exchange.confidence = Confidence::Handshake;
                    answer.value = format!("session 0x{session:08x}");
                }
                if command == LIST_IDENTITY {
                    answer.value = identity::items(body, &mut scene)?;
                }
                let key = Key::Command(command, context);
                scene.exchange.answer_or_orphan(&key, from, &answer, at, scene.out, || operation);
            }
        }
        Some(())
    }
}

fn name(command: u16) -> &'static str {
    match command {
        LIST_SERVICES => "list services",
        LIST_IDENTITY => "list identity",
        LIST_INTERFACES => "list interfaces",
        REGISTER => "register session",
        _ => "unregister session",
    }
}

fn class(command: u16) -> Class {
    match command {
        LIST_SERVICES | LIST_IDENTITY | LIST_INTERFACES => Class::Discover,
        _ => Class::Session,
    }
}
