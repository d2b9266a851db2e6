//! LDAP binds and Kerberos messages, by their BER structure (RFC 4511, 4.2; RFC 4120, 5).

use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::named::{self, Shape};
use super::reading::text;
use super::{Output, Protocol, Recognised, Role, Transport, tls};
use crate::anomaly::At;
use crate::der;
use crate::words::{Confidence, Layer, Login, Service};

pub const LDAP: Protocol = Protocol {
    service: Service::Ldap,
    layer: Layer::Application,
    transport: Transport::Both,
    ports: &[389, 3268],
    recognise: recognise_ldap,
    parser: Some(|_| Reading::boxed(Ldap::default(), Confidence::Structure)),
};

pub const KERBEROS: Protocol = Protocol {
    service: Service::Kerberos,
    layer: Layer::Application,
    transport: Transport::Both,
    ports: &[88, 464],
    recognise: recognise_kerberos,
    parser: Some(|_| named::parser::<Kerberos>(Confidence::Structure)),
};

/// The longest message that is read; a search's answer may be longer, and is passed over.
const MESSAGE_LIMIT: usize = 16_384;

/// Messages of a flow that are looked at.
const MESSAGES_LIMIT: u32 = 64;

const NAME_CHARACTERS: usize = 255;

/// The request for TLS (RFC 4511, 4.14.1).
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

mod operation {
    pub const BIND_REQUEST: u8 = 0x60;
    pub const BIND_RESPONSE: u8 = 0x61;
    pub const UNBIND_REQUEST: u8 = 0x42;
    pub const SEARCH_REQUEST: u8 = 0x63;
    pub const SEARCH_ENTRY: u8 = 0x64;
    pub const SEARCH_DONE: u8 = 0x65;
    pub const EXTENDED_REQUEST: u8 = 0x77;
    pub const EXTENDED_RESPONSE: u8 = 0x78;
}

/// Length of the message with its header, as its header says.
fn whole_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x30, length @ 0..=0x7f, ..] => Some(2 + usize::from(*length)),
        [0x30, 0x81, length, ..] => Some(3 + usize::from(*length)),
        [0x30, 0x82, a, b, ..] => Some(4 + usize::from(u16::from_be_bytes([*a, *b]))),
        [0x30, 0x83, a, b, c, ..] => Some(5 + u32::from_be_bytes([0, *a, *b, *c]) as usize),
        [0x30, 0x84, a, b, c, d, ..] => Some(6 + u32::from_be_bytes([*a, *b, *c, *d]) as usize),
        _ => None,
    }
}

/// The operation of a whole message and its content.
fn ldap(message: &[u8]) -> Option<(u8, &[u8])> {
    let (envelope, _) = der::element(message)?;
    let (number, rest) = der::element(envelope.content)?;
    let (operation, _) = der::element(rest)?;
    let fits = envelope.tag == 0x30 && number.tag == 2 && (1..=4).contains(&number.content.len());
    fits.then_some((operation.tag, operation.content))
}

fn recognise_ldap(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let length = whole_length(payload)?;
    if length != payload.len() {
        return None;
    }
    let (tag, content) = ldap(payload)?;
    let speaker = match tag {
        operation::BIND_REQUEST => {
            // Version 3, or 2.
            matches!(content, [2, 1, 2 | 3, 4, ..]).then_some(Role::Client)?
        }
        operation::BIND_RESPONSE | operation::SEARCH_DONE => {
            matches!(content, [0x0a, 1, ..]).then_some(Role::Server)?
        }
        operation::SEARCH_REQUEST if on_port => Role::Client,
        operation::SEARCH_ENTRY | operation::EXTENDED_RESPONSE if on_port => Role::Server,
        operation::EXTENDED_REQUEST if content.get(2..).is_some_and(|name| name.starts_with(START_TLS)) => {
            Role::Client
        }
        _ => return None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) })
}

#[derive(Default)]
struct Ldap {
    messages: u32,
    asked_tls: bool,
}

