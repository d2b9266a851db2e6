//! The row of a transaction: a packet and its answer, of which either may be missing, not both.

use super::said::{Rare, Said};
use super::session::Session;
use super::words::{Direction, PacketType, Reason, SparkplugType};
use crate::anomaly::At;
use crate::columns::Words16;
use crate::limits::Limits;
use crate::protocol::{Output, Role};
use crate::tables::{MqttRow, ROW};
use crate::words::{Carrier, Confidence, Outcome};

/// The packet that answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub at: At,
    pub kind: PacketType,
    pub code: Option<u8>,
    pub wire_bytes: u32,
    pub after_gap: bool,
}

/// A transaction, ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    pub said: &'a Said<'a>,
    /// Who sent `said`.
    pub from: Role,
    /// When `said` was seen; `None` where it is an answer that nobody asked for.
    pub request: Option<At>,
    pub answer: Option<Answer>,
    pub pubrel: Option<At>,
    pub pubcomp: Option<At>,
    pub retries: u16,
    pub outcome: Outcome,
    pub after_gap: bool,
}

impl<'a> Row<'a> {
    /// A packet without its request or its answer, whichever of the two it is.
    pub fn alone(said: &'a Said<'a>, from: Role, outcome: Outcome, after_gap: bool) -> Self {
        Self {
            said,
            from,
            request: None,
            answer: None,
            pubrel: None,
            pubcomp: None,
            retries: 0,
            outcome,
            after_gap,
        }
    }
}

/// A transaction that is held back until it is sure that this is MQTT.
#[derive(Debug)]
pub struct Kept {
    said: Said<'static>,
    from: Role,
    request: Option<At>,
    answer: Option<Answer>,
    pubrel: Option<At>,
    pubcomp: Option<At>,
    retries: u16,
    outcome: Outcome,
    after_gap: bool,
}

impl Kept {
    pub fn of(row: &Row<'_>) -> Self {
        let Row { from, request, answer, pubrel, pubcomp, retries, outcome, after_gap, .. } = *row;
        let said = row.said.clone().into_owned();
        Self { said, from, request, answer, pubrel, pubcomp, retries, outcome, after_gap }
    }

    pub fn row(&self) -> Row<'_> {
        let Self { from, request, answer, pubrel, pubcomp, retries, outcome, after_gap, .. } = *self;
        Row { said: &self.said, from, request, answer, pubrel, pubcomp, retries, outcome, after_gap }
    }
}

/// True where a packet has waited for longer than the limit.
pub fn is_overdue(at: At, now: i64, limits: &Limits) -> bool {
    let waited_ns = u64::try_from(now.saturating_sub(at.ts)).unwrap_or(0);
    waited_ns / 1_000_000_000 >= limits.mqtt_pending_s
}

static NOTHING_RARE: Rare = Rare::nothing();

/// Writes it.
#[inline]
pub fn write(
    row: &Row<'_>,
    session: &Session,
    carrier: Carrier,
    confidence: Confidence,
    out: &mut Output<'_>,
) {
    let Row { said, answer, .. } = *row;
    let rare = said.rare.as_deref().unwrap_or(&NOTHING_RARE);
    let message = said.sparkplug.as_deref();
    let ts = row.request.or_else(|| answer.map(|answer| answer.at)).unwrap_or_default().ts;
    let latency_ns = row
        .request
        .zip(answer)
        .filter(|(request, answer)| answer.at.ts >= request.ts)
        .map(|(request, answer)| answer.at.ts.abs_diff(request.ts));
    let code = answer.and_then(|answer| answer.code).or(said.code);
    let version = session.version();
    let reason = code.map_or(Reason::None, |code| {
        Reason::of(code, answer.map_or(said.kind, |answer| answer.kind), version.is_before_5())
    });
    let detail = message.map_or("", |message| message.detail.as_str());
    out.tables.mqtt.push(MqttRow {
        ts,
        flow_id: out.flow_id,
        client_ip: out.client_ip,
        server_ip: out.server_ip,
        client_port: out.client_port,
        server_port: out.server_port,
        request_frame: row.request.map(|at| at.frame),
        response_frame: answer.map(|answer| answer.at.frame),
        pubrel_frame: row.pubrel.map(|at| at.frame),
        pubcomp_frame: row.pubcomp.map(|at| at.frame),
        packet_type: said.kind,
        direction: match row.from {
            Role::Client => Direction::ToBroker,
            Role::Server => Direction::ToClient,
        },
        version,
        transport: carrier,
        client_id: &session.client_id,
        outcome: row.outcome,
        reason_code: code,
        reason,
        latency_ns,
        operation_class: said.operation,
        topic: &said.topic,
        topic_alias: said.topic_alias,
        qos: said.qos,
        retain: said.retain,
        dup: said.dup,
        retries: row.retries,
        packet_id: said.packet_id,
        payload_bytes: said.payload_bytes,
        payload_kind: said.payload_kind,
        has_user_name: rare.has_user_name,
        user_name: &rare.user_name,
        has_password: rare.has_password,
        clean_start: rare.clean_start,
        session_present: rare.session_present,
        keep_alive_s: rare.keep_alive_s,
        session_expiry_s: rare.session_expiry_s,
        will_topic: &rare.will_topic,
        will_qos: rare.will_qos,
        will_retain: rare.will_retain,
        will_bytes: rare.will_bytes,
        filters: &rare.filters,
        requested_qos: Words16::Values(&rare.requested_qos),
        granted: Words16::Values(&rare.granted),
        message_expiry_s: rare.message_expiry_s,
        response_topic: &rare.response_topic,
        has_correlation: rare.has_correlation,
        content_type: &rare.content_type,
        user_property_count: rare.user_property_count,
        user_property_keys: &rare.user_property_keys,
        properties: &rare.properties,
        sparkplug_type: message.map_or(SparkplugType::None, |message| message.kind),
        sparkplug_group: message.map_or("", |message| &message.group),
        sparkplug_node: message.map_or("", |message| &message.node),
        sparkplug_device: message.map_or("", |message| &message.device),
        sparkplug_seq: message.and_then(|message| message.seq),
        sparkplug_bd_seq: message.and_then(|message| message.bd_seq),
        sparkplug_ts: message.and_then(|message| message.timestamp),
        metric_count: message.map_or(0, |message| message.metric_count),
        metric_names: message.map_or(&[], |message| &message.names),
        metric_types: message.map_or(&[], |message| &message.types),
        metric_values: message.map_or(&[], |message| &message.values),
        detail: if detail.is_empty() { &rare.detail } else { detail },
        request_bytes: if row.request.is_some() { said.wire_bytes } else { 0 },
        response_bytes: answer.map_or(0, |answer| answer.wire_bytes),
        after_gap: row.after_gap,
        confidence,
        _borrow: ROW,
    });
}
