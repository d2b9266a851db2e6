//! Messages within a secure channel (OPC 10000-6, 6.7): service calls and the channel's end.

use super::assembly::{Chunk, Taken, Whole};
use super::body::{self, Context};
use super::channel::{Channel, Step};
use super::framing::{Header, Kind};
use super::header::{RequestHeader, ResponseHeader};
use super::message::Message;
use super::node_id::NodeId;
use super::reader::{Read, Reader};
use super::said::Effect;
use super::service::{Half, SERVICE_FAULT, UaService};
use super::session::Identity;
use super::status::Status;
use super::{OpcUa, connect, row};
use crate::anomaly::{AnomalyKind, At};
use crate::protocol::{Output, Role};
use crate::words::Outcome;

/// The number of a message's type, and what it stands for.
type Type = (Option<u32>, Option<(UaService, Half)>);

/// A message's type.
fn type_of(reader: &mut Reader<'_>) -> Read<Type> {
    let type_id = NodeId::read(reader)?.standard();
    let known = match type_id {
        Some(SERVICE_FAULT) => Some((UaService::Unknown, Half::Response)),
        Some(number) => UaService::of_type(number),
        None => None,
    };
    Ok((type_id, known))
}

/// True where bytes begin as only a service call in the clear does.
fn is_clear(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    let Ok((_, Some((_, half)))) = type_of(&mut reader) else { return false };
    match half {
        Half::Request => RequestHeader::read(&mut reader).is_ok(),
        Half::Response => ResponseHeader::read(&mut reader, &mut super::text::Text::nowhere()).is_ok(),
    }
}

impl OpcUa {
    pub fn secured(&mut self, from: Role, header: Header, chunk: &[u8], at: At, out: &mut Output<'_>) {
        let side = from.index();
        let [a, b, c, d, _, _, _, _, s, t, u, v, w, x, y, z, payload @ ..] = chunk else {
            // A gap has taken even what says which message it is of.
            return self.lose_messages(from);
        };
        let channel = u32::from_le_bytes([*a, *b, *c, *d]);
        let (sequence, request_id) =
            (u32::from_le_bytes([*s, *t, *u, *v]), u32::from_le_bytes([*w, *x, *y, *z]));
        self.enter(channel, at, out);
        let behind_gap = std::mem::take(&mut self.behind_gap[side]);
        let has_begun = self.assemblies[side].has_begun(Some(request_id));
        let clear = match self.connection.channel.is_readable() {
            Some(clear) => clear,
            None => has_begun || is_clear(payload),
        };
        if clear || !behind_gap {
            // What stands behind a gap may be the middle of a message: it tells nothing.
            self.connection.channel.learn(clear);
        }
        if clear {
            self.sequence(from, sequence, at, out);
        }
        let cut = header.is_cut(chunk);
        let chunk = Chunk {
            request_id: clear.then_some(request_id),
            part: header.part,
            bytes: if clear && !cut { unsigned(payload, &self.connection.channel) } else { payload },
            size: header.size,
            cut,
            behind_gap,
        };
        let limits = out.limits;
        let most = usize::try_from(limits.opcua_message_bytes).unwrap_or(usize::MAX);
        // Of what cannot be read nothing is kept.
        let most = if clear { most } else { 0 };
        let mut assembly = std::mem::take(&mut self.assemblies[side]);
        match assembly.take(chunk, most, limits.opcua_message_chunks) {
            Taken::Whole(whole) => {
                if clear {
                    self.readable(from, header.kind, &whole, at, out);
                } else {
                    self.encrypted(from, header.kind, &whole, at, out);
                }
            }
            Taken::Kept => {}
            Taken::OverLimit if !clear => {}
            Taken::OverLimit => {
                out.counts.opcua_given_up += 1;
                out.anomaly(AnomalyKind::MessageLimit, at, &|| {
                    format!("the message of request {request_id} has more bytes or chunks than are kept")
                });
            }
            Taken::Crowded => {
                out.counts.opcua_given_up += 1;
                out.anomaly(AnomalyKind::MessageLimit, at, &|| {
                    "too many messages have begun and not ended: the oldest was given up".to_owned()
                });
            }
        }
        self.assemblies[side] = assembly;
    }

    /// The channel that a chunk names: another than before is only expected behind a gap.
    fn enter(&mut self, channel: u32, at: At, out: &mut Output<'_>) {
        let known = &mut self.connection.channel.id;
        match *known {
            Some(before) if before != channel => {
                out.anomaly(AnomalyKind::UnexpectedId, at, &|| {
                    format!("secure channel {channel} where {before} was opened")
                });
                self.connection.channel = Channel::numbered(channel);
            }
            Some(_) => {}
            None => *known = Some(channel),
        }
    }

