//! The messages that open a connection and a channel, and the one that ends it (OPC 10000-6, 7.1.2 and 6.7.4).

use std::sync::Arc;

use super::body;
use super::channel::{Opening, SecurityMode};
use super::connect;
use super::framing::Header;
use super::header::{RequestHeader, ResponseHeader};
use super::message::Message;
use super::node_id::NodeId;
use super::reader::{Flaw, Read, Reader};
use super::service::{Half, SERVICE_FAULT, UaService};
use super::status::Status;
use super::{OpcUa, row};
use crate::anomaly::{AnomalyKind, At};
use crate::protocol::{Output, Role};
use crate::words::Outcome;

impl OpcUa {
    pub fn hello(&mut self, from: Role, header: Header, chunk: &[u8], at: At, out: &mut Output<'_>) {
        self.settle(from);
        let mut message = self.message(from, header, chunk, at, out);
        let read = connect::hello(&mut Reader::new(chunk), &mut message.said);
        self.flaw(read, &message, at, out);
        if let Some(before) = self.hello.replace(Box::new(message)) {
            row::write(&self.connection, Some(&before), None, Outcome::Unanswered, out);
        }
    }

    pub fn acknowledge(&mut self, from: Role, header: Header, chunk: &[u8], at: At, out: &mut Output<'_>) {
        self.settle(from.other());
        let mut message = self.message(from, header, chunk, at, out);
        let read = connect::acknowledge(&mut Reader::new(chunk), &mut message.said);
        self.flaw(read, &message, at, out);
        let hello = self.hello.take();
        let outcome = if hello.is_some() { Outcome::Answered } else { Outcome::Orphan };
        row::write(&self.connection, hello.as_deref(), Some(&message), outcome, out);
    }

    /// An error answers what opens the connection or the channel; else it ends the connection.
    pub fn error(&mut self, from: Role, header: Header, chunk: &[u8], at: At, out: &mut Output<'_>) {
        let mut message = self.message(from, header, chunk, at, out);
        match connect::error(&mut Reader::new(chunk), &mut message.said) {
            Ok(status) => message.status = Some(status),
            Err(flaw) => self.flaw(Err(flaw), &message, at, out),
        }
        let answers = from != self.connection.asker;
        let asked = if answers { self.hello.take().or_else(|| self.opening.take()) } else { None };
        match asked {
            Some(asked) => {
                row::write(&self.connection, Some(&asked), Some(&message), Outcome::Exception, out);
            }
            None => self.one_way(from, &message, out),
        }
    }

    pub fn reverse_hello(&mut self, from: Role, header: Header, chunk: &[u8], at: At, out: &mut Output<'_>) {
        self.settle(from.other());
        let mut message = self.message(from, header, chunk, at, out);
        let read = connect::reverse_hello(&mut Reader::new(chunk), &mut message.said);
        self.flaw(read, &message, at, out);
        self.one_way(from, &message, out);
    }

    /// A message without an answer stands on the side that sent it.
    pub fn one_way(&mut self, from: Role, message: &Message, out: &mut Output<'_>) {
        if from == self.connection.asker {
            row::write(&self.connection, Some(message), None, Outcome::OneWay, out);
        } else {
            row::write(&self.connection, None, Some(message), Outcome::OneWay, out);
        }
    }

    /// An anomaly where a message is not as the specification has it, and all of it is there.
    pub fn flaw(&mut self, read: Read<()>, message: &Message, at: At, out: &mut Output<'_>) {
        if let Some(flaw) = read.err().filter(|_| !message.cut) {
            let (kind, service) = (message.kind, message.service);
            out.anomaly(AnomalyKind::MalformedMessage, at, &|| malformed(kind, service, flaw));
        }
    }

    /// OPN: in the clear where the policy is None, or one of elliptic curves, which only signs it; else all but the
    /// header is encrypted, whatever the mode (6.7.4 and 6.8).
    pub fn open(&mut self, from: Role, header: Header, chunk: &[u8], at: At, out: &mut Output<'_>) {
        let mut message = self.message(from, header, chunk, at, out);
        message.service = UaService::OpenSecureChannel;
        let mut opening = match Opening::read(chunk) {
            Ok(opening) => opening,
            Err(flaw) => return self.flaw(Err(flaw), &message, at, out),
        };
        message.certificate = opening.certificate.take();
        message.encrypted = !opening.is_clear() && !is_opening(opening.rest);
        let mut is_request = from == self.connection.asker;
        let mut mode = None;
        let mut opened = 0;
        if message.encrypted {
            // Its sequence number is encrypted with it.
            self.connection.channel.sequences[from.index()].forget();
        } else {
            let read = read_opening(opening.rest, is_request, &mut message, &mut mode, &mut opened);
            if let Ok((sequence, half)) = read {
                self.sequence(from, sequence, at, out);
                if let Some(half) = half {
                    is_request = half == Half::Request;
                    if !self.settled {
                        self.settle(if is_request { from } else { from.other() });
                    }
                }
            }
            self.flaw(read.map(|_| ()), &message, at, out);
        }
        if is_request {
            self.open_request(&opening, message, mode, out);
        } else {
            self.open_response(&opening, message, opened, at, out);
        }
    }

