//! What one packet says, as the row will have it: texts bounded, aliases resolved, secrets left behind.

use std::borrow::Cow;

use super::framing::Packet;
use super::opening::{FILTERS_KEPT, assigned_client, connecting, subscribing};
use super::packets::Body;
use super::payload;
use super::properties::{Properties, Value, id, name};
use super::reader::text;
use super::session::{Alias, Session};
use super::sparkplug::{self, Message};
use super::words::{PacketType, PayloadKind, SparkplugType, Version};
use crate::anomaly::AnomalyKind;
use crate::protocol::{Output, Role};
use crate::words::OperationClass;

/// Bytes of a topic that are kept: longer ones are legal, and of no use to a reader.
pub const TOPIC_KEPT: usize = 1_024;

/// Bytes of any other text.
pub const TEXT_KEPT: usize = 256;

/// Properties that are listed, and the keys of user properties.
const PROPERTIES_KEPT: usize = 32;

/// What few packets have.
#[derive(Clone, Debug)]
pub struct Rare {
    pub user_name: String,
    pub has_user_name: bool,
    pub has_password: bool,
    pub clean_start: bool,
    pub session_present: bool,
    pub keep_alive_s: Option<u16>,
    pub session_expiry_s: Option<u32>,
    pub will_topic: String,
    pub will_qos: Option<u8>,
    pub will_retain: bool,
    pub will_bytes: Option<u32>,
    pub message_expiry_s: Option<u32>,
    pub response_topic: String,
    pub has_correlation: bool,
    pub content_type: String,
    pub user_property_count: u16,
    pub user_property_keys: Vec<String>,
    pub properties: Vec<String>,
    pub filters: Vec<String>,
    pub requested_qos: Vec<u16>,
    pub granted: Vec<u16>,
    pub detail: String,
}

impl Rare {
    /// Nothing, for all packets that have nothing rare.
    pub const fn nothing() -> Self {
        Self {
            user_name: String::new(),
            has_user_name: false,
            has_password: false,
            clean_start: false,
            session_present: false,
            keep_alive_s: None,
            session_expiry_s: None,
            will_topic: String::new(),
            will_qos: None,
            will_retain: false,
            will_bytes: None,
            message_expiry_s: None,
            response_topic: String::new(),
            has_correlation: false,
            content_type: String::new(),
            user_property_count: 0,
            user_property_keys: Vec::new(),
            properties: Vec::new(),
            filters: Vec::new(),
            requested_qos: Vec::new(),
            granted: Vec::new(),
            detail: String::new(),
        }
    }
}

impl Default for Rare {
    fn default() -> Self {
        Self::nothing()
    }
}

/// What a packet says.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    pub kind: PacketType,
    pub topic: Cow<'a, str>,
    pub topic_alias: Option<u16>,
    pub qos: Option<u8>,
    pub retain: bool,
    pub dup: bool,
    pub packet_id: Option<u16>,
    pub payload_bytes: u32,
    pub payload_kind: PayloadKind,
    pub code: Option<u8>,
    pub operation: OperationClass,
    pub wire_bytes: u32,
    pub rare: Option<Box<Rare>>,
    pub sparkplug: Option<Box<Message>>,
    pub flaw: Option<(AnomalyKind, &'static str)>,
}

impl<'a> Said<'a> {
    /// Only that there was such a packet.
    #[inline]
    pub fn nothing(packet: &Packet<'_>) -> Self {
        Self {
            kind: packet.kind,
            topic: Cow::Borrowed(""),
            topic_alias: None,
            qos: None,
            retain: false,
            dup: false,
            packet_id: None,
            payload_bytes: 0,
            payload_kind: PayloadKind::None,
            code: None,
            operation: operation(packet.kind),
            wire_bytes: packet.wire_bytes,
            rare: None,
            sparkplug: None,
            flaw: None,
        }
    }

