//! DNS, multicast DNS and LLMNR: datagrams in; queries with their answers, and names of addresses, out
//! (RFC 1035, RFC 6762, RFC 4795).

mod answer;
pub mod message;
pub mod name;
mod pairing;
mod parser;
mod tell;

use message::{Header, Message};
use parser::start;

use super::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

/// Which of the relatives a flow speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relative {
    Unicast,
    /// Messages over TCP have their length before them (RFC 1035, 4.2.2).
    Stream,
    Multicast,
    LinkLocal,
}

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Dns,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[53],
    recognise,
    parser: Some(|_| start(Relative::Unicast)),
};

pub const OVER_TCP: Protocol = Protocol {
    transport: Transport::Tcp,
    recognise: recognise_stream,
    parser: Some(|_| start(Relative::Stream)),
    ..PROTOCOL
};

pub const MULTICAST: Protocol = Protocol {
    service: Service::Mdns,
    ports: &[5353],
    recognise: recognise_multicast,
    parser: Some(|_| start(Relative::Multicast)),
    ..PROTOCOL
};

pub const LINK_LOCAL: Protocol = Protocol {
    service: Service::Llmnr,
    ports: &[5355],
    recognise: recognise_link_local,
    parser: Some(|_| start(Relative::LinkLocal)),
    ..PROTOCOL
};

/// The highest operation that is in use (IANA, DNS OpCodes).
const LAST_OPCODE: u8 = 6;

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let header = Header::read(payload)?;
    let [questions, answers, authorities, additional] = header.counts;
    // The reserved bit is 0 (4.1.1); one question, as every client asks; a query has no answers.
    let plausible = header.flags & 0x40 == 0 && header.opcode() <= LAST_OPCODE && questions == 1;
    let silent = header.is_response() || header.opcode() != 0 || (answers == 0 && authorities == 0);
    if !plausible || !silent || (!on_port && additional > 8) {
        return None;
    }
    let message = message::read(payload)?;
    let question = message.questions.first()?;
    // Off its port the whole message has to fit to its last byte; on it, a capture may have cut it.
    let fits = message.whole && question.class == 1 && question.kind != 0 && is_a_host_name(&question.name);
    if !on_port && !fits {
        return None;
    }
    let speaker = if header.is_response() { Role::Server } else { Role::Client };
    Some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) })
}

/// True for what people ask for: letters, digits and some signs, at least one of them.
fn is_a_host_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.*/".contains(&byte))
}

fn recognise_stream(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let (length, message) = payload.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    if message.len() != length {
        return None;
    }
    recognise(message, on_port)
}

fn recognise_link_local(payload: &[u8], on_port: bool) -> Option<Recognised> {
    if on_port { recognise(payload, true) } else { None }
}

fn recognise_multicast(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let header = Header::read(payload).filter(|_| on_port)?;
    let Message { questions, records, .. } = message::read(payload)?;
    let any = !questions.is_empty() || !records.is_empty();
    // Who answers spoke to a group: that group is no client.
    let plausible = any && header.opcode() == 0 && header.rcode() == 0;
    plausible.then_some(Recognised { confidence: Confidence::Structure, speaker: None })
}
