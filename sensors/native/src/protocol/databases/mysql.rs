//! MySQL's and MariaDB's greeting and login (MySQL internals, "Connection Phase").

use super::NAME_CHARACTERS;
use crate::anomaly::At;
use crate::protocol::introduction::{Dialogue, Introduction, Reading, Step};
use crate::protocol::reading::{Fields, text};
use crate::protocol::{Output, Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Login, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::MySql,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[3306],
    recognise,
    parser: Some(|_| Reading::boxed(MySql::default(), Confidence::Structure)),
};

/// CLIENT_SSL and CLIENT_PROTOCOL_41.
const TLS: u32 = 0x800;
const PROTOCOL_41: u32 = 0x200;

/// The part of a login that a request for TLS has too.
const LOGIN_HEAD: usize = 32;

/// The longest packet of a login.
const PACKET_LIMIT: usize = 16_384;

/// A packet: its number, its body, its length.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let [a, b, c, number, rest @ ..] = bytes else { return None };
    let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
    Some((*number, rest.get(..length)?, 4 + length))
}

/// The version in a server's greeting: protocol 10, then text that begins with a digit.
fn greeting(body: &[u8]) -> Option<&[u8]> {
    let version = body.strip_prefix(&[10])?;
    let end = version.iter().take(64).position(|byte| *byte == 0)?;
    let readable = version[..end].iter().all(|byte| (0x20..0x7f).contains(byte));
    let fits = version.first()?.is_ascii_digit() && readable && version.len() >= end + 14;
    // A zero stands behind the thread's number and the first part of the challenge.
    (fits && version.get(end + 13) == Some(&0)).then_some(&version[..end])
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let (number, body, length) = packet(payload)?;
    (number == 0 && length == payload.len() && greeting(body).is_some())
        .then_some(Recognised { confidence: Confidence::Structure, speaker: Some(Role::Server) })
}

#[derive(Default)]
struct MySql {
    greeted: bool,
    asked: bool,
}

impl Dialogue for MySql {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Database);
    const SERVICE: Service = Service::MySql;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        let Some((_, body, length)) = packet(bytes) else {
            return if bytes.len() > PACKET_LIMIT { Step::Wrong } else { Step::More };
        };
        match from {
            Role::Server if !self.greeted => {
                let Some(version) = greeting(body) else { return Step::Wrong };
                self.greeted = true;
                said.server_software = format!("MySQL {}", text(version, 64));
                said.version = "MySQL 10".to_owned();
            }
            Role::Server => match body.first() {
                Some(0) if self.asked => {
                    said.login = Some(Login::Yes);
                    return Step::Done;
                }
                Some(0xff) => {
                    if self.asked {
                        said.refuse_login();
                    }
                    return Step::Done;
                }
                _ => {}
            },
            Role::Client if !self.asked => {
                self.asked = true;
                if login(body, said).is_some_and(|tls| tls) {
                    return said.begin_tls();
                }
            }
            Role::Client => {}
        }
        Step::Read(length)
    }
}

/// The client's login; true where it only asks for TLS. Behind the name is an answer to the challenge, no password.
fn login(body: &[u8], said: &mut Introduction) -> Option<bool> {
    let mut fields = Fields(body);
    let capabilities = fields.u32_le()?;
    if capabilities & PROTOCOL_41 == 0 {
        return None;
    }
    if capabilities & TLS != 0 && body.len() == LOGIN_HEAD {
        return Some(true);
    }
    fields.take(LOGIN_HEAD - 4)?;
    let end = fields.0.iter().position(|byte| *byte == 0)?;
    said.user = text(&fields.0[..end], NAME_CHARACTERS);
    Some(false)
}
