//! The row of a request and its response, of which either may be missing, not both.

use std::sync::Arc;

use super::channel::Channel;
use super::message::{Message, MessageType};
use super::said::{About, Effect, Said, Told};
use super::service::UaService;
use super::session::{Identity, Secret};
use super::status::Status;
use super::text::{DETAIL_LIMIT, Text, Texts};
use crate::observations::Observation;
use crate::protocol::{Output, Role};
use crate::tables::{OpcUaRow, ROW};
use crate::words::{Confidence, ObservationSource, OperationClass, Outcome};

/// What a row says of its connection.
#[derive(Clone, Debug)]
pub struct Connection {
    pub channel: Channel,
    /// Which side of the flow is the OPC UA client.
    pub asker: Role,
    pub confidence: Confidence,
    /// Gaps of the flow so far.
    pub gaps: u64,
    /// The URI in the client's certificate.
    pub certified_uri: Arc<str>,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            channel: Channel::default(),
            asker: Role::Client,
            confidence: Confidence::None,
            gaps: 0,
            certified_uri: Arc::from(""),
        }
    }
}

/// Writes the row, and what its messages tell of devices.
pub fn write(
    connection: &Connection,
    request: Option<&Message>,
    response: Option<&Message>,
    outcome: Outcome,
    out: &mut Output<'_>,
) {
    let Some(either) = request.or(response) else { return };
    if connection.confidence == Confidence::None {
        return;
    }
    let reversed = connection.asker == Role::Server;
    let client = (out.client_ip, out.client_port);
    let server = (out.server_ip, out.server_port);
    let (client, server) = if reversed { (server, client) } else { (client, server) };
    for message in [request, response].into_iter().flatten() {
        for told in &message.said.told {
            let ip = if told.about == About::Client { client.0 } else { server.0 };
            observe(told, *ip, message, out);
        }
    }
    let nothing = Said::default();
    let asked = request.map_or(&nothing, |message| &message.said);
    let answered = response.map_or(&nothing, |message| &message.said);
    let first = |list: fn(&Said) -> &Texts| match list(asked) {
        texts if texts.is_empty() => list(answered).items(),
        texts => texts.items(),
    };
    let service = match either.service {
        UaService::Unknown => response.map_or(UaService::Unknown, |response| response.service),
        service => service,
    };
    let identity = identity(request, response);
    let (client_subject, client_thumbprint) = certificate(request);
    let (server_subject, server_thumbprint) = certificate(response);
    let application_uri = match identity.application_uri.as_str() {
        "" => &*connection.certified_uri,
        uri => uri,
    };
    let status = response.and_then(|response| response.status).or(either.status);
    let status_name = status.map(Status::word).unwrap_or_default();
    let gap_between = request.is_some_and(|request| request.gaps != connection.gaps);
    out.tables.opcua.push(OpcUaRow {
        ts: either.at.ts,
        flow_id: out.flow_id,
        client_ip: client.0,
        server_ip: server.0,
        client_port: client.1,
        server_port: server.1,
        request_frame: request.map(|request| request.at.frame),
        response_frame: response.map(|response| response.at.frame),
        message_type: either.kind,
        service,
        operation_class: class(either, service),
        outcome,
        request_type: request.and_then(|request| request.type_id),
        response_type: response.and_then(|response| response.type_id),
        channel_id: either.channel.or(connection.channel.id),
        request_id: either.request_id,
        request_handle: either.handle,
        security_policy: &connection.channel.policy,
        security_mode: connection.channel.mode,
        session: &identity.session,
        user_kind: identity.user_kind,
        user_name: &identity.user_name,
        secret: identity.secret,
        application_uri,
        client_certificate_subject: client_subject,
        client_certificate_thumbprint: client_thumbprint,
        server_certificate_subject: server_subject,
        server_certificate_thumbprint: server_thumbprint,
        endpoint_url: match asked.endpoint_url.as_str() {
            "" => &answered.endpoint_url,
            url => url,
        },
        subscription_id: asked.subscription.or(answered.subscription),
        status: status.map(|status| status.0),
        status_name: &status_name,
        nodes: first(|said| &said.nodes),
        objects: first(|said| &said.objects),
        attributes: first(|said| &said.attributes),
        values_written: asked.values.items(),
        values_read: answered.values.items(),
        results: answered.results.items(),
        operations: if asked.operations > 0 && service != UaService::Publish {
            asked.operations
        } else {
            answered.operations
        },
        operations_failed: answered.failed,
        latency_ns: latency(request, response),
        request_chunks: request.map_or(0, |request| request.chunks),
        response_chunks: response.map_or(0, |response| response.chunks),
        request_bytes: request.map_or(0, |request| request.bytes),
        response_bytes: response.map_or(0, |response| response.bytes),
        detail: &joined(asked, answered),
        encrypted: either.encrypted || response.is_some_and(|response| response.encrypted),
        reversed,
        after_gap: either.after_gap || response.is_some_and(|response| response.after_gap) || gap_between,
        confidence: connection.confidence,
        _borrow: ROW,
    });
}

/// The name of the one who asks; of an activation the one that is asked for, whatever the answer.
fn identity(request: Option<&Message>, response: Option<&Message>) -> Identity {
    let Some(request) = request else {
        return response.map(|response| (*response.who).clone()).unwrap_or_default();
    };
    let known = (*request.who).clone();
    match (&request.said.effect, response.map(|response| &response.said.effect)) {
        (Effect::Activate(wanted), _) => {
            Identity { session: known.session, application_uri: known.application_uri, ..wanted.clone() }
        }
        (Effect::CreateSession { application_uri }, created) => {
            let session = match created {
                Some(Effect::SessionCreated { session, .. }) => session.clone(),
                _ => String::new(),
            };
            Identity { session, application_uri: application_uri.clone(), ..known }
        }
        _ => Identity { secret: Secret::None, ..known },
    }
}

/// Subject and thumbprint of the certificate that a message carries.
fn certificate(message: Option<&Message>) -> (&str, &str) {
    let certificate = message.and_then(|message| message.certificate.as_ref());
    certificate.map_or(("", ""), |known| (known.subject.as_str(), known.thumbprint.as_str()))
}

fn class(message: &Message, service: UaService) -> OperationClass {
    match message.kind {
        MessageType::Message => service.class(),
        _ => OperationClass::Session,
    }
}

fn latency(request: Option<&Message>, response: Option<&Message>) -> Option<u64> {
    let (asked, answered) = (request?.at.ts, response?.at.ts);
    (answered >= asked).then(|| answered.abs_diff(asked))
}

fn joined(asked: &Said, answered: &Said) -> String {
    let mut text = Text::new(DETAIL_LIMIT);
    text.push(asked.detail.as_str());
    if !answered.detail.is_empty() {
        text.separate(" -> ");
        text.push(answered.detail.as_str());
    }
    text.into_string()
}

fn observe(told: &Told, ip: [u8; 16], message: &Message, out: &mut Output<'_>) {
    let observation =
        Observation { mac: 0, ip, kind: told.kind, source: ObservationSource::OpcUa, value: &told.value };
    out.observe(&observation, message.at);
}