    fn open_request(
        &mut self,
        opening: &Opening<'_>,
        mut message: Message,
        mode: Option<u32>,
        out: &mut Output<'_>,
    ) {
        if let Some(before) = self.opening.take() {
            row::write(&self.connection, Some(&before), None, Outcome::Unanswered, out);
        }
        let channel = &mut self.connection.channel;
        channel.open(opening);
        match mode {
            Some(1) => channel.mode = SecurityMode::None,
            Some(2) => channel.mode = SecurityMode::Sign,
            Some(3) => channel.mode = SecurityMode::SignAndEncrypt,
            _ => {}
        }
        message.channel = Some(opening.channel).filter(|channel| *channel != 0);
        if let Some(certificate) = &message.certificate {
            self.connection.certified_uri = Arc::from(certificate.application_uri.as_str());
        }
        self.opening = Some(Box::new(message));
    }

    fn open_response(
        &mut self,
        opening: &Opening<'_>,
        mut message: Message,
        opened: u32,
        at: At,
        out: &mut Output<'_>,
    ) {
        let asked = self.opening.take();
        let channel = &mut self.connection.channel;
        if asked.is_none() || channel.policy.is_empty() {
            channel.open(opening);
        }
        let number = if opening.channel != 0 { opening.channel } else { opened };
        if number != 0 {
            channel.id = Some(number);
            message.channel = Some(number);
        }
        let failed = message.type_id == Some(SERVICE_FAULT) || message.status.is_some_and(Status::is_bad);
        let outcome = match (&asked, failed) {
            (None, _) => Outcome::Orphan,
            (Some(_), true) => Outcome::Exception,
            (Some(_), false) => Outcome::Answered,
        };
        let mut asked = asked;
        if let Some(asked) = asked.as_deref_mut() {
            asked.channel = message.channel.or(asked.channel);
            if asked.request_id != message.request_id && !message.encrypted {
                out.anomaly(AnomalyKind::ResponseMismatch, at, &|| {
                    "the response of OpenSecureChannel has another request's identifier".to_owned()
                });
            }
        }
        row::write(&self.connection, asked.as_deref(), Some(&message), outcome, out);
    }
}

/// What an anomaly says of a message that cannot be read to its end.
pub fn malformed(kind: super::MessageType, service: UaService, flaw: Flaw) -> String {
    format!("{} {}: {}", kind.word(), service.word(), flaw.word())
}

/// True where bytes are a sequence header and the type of an opening.
fn is_opening(rest: &[u8]) -> bool {
    let kind = rest.get(8..).map(|body| NodeId::read(&mut Reader::new(body)));
    match kind {
        Some(Ok(kind)) => kind
            .standard()
            .and_then(UaService::of_type)
            .is_some_and(|(service, _)| service == UaService::OpenSecureChannel),
        _ => false,
    }
}

/// Sequence header, type, header and body of an opening in the clear.
fn read_opening(
    rest: &[u8],
    is_request: bool,
    message: &mut Message,
    mode: &mut Option<u32>,
    opened: &mut u32,
) -> Read<(u32, Option<Half>)> {
    let mut reader = Reader::new(rest);
    let sequence = reader.u32()?;
    message.request_id = Some(reader.u32()?);
    let type_id = NodeId::read(&mut reader)?.standard();
    message.type_id = type_id;
    let half = match type_id {
        Some(SERVICE_FAULT) => Some(Half::Response),
        Some(number) => match UaService::of_type(number) {
            Some((UaService::OpenSecureChannel, half)) => Some(half),
            _ => None,
        },
        None => None,
    };
    let said = &mut message.said;
    if half.map_or(is_request, |half| half == Half::Request) {
        let header = RequestHeader::read(&mut reader)?;
        message.handle = Some(header.handle);
        *mode = Some(body::open_request(&mut reader, said)?);
    } else {
        let header = ResponseHeader::read(&mut reader, &mut said.detail)?;
        message.handle = Some(header.handle);
        message.status = Some(header.result);
        if type_id != Some(SERVICE_FAULT) {
            *opened = body::open_response(&mut reader, said)?;
        }
    }
    Ok((sequence, half))
}
