//! Syslog, named by its priority and header (RFC 5424, 6.2; RFC 3164, 4.1); messages are not kept.

use super::introduction::Introduction;
use super::named::{self, Shape};
use super::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Syslog,
    layer: Layer::Application,
    transport: Transport::Both,
    ports: &[514, 601],
    recognise,
    parser: Some(|_| named::parser::<Syslog>(Confidence::Structure)),
};

const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A version behind the priority.
    Standard,
    /// A date as the oldest senders write it.
    Dated,
    /// Anything behind a priority.
    Bare,
}

fn form(payload: &[u8]) -> Option<Form> {
    // Over TCP the message's length may come first (RFC 6587, 3.4.1).
    let digits = payload.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let message = match payload.get(digits) {
        Some(b' ') if digits > 0 => &payload[digits + 1..],
        _ => payload,
    };
    let rest = message.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|byte| *byte == b'>')?;
    let priority: u16 = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    let text = &rest[end + 1..];
    if priority > 191 || text.len() < 4 {
        return None;
    }
    if text.starts_with(b"1 ") && text.get(2).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-') {
        return Some(Form::Standard);
    }
    let dated = MONTHS.chunks_exact(3).any(|month| text.starts_with(month)) && text[3] == b' ';
    Some(if dated { Form::Dated } else { Form::Bare })
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let form = form(payload)?;
    (on_port || form != Form::Bare)
        .then_some(Recognised { confidence: Confidence::Structure, speaker: Some(Role::Client) })
}

#[derive(Default)]
struct Syslog;

impl Shape for Syslog {
    const SERVICE: Service = Service::Syslog;

    fn fits(&mut self, from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        if form(bytes) == Some(Form::Standard) {
            said.version = "syslog 1".to_owned();
        }
        // Receivers say nothing.
        from == Role::Client
    }
}