    /// The same, with a copy of its topic.
    pub fn into_owned(self) -> Said<'static> {
        Said { topic: Cow::Owned(self.topic.into_owned()), ..self }
    }

    pub fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// What is remembered of it costs about so many bytes.
    pub fn weight(&self) -> u64 {
        let mut bytes = 256 + self.topic.len();
        if let Some(rare) = &self.rare {
            let lists = [&rare.properties, &rare.filters, &rare.user_property_keys];
            let texts = lists.iter().flat_map(|list| list.iter()).map(|text| text.len() + 32).sum::<usize>();
            bytes += 512 + texts;
        }
        if let Some(message) = &self.sparkplug {
            let lists = [&message.names, &message.values, &message.types];
            let texts = lists.iter().flat_map(|list| list.iter()).map(|text| text.len() + 32).sum::<usize>();
            bytes += 512 + texts;
        }
        bytes as u64
    }
}

fn operation(kind: PacketType) -> OperationClass {
    use PacketType as P;
    match kind {
        P::Publish | P::Puback | P::Pubrec | P::Pubrel | P::Pubcomp => OperationClass::Other,
        P::Subscribe | P::Suback | P::Unsubscribe | P::Unsuback => OperationClass::Read,
        P::Connect | P::Connack | P::Pingreq | P::Pingresp | P::Disconnect | P::Auth => {
            OperationClass::Session
        }
    }
}

/// Everything a packet says; the session learns from it.
#[inline]
pub fn said<'a>(
    packet: &Packet<'a>,
    body: &Body<'a>,
    from: Role,
    session: &mut Session,
    out: &mut Output<'_>,
) -> Said<'a> {
    let mut said = Said::nothing(packet);
    said.dup = packet.flags & 0b1000 != 0;
    let newer = session.version() == Version::V5;
    match *body {
        Body::Publish { topic, packet_id, properties, payload, payload_bytes } => {
            said.qos = Some(packet.flags >> 1 & 3);
            said.retain = packet.flags & 1 != 0;
            said.packet_id = packet_id;
            said.payload_bytes = payload_bytes;
            publication(&mut said, topic, properties, from, session, out);
            published(&mut said, packet, payload, out);
        }
        Body::Connect(connect) => connecting(&mut said, &connect, session, out),
        Body::Connack { session_present, code, properties } => {
            said.code = Some(code);
            if session_present {
                said.rare().session_present = true;
            }
            if newer {
                let maximum = properties.number(id::TOPIC_ALIAS_MAXIMUM).unwrap_or(0);
                session.allow_aliases(Role::Client, maximum as u16);
            }
            if let Some(assigned) = assigned_client(properties) {
                session.client_id = assigned;
            }
            note(&mut said, properties, "");
        }
        Body::Acknowledge { packet_id, code, properties } => {
            said.packet_id = Some(packet_id);
            said.code = code.or(newer.then_some(0));
            note(&mut said, properties, "");
        }
        Body::Subscribe { packet_id, properties, filters }
        | Body::Unsubscribe { packet_id, properties, filters } => {
            said.packet_id = Some(packet_id);
            subscribing(&mut said, filters, newer);
            note(&mut said, properties, "");
        }
        Body::Granted { packet_id, codes, properties } => {
            said.packet_id = Some(packet_id);
            // The first refusal, where there is one.
            said.code = codes.iter().find(|code| **code >= 0x80).or_else(|| codes.first()).copied();
            if !codes.is_empty() {
                said.rare().granted = codes.iter().take(FILTERS_KEPT).map(|code| u16::from(*code)).collect();
            }
            note(&mut said, properties, "");
        }
        Body::Reasoned { code, properties } => {
            said.code = newer.then_some(code);
            note(&mut said, properties, "");
        }
        Body::Ping => {}
    }
    said
}

