//! The row of a request and its response, of which either may be missing, not both.

use std::borrow::Cow;
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
use crate::words::{Carrier, Confidence, ObservationSource, OperationClass, Outcome};

/// What a row says of its connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// What its messages come in.
    pub carrier: Carrier,
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
            carrier: Carrier::Tcp,
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
    let Some(asker) = asker(request, response) else { return };
    let (client_subject, client_thumbprint) = certificate(request);
    let (server_subject, server_thumbprint) = certificate(response);
    let application_uri = match asker.application_uri {
        "" => &*connection.certified_uri,
        uri => uri,
    };
    let status = response.and_then(|response| response.status).or(either.status);
    let status_name = status.map_or(Cow::Borrowed(""), Status::word);
    let gap_between = request.is_some_and(|request| request.gaps != connection.gaps);
    out.tables.opcua.push(OpcUaRow {
        ts: either.at.ts,
        flow_id: out.flow_id,
        client_ip: client.0,
        server_ip: server.0,
        client_port: client.1,
        server_port: server.1,
        transport: connection.carrier,
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
        session: asker.session,
        user_kind: asker.user.user_kind,
        user_name: &asker.user.user_name,
        secret: asker.secret,
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

/// Who a row says has asked.
struct Asker<'a> {
    session: &'a str,
    user: &'a Identity,
    application_uri: &'a str,
    secret: Secret,
}

/// The name of the one who asks; of an activation the one that is asked for, whatever the answer.
fn asker<'a>(request: Option<&'a Message>, response: Option<&'a Message>) -> Option<Asker<'a>> {
    let known: &Identity = &request.or(response)?.who;
    let plain = Asker {
        session: &known.session,
        user: known,
        application_uri: &known.application_uri,
        secret: Secret::None,
    };
    let Some(request) = request else { return Some(Asker { secret: known.secret, ..plain }) };
    Some(match (&request.said.effect, response.map(|response| &response.said.effect)) {
        (Effect::Activate(wanted), _) => Asker { user: wanted, secret: wanted.secret, ..plain },
        (Effect::CreateSession { application_uri }, created) => {
            let session = match created {
                Some(Effect::SessionCreated { session, .. }) => session,
                _ => "",
            };
            Asker { session, application_uri, secret: known.secret, ..plain }
        }
        _ => plain,
    })
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

fn joined<'a>(asked: &'a Said, answered: &'a Said) -> Cow<'a, str> {
    match (asked.detail.as_str(), answered.detail.as_str()) {
        (asked, "") => Cow::Borrowed(asked),
        ("", answered) => Cow::Borrowed(answered),
        (asked, answered) => {
            let mut text = Text::new(DETAIL_LIMIT);
            text.push(asked);
            text.separate(" -> ");
            text.push(answered);
            Cow::Owned(text.into_string())
        }
    }
}

fn observe(told: &Told, ip: [u8; 16], message: &Message, out: &mut Output<'_>) {
    let observation =
        Observation { mac: 0, ip, kind: told.kind, source: ObservationSource::OpcUa, value: &told.value };
    out.observe(&observation, message.at);
}