    /// Sequence numbers count the chunks of each side (6.7.2.4).
    pub fn sequence(&mut self, from: Role, number: u32, at: At, out: &mut Output<'_>) {
        match self.connection.channel.sequences[from.index()].take(number) {
            Step::Next => {}
            Step::Missing(count) => out.anomaly(AnomalyKind::SequenceGap, at, &|| {
                format!("sequence number {number}: {count} are missing before it")
            }),
            Step::Again => out.anomaly(AnomalyKind::SequenceReused, at, &|| {
                format!("sequence number {number} is not behind the one before it")
            }),
        }
    }

    fn start(&mut self, from: Role, kind: Kind, whole: &Whole<'_>, at: At, out: &mut Output<'_>) -> Message {
        let after_gap = std::mem::take(&mut self.after_gap[from.index()]);
        out.counts.opcua_messages += 1;
        let mut message = Message::new(kind, at, whole.size, after_gap);
        message.channel = self.connection.channel.id;
        message.request_id = whole.request_id;
        message.chunks = whole.chunks;
        message.aborted = whole.aborted;
        message.gaps = self.connection.gaps;
        message
    }

    /// A message of which only the size can be told: which request it belongs to is encrypted too.
    fn encrypted(&mut self, from: Role, kind: Kind, whole: &Whole<'_>, at: At, out: &mut Output<'_>) {
        let mut message = self.start(from, kind, whole, at, out);
        message.encrypted = true;
        let asked = from == self.connection.asker;
        if kind == Kind::Close {
            message.service = UaService::CloseSecureChannel;
            return self.one_way(from, &message, out);
        }
        let outcome = if whole.aborted { Outcome::Aborted } else { Outcome::Encrypted };
        let (request, response) = if asked { (Some(&message), None) } else { (None, Some(&message)) };
        row::write(&self.connection, request, response, outcome, out);
    }

    fn readable(&mut self, from: Role, kind: Kind, whole: &Whole<'_>, at: At, out: &mut Output<'_>) {
        let mut message = self.start(from, kind, whole, at, out);
        message.cut = whole.cut;
        if whole.cut {
            message.said.remark("only its beginning is known");
        }
        let mut reader = Reader::new(&whole.bytes);
        if whole.aborted {
            if let Ok(status) = connect::error(&mut reader, &mut message.said) {
                message.status = Some(status);
            }
            return self.aborted(from, message, out);
        }
        let headless = whole.behind_gap && !is_clear(&whole.bytes);
        let typed = if headless { Ok((None, None)) } else { type_of(&mut reader) };
        if headless {
            message.after_gap = true;
            message.said.remark("its beginning was not captured");
        }
        let (type_id, known) = match typed {
            Ok(typed) => typed,
            Err(flaw) => {
                self.flaw(Err(flaw), &message, at, out);
                (None, None)
            }
        };
        message.type_id = type_id;
        let is_request = match known {
            Some((service, half)) => {
                message.service = service;
                if !self.settled {
                    self.settle(if half == Half::Request { from } else { from.other() });
                }
                half == Half::Request
            }
            None => from == self.connection.asker,
        };
        let body = if headless || typed.is_err() { None } else { Some(reader) };
        if is_request != (from == self.connection.asker) {
            let service = message.service;
            out.anomaly(AnomalyKind::ReversedRoles, at, &|| {
                let half = if is_request { "request" } else { "response" };
                format!("a {half} of {} from the side that does not send it", service.word())
            });
            message.said.remark("from the other side");
            return self.one_way(from, &message, out);
        }
        if is_request {
            self.request(message, body, out);
        } else {
            self.response(message, body, out);
        }
    }

    /// A sender gave up a message (6.7.3): a request will not be answered, a response is not coming.
    fn aborted(&mut self, from: Role, message: Message, out: &mut Output<'_>) {
        if from == self.connection.asker {
            return row::write(&self.connection, Some(&message), None, Outcome::Aborted, out);
        }
        let asked = message.request_id.and_then(|id| self.pairing.answer(id, out));
        row::write(&self.connection, asked.as_deref(), Some(&message), Outcome::Aborted, out);
    }

    fn request(&mut self, mut message: Message, body: Option<Reader<'_>>, out: &mut Output<'_>) {
        let at = message.at;
        if let Some(mut reader) = body {
            let read = self.read_request(&mut message, &mut reader);
            self.flaw(read, &message, at, out);
        }
        if self.asked_from.is_none() {
            self.asked_from = message.request_id;
        }
        if message.kind == super::MessageType::Close {
            return row::write(&self.connection, Some(&message), None, Outcome::OneWay, out);
        }
        self.pairing.ask(Box::new(message), &self.connection, out);
    }