impl Dialogue for Ldap {
    const SOURCE: Option<crate::words::ObservationSource> = None;
    const SERVICE: Service = Service::Ldap;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        // The server's consent was not seen, but TLS was begun.
        if self.asked_tls && bytes[0] == tls::HANDSHAKE {
            return said.begin_tls();
        }
        let Some(length) = whole_length(bytes) else {
            return if bytes.len() < 6 && bytes[0] == 0x30 { Step::More } else { Step::Wrong };
        };
        self.messages += 1;
        if self.messages > MESSAGES_LIMIT {
            return Step::Done;
        }
        if length > MESSAGE_LIMIT {
            return Step::Skip(length as u64);
        }
        let Some(message) = bytes.get(..length) else {
            self.messages -= 1;
            return Step::More;
        };
        let Some((tag, content)) = ldap(message) else { return Step::Wrong };
        match (tag, from) {
            (operation::BIND_REQUEST, Role::Client) => bind(content, said),
            (operation::BIND_RESPONSE, Role::Server) => match content {
                [0x0a, 1, 0, ..] => said.login = said.login.or(Some(Login::Yes)),
                // A challenge: another request follows.
                [0x0a, 1, 14, ..] => {}
                [0x0a, 1, code, ..] => {
                    said.refuse_login();
                    said.remark(format!("bind refused with {code}"));
                }
                _ => return Step::Wrong,
            },
            (operation::EXTENDED_REQUEST, Role::Client) => {
                self.asked_tls = content.get(2..).is_some_and(|name| name.starts_with(START_TLS));
            }
            (operation::EXTENDED_RESPONSE, Role::Server)
                if self.asked_tls && content.starts_with(&[0x0a, 1, 0]) =>
            {
                return said.begin_tls();
            }
            (operation::UNBIND_REQUEST, Role::Client) => return Step::Done,
            _ => {}
        }
        Step::Read(length)
    }
}

/// Who binds, and whether the password is in clear (4.2).
fn bind(content: &[u8], said: &mut Introduction) {
    let Some((version, rest)) = der::element(content) else { return };
    let Some((name, rest)) = der::element(rest) else { return };
    let Some((choice, _)) = der::element(rest) else { return };
    said.version = format!("LDAPv{}", version.content.first().copied().unwrap_or(0));
    if !name.content.is_empty() {
        said.user = text(name.content, NAME_CHARACTERS);
    }
    match choice.tag {
        0x80 if choice.content.is_empty() => said.login = Some(Login::NotAsked),
        0x80 => said.secret_seen = true,
        0xa3 => {
            let mechanism = der::element(choice.content).map(|(mechanism, _)| text(mechanism.content, 32));
            said.remark(format!("SASL {}", mechanism.unwrap_or_default()));
            super::ntlmssp::read_within(choice.content, said);
        }
        _ => {}
    }
}

/// A message's application tag (RFC 4120, 5.10), over UDP or behind a length over TCP (7.2.2).
fn kerberos(payload: &[u8]) -> Option<(u8, usize)> {
    let message = match payload {
        [0, 0, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if length < rest.len() {
                return None;
            }
            rest
        }
        _ => payload,
    };
    let tag = *message.first().filter(|tag| matches!(tag, 0x6a..=0x6f | 0x74..=0x76 | 0x7e))?;
    // The sequence inside, with protocol version 5 as its first or, behind a tag, second field.
    let length_bytes = match message.get(1)? {
        0..=0x7f => 1,
        0x81 => 2,
        0x82 => 3,
        _ => return None,
    };
    let inner = message.get(1 + length_bytes..)?;
    let fields = match inner {
        [0x30, 0..=0x7f, rest @ ..] | [0x30, 0x81, _, rest @ ..] | [0x30, 0x82, _, _, rest @ ..] => rest,
        _ => return None,
    };
    let version_5 = matches!(fields, [0xa0 | 0xa1, 3, 2, 1, 5, ..]);
    version_5.then_some((tag, message.len()))
}

fn recognise_kerberos(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let speaker = match kerberos(payload)?.0 {
        0x6a | 0x6c | 0x6e => Role::Client,
        _ => Role::Server,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) })
}

#[derive(Default)]
struct Kerberos;

impl Shape for Kerberos {
    const SERVICE: Service = Service::Kerberos;

    fn fits(&mut self, _from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        let Some((tag, _)) = kerberos(bytes) else { return false };
        said.version = "Kerberos 5".to_owned();
        said.remark(match tag {
            0x6a | 0x6b => "ticket for the first time",
            0x6c | 0x6d => "ticket for a service",
            0x7e => "error",
            _ => "other",
        });
        true
    }
}