/// A topic with its alias and properties.
#[inline]
fn publication<'a>(
    said: &mut Said<'a>,
    topic: &'a [u8],
    properties: Properties<'a>,
    from: Role,
    session: &mut Session,
    out: &mut Output<'_>,
) {
    said.topic = text(topic, TOPIC_KEPT);
    if !properties.is_empty() {
        note(said, properties, "");
        let alias = properties.number(id::TOPIC_ALIAS).and_then(|alias| u16::try_from(alias).ok());
        if let Some(alias) = alias {
            said.topic_alias = Some(alias);
            match session.alias(from, alias, &said.topic, out) {
                Alias::Known(topic) if said.topic.is_empty() => said.topic = Cow::Owned(topic),
                Alias::Known(_) => {}
                Alias::Unseen => said.rare().detail = format!("topic alias {alias} was settled unseen"),
                Alias::Illegal => {
                    said.flaw =
                        Some((AnomalyKind::IllegalValue, "topic alias 0 or beyond the maximum (3.3.2.3.4)"));
                }
            }
            return;
        }
    }
    if topic.is_empty() {
        said.flaw = Some((AnomalyKind::IllegalValue, "no topic and no alias (3.3.2.1)"));
    } else if topic.iter().fold(false, |any, byte| any | matches!(byte, b'#' | b'+' | 0)) {
        said.flaw = Some((AnomalyKind::IllegalValue, "wildcard or null in a topic name (4.7)"));
    } else if matches!(said.topic, Cow::Owned(_)) && std::str::from_utf8(topic).is_err() {
        said.flaw = Some((AnomalyKind::IllegalValue, "topic is no UTF-8 (1.5.4)"));
    }
}

/// The payload: what it looks like, and what Sparkplug says in it.
#[inline]
fn published(said: &mut Said<'_>, packet: &Packet<'_>, payload: &[u8], out: &mut Output<'_>) {
    let about = sparkplug::topic(&said.topic);
    let in_protobuf = about.is_some_and(|topic| topic.kind != SparkplugType::State);
    said.payload_kind = payload::kind(payload, said.payload_bytes, in_protobuf);
    let Some(about) = about else { return };
    let broker = (*out.server_ip, out.server_port);
    let whole = !packet.is_cut();
    let limit = out.limits.sparkplug_bytes;
    let mut message = sparkplug::read(&about, payload, whole, broker, out.sparkplug, limit);
    if !whole {
        let kept = payload.len();
        message.detail = format!("only {kept} bytes of the payload were read; {}", message.detail);
    }
    if let Some(flaw) = message.flaw {
        said.flaw = Some((AnomalyKind::MalformedMessage, flaw));
    }
    said.operation = message.operation;
    said.sparkplug = Some(Box::new(message));
}

/// Adds to a list that is bounded.
pub fn push(list: &mut Vec<String>, one: String) {
    if list.len() < PROPERTIES_KEPT {
        list.push(one);
    }
}

/// Puts properties into the columns that are theirs; all others, and those with a prefix, are listed by name.
pub fn note(said: &mut Said<'_>, properties: Properties<'_>, prefix: &str) {
    if properties.is_empty() {
        return;
    }
    let rare = said.rare();
    let own = prefix.is_empty();
    for (identifier, value) in properties.iter() {
        match (identifier, value) {
            (id::TOPIC_ALIAS, _) => {}
            (id::MESSAGE_EXPIRY, Value::Number(seconds)) if own => rare.message_expiry_s = Some(seconds),
            (id::SESSION_EXPIRY, Value::Number(seconds)) if own => rare.session_expiry_s = Some(seconds),
            (id::CONTENT_TYPE, Value::Text(bytes)) if own => {
                rare.content_type = text(bytes, TEXT_KEPT).into()
            }
            (id::RESPONSE_TOPIC, Value::Text(bytes)) if own => {
                rare.response_topic = text(bytes, TEXT_KEPT).into()
            }
            (id::CORRELATION_DATA, _) if own => rare.has_correlation = true,
            (id::USER_PROPERTY, Value::Pair(key, _)) => {
                rare.user_property_count = rare.user_property_count.saturating_add(1);
                push(&mut rare.user_property_keys, format!("{prefix}{}", text(key, TEXT_KEPT)));
            }
            // Authentication data is secret; correlation data is the application's own.
            (id::AUTHENTICATION_DATA | id::CORRELATION_DATA, Value::Binary(bytes)) => {
                push(&mut rare.properties, format!("{prefix}{}: {} bytes", name(identifier), bytes.len()));
            }
            (_, Value::Number(number)) => {
                push(&mut rare.properties, format!("{prefix}{}={number}", name(identifier)))
            }
            (_, Value::Text(bytes)) => {
                push(
                    &mut rare.properties,
                    format!("{prefix}{}={}", name(identifier), text(bytes, TEXT_KEPT)),
                );
            }
            (_, Value::Binary(_) | Value::Pair(..)) => {}
        }
    }
}