    fn read_request(&mut self, message: &mut Message, reader: &mut Reader<'_>) -> Read<()> {
        let header = RequestHeader::read(reader)?;
        message.handle = Some(header.handle);
        message.token = self.sessions.hash(&header.token);
        message.who = self.sessions.of(message.token);
        if !header.audit_entry.is_empty() {
            message.said.detail.push("audit entry ");
            message.said.detail.push_bytes(header.audit_entry);
        }
        let context = Context { known: &self.known, sessions: &self.sessions };
        body::request(message.service, reader, &context, &mut message.said)
    }

    fn response(&mut self, mut message: Message, body: Option<Reader<'_>>, out: &mut Output<'_>) {
        let at = message.at;
        let Some(id) = message.request_id else { return };
        let asked = self.pairing.answer(id, out);
        let service = asked.as_deref().map_or(UaService::Unknown, |asked| asked.service);
        if message.type_id == Some(SERVICE_FAULT) {
            message.service = service;
        }
        if let Some(mut reader) = body {
            let read = self.read_response(&mut message, asked.as_deref(), &mut reader);
            self.flaw(read, &message, at, out);
        }
        let answered = message.service;
        if asked.is_some() && answered != service && message.type_id.is_some() {
            out.anomaly(AnomalyKind::ResponseMismatch, at, &|| {
                format!("a response of {} to a request of {}", answered.word(), service.word())
            });
        }
        let failed = message.type_id == Some(SERVICE_FAULT) || message.status.is_some_and(Status::is_bad);
        let outcome = match (&asked, failed) {
            (None, _) => Outcome::Orphan,
            (Some(_), true) => Outcome::Exception,
            (Some(_), false) => Outcome::Answered,
        };
        match &asked {
            None => self.orphan(id, &mut message, out),
            Some(asked) if !failed => self.take_effect(asked, &message),
            Some(_) => {}
        }
        row::write(&self.connection, asked.as_deref(), Some(&message), outcome, out);
    }

    fn read_response(
        &mut self,
        message: &mut Message,
        asked: Option<&Message>,
        reader: &mut Reader<'_>,
    ) -> Read<()> {
        let header = ResponseHeader::read(reader, &mut message.said.detail)?;
        message.handle = Some(header.handle);
        message.status = Some(header.result);
        if message.type_id == Some(SERVICE_FAULT) {
            return Ok(());
        }
        let context = Context { known: &self.known, sessions: &self.sessions };
        let asked = asked.map(|asked| &asked.said);
        body::response(message.service, reader, asked, &context, &mut message.said)
    }

    /// A response that no request waits for: its request may have been before the capture, in a gap, or on a side
    /// that the capture does not see.
    fn orphan(&mut self, id: u32, message: &mut Message, out: &mut Output<'_>) {
        let was_seen = self.asked_from.is_some_and(|first| id >= first);
        let unseen = self.unseen_requests || !self.heard[self.connection.asker.index()];
        if unseen && !was_seen {
            message.after_gap = true;
            return;
        }
        let duplicate = self.pairing.was_answered(id);
        let kind = if duplicate { AnomalyKind::DuplicateResponse } else { AnomalyKind::OrphanResponse };
        let service = message.service;
        out.anomaly(kind, message.at, &|| {
            format!("response of {}, request {id}, that no request waits for", service.word())
        });
    }

    /// What a call that went well changes of what is known.
    fn take_effect(&mut self, asked: &Message, answered: &Message) {
        match (&asked.said.effect, &answered.said.effect) {
            (Effect::CreateSession { application_uri }, Effect::SessionCreated { session, token }) => {
                let identity = Identity {
                    session: session.clone(),
                    application_uri: application_uri.clone(),
                    ..Identity::default()
                };
                self.sessions.set(*token, identity);
            }
            (Effect::Activate(wanted), _) => {
                let identity = Identity {
                    session: asked.who.session.clone(),
                    application_uri: asked.who.application_uri.clone(),
                    ..wanted.clone()
                };
                self.sessions.set(asked.token, identity);
            }
            (Effect::Monitor(watched), Effect::Monitored(good)) => {
                let Some(subscription) = asked.said.subscription else { return };
                for (watched, _) in watched.iter().zip(good).filter(|(_, good)| **good) {
                    self.known.watch(subscription, watched);
                }
            }
            (Effect::DeleteSubscriptions(subscriptions), _) => {
                for subscription in subscriptions {
                    self.known.end_subscription(*subscription);
                }
            }
            (Effect::Register(nodes), Effect::Registered(names)) => {
                for (node, name) in nodes.iter().zip(names) {
                    self.known.register(name, node);
                }
            }
            _ => {}
        }
    }
}

/// A chunk's bytes without the signature at its end; all of them where nobody knows how long that is.
fn unsigned<'a>(payload: &'a [u8], channel: &Channel) -> &'a [u8] {
    let signature = channel.signature_bytes().unwrap_or(0);
    &payload[..payload.len().saturating_sub(signature)]
}
