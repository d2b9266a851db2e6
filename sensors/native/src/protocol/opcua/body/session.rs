//! Secure channels and sessions (OPC 10000-4, 5.6 and 5.7). Passwords, tokens and nonces are read over here.

use super::super::certificate::Certificate;
use super::super::diagnostics;
use super::super::node_id::NodeId;
use super::super::reader::{Read, Reader};
use super::super::said::{About, Effect, Said};
use super::super::session::{Identity, Secret, Sessions, UserKind};
use super::super::status::Status;
use super::super::text::{TEXT_LIMIT, Texts};
use super::super::variant::Extension;
use super::discovery::{Application, endpoints};

/// Identity tokens (7.40), in the binary encoding.
const ANONYMOUS: u32 = 321;
const USER_NAME: u32 = 324;
const X509: u32 = 327;
const ISSUED: u32 = 940;

/// OpenSecureChannel's request: the mode that it asks for (1 none, 2 sign, 3 sign and encrypt).
pub fn open_request(reader: &mut Reader<'_>, said: &mut Said) -> Read<u32> {
    reader.u32()?;
    let kind = reader.u32()?;
    let mode = reader.u32()?;
    reader.string()?;
    let lifetime_ms = reader.u32()?;
    said.remark(match kind {
        0 => "issue",
        1 => "renew",
        _ => "unknown request type",
    });
    said.remark(&format!("lifetime {lifetime_ms} ms"));
    Ok(mode)
}

/// The channel that was opened.
pub fn open_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<u32> {
    reader.u32()?;
    let (channel, token) = (reader.u32()?, reader.u32()?);
    reader.i64()?;
    let lifetime_ms = reader.u32()?;
    reader.string()?;
    said.remark(&format!("token {token}, lifetime {lifetime_ms} ms"));
    Ok(channel)
}

pub fn create_request(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let client = Application::read(reader)?;
    said.effect = Effect::CreateSession { application_uri: client.uri.clone() };
    if !client.product_uri.is_empty() {
        said.remark(&format!("product {}", client.product_uri));
    }
    client.tell(About::Client, said);
    reader.string()?;
    said.endpoint_url = reader.text(TEXT_LIMIT)?;
    let name = reader.text(TEXT_LIMIT)?;
    if !name.is_empty() {
        said.remark(&format!("session name {name}"));
    }
    // The nonce.
    reader.string()?;
    if let Some(certificate) = reader.string()?.and_then(Certificate::read) {
        said.remark(&format!("client certificate {}", certificate.thumbprint));
    }
    let timeout_ms = reader.f64()?;
    said.remark(&format!("timeout {timeout_ms} ms"));
    reader.u32()?;
    Ok(())
}

pub fn create_response(reader: &mut Reader<'_>, sessions: &Sessions, said: &mut Said) -> Read<()> {
    let session = NodeId::read(reader)?.text();
    let token = sessions.hash(&NodeId::read(reader)?);
    said.effect = Effect::SessionCreated { session, token };
    let timeout_ms = reader.f64()?;
    said.remark(&format!("timeout {timeout_ms} ms"));
    // Nonce, certificate.
    reader.string()?;
    reader.string()?;
    endpoints(reader, said)?;
    // They are what GetEndpoints has told before: no results of this service.
    said.values = Texts::default();
    said.operations = 0;
    signed_certificates(reader)?;
    signature(reader)?;
    reader.u32()?;
    Ok(())
}

pub fn activate_request(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    signature(reader)?;
    signed_certificates(reader)?;
    reader.skip_strings()?;
    let token = Extension::read(reader)?;
    let identity = identity(&token)?;
    said.effect = Effect::Activate(identity);
    signature(reader)
}

/// Who a token names. Its secret is only asked whether it is there, and whether it is encrypted.
fn identity(token: &Extension<'_>) -> Read<Identity> {
    let mut fields = token.fields();
    let mut identity = Identity::default();
    if token.kind.node.is_null() {
        // No token at all stands for nobody in particular (5.7.3.2).
        identity.user_kind = UserKind::Anonymous;
        return Ok(identity);
    }
    match token.standard() {
        Some(ANONYMOUS) => identity.user_kind = UserKind::Anonymous,
        Some(USER_NAME) => {
            identity.user_kind = UserKind::UserName;
            fields.string()?;
            identity.user_name = fields.text(TEXT_LIMIT)?;
            identity.secret = secret(&mut fields)?;
        }
        Some(X509) => {
            identity.user_kind = UserKind::Certificate;
            fields.string()?;
            let certificate = fields.string()?.and_then(Certificate::read).unwrap_or_default();
            identity.user_name = certificate.subject;
        }
        Some(ISSUED) => {
            identity.user_kind = UserKind::Issued;
            fields.string()?;
            identity.secret = secret(&mut fields)?;
        }
        _ => {}
    }
    Ok(identity)
}

/// A secret and the algorithm that it is encrypted with: none where it is not (7.40.4).
fn secret(fields: &mut Reader<'_>) -> Read<Secret> {
    let is_there = fields.string()?.is_some_and(|secret| !secret.is_empty());
    let is_encrypted = fields.string()?.is_some_and(|algorithm| !algorithm.is_empty());
    Ok(match (is_there, is_encrypted) {
        (false, _) => Secret::None,
        (true, false) => Secret::Clear,
        (true, true) => Secret::Encrypted,
    })
}

pub fn activate_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    reader.string()?;
    for _ in 0..reader.count(4)? {
        said.result(Status(reader.u32()?));
    }
    diagnostics::skip_array(reader)
}

pub fn close_request(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    // It is remembered: the channel's end still comes with its token.
    said.remark(if reader.bool()? { "subscriptions are deleted" } else { "subscriptions are kept" });
    Ok(())
}

fn signature(reader: &mut Reader<'_>) -> Read<()> {
    reader.string()?;
    reader.string()?;
    Ok(())
}

fn signed_certificates(reader: &mut Reader<'_>) -> Read<()> {
    for _ in 0..reader.count(8)? {
        reader.string()?;
        reader.string()?;
    }
    Ok(())
}
