//! PostgreSQL's start-up, request for TLS and authentication (PostgreSQL documentation, 55.2 and 55.7).

use super::NAME_CHARACTERS;
use crate::anomaly::At;
use crate::protocol::introduction::{Dialogue, Introduction, Reading, Step};
use crate::protocol::reading::text;
use crate::protocol::{Output, Protocol, Recognised, Role, Transport, tls};
use crate::words::{Confidence, Layer, Login, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Postgres,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[5432],
    recognise,
    parser: Some(|_| Reading::boxed(Postgres::default(), Confidence::Structure)),
};

/// A first message is not longer (the server's own bound).
const START_LIMIT: usize = 10_000;
const MESSAGE_LIMIT: usize = 32_768;

/// Parameters of a start-up that are looked at.
const PARAMETERS_LIMIT: usize = 64;

const VERSION_3: u32 = 3 << 16;
const TLS_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;

/// A message without a type: its length and code.
fn first(bytes: &[u8]) -> Option<(usize, u32)> {
    let [a, b, c, d, e, f, g, h, ..] = *bytes else { return None };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    let code = u32::from_be_bytes([e, f, g, h]);
    let fits = match code {
        TLS_REQUEST | GSS_REQUEST => length == 8,
        CANCEL_REQUEST => length == 16,
        VERSION_3 => (10..=START_LIMIT).contains(&length),
        _ => false,
    };
    fits.then_some((length, code))
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let (length, code) = first(payload)?;
    let named = code != VERSION_3 || payload.get(8..13) == Some(b"user\0") || payload.len() < length;
    (named && payload.len() <= length)
        .then_some(Recognised { confidence: Confidence::Structure, speaker: Some(Role::Client) })
}

#[derive(Default)]
struct Postgres {
    started: bool,
    asked_tls: bool,
    /// The server wants the password as it is.
    in_clear: bool,
}

impl Dialogue for Postgres {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Database);
    const SERVICE: Service = Service::Postgres;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        // The server's consent was not seen, but TLS was begun.
        if self.asked_tls && from == Role::Client && bytes[0] == tls::HANDSHAKE {
            return said.begin_tls();
        }
        if from == Role::Client && !self.started {
            return self.start(bytes, said);
        }
        if from == Role::Server && std::mem::take(&mut self.asked_tls) {
            match bytes[0] {
                b'S' | b'G' => {
                    return said.begin_tls();
                }
                b'N' => return Step::Read(1),
                _ => {}
            }
        }
        let [kind, a, b, c, d, rest @ ..] = bytes else { return Step::More };
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if !kind.is_ascii_alphanumeric() || !(4..=MESSAGE_LIMIT).contains(&length) {
            return Step::Wrong;
        }
        let Some(body) = rest.get(..length - 4) else { return Step::More };
        match from {
            Role::Client => {
                said.secret_seen |= *kind == b'p' && self.in_clear;
                Step::Read(1 + length)
            }
            Role::Server => self.answer(*kind, body, 1 + length, said),
        }
    }
}

impl Postgres {
    fn start(&mut self, bytes: &[u8], said: &mut Introduction) -> Step {
        if bytes.len() < 8 {
            return Step::More;
        }
        let Some((length, code)) = first(bytes) else { return Step::Wrong };
        let Some(message) = bytes.get(8..length) else { return Step::More };
        match code {
            TLS_REQUEST | GSS_REQUEST => self.asked_tls = true,
            CANCEL_REQUEST => {
                said.remark("cancels a query");
                return Step::Done;
            }
            _ => {
                self.started = true;
                said.version = "PostgreSQL 3.0".to_owned();
                let mut words = message.split(|byte| *byte == 0);
                for _ in 0..PARAMETERS_LIMIT {
                    let (Some(name), Some(value)) = (words.next(), words.next()) else { break };
                    let value = text(value, NAME_CHARACTERS);
                    match name {
                        b"user" => said.user = value,
                        b"database" => said.remark(format!("database {value}")),
                        b"application_name" => said.client_software = value,
                        _ => {}
                    }
                }
            }
        }
        Step::Read(length)
    }

    fn answer(&mut self, kind: u8, body: &[u8], length: usize, said: &mut Introduction) -> Step {
        match (kind, body) {
            (b'R', [0, 0, 0, method, ..]) => match method {
                0 => said.login = Some(if said.login.is_none() { Login::NotAsked } else { Login::Yes }),
                method => {
                    self.in_clear = *method == 3;
                    said.login = Some(Login::Unknown);
                    let name = match method {
                        3 => "password in clear",
                        5 => "MD5",
                        7 | 8 => "GSSAPI",
                        10..=12 => "SASL",
                        _ => "other",
                    };
                    said.remark(format!("authentication {name}"));
                }
            },
            (b'S', parameter) => {
                if let Some(version) = parameter.strip_prefix(b"server_version\0") {
                    let end = version.iter().position(|byte| *byte == 0).unwrap_or(version.len());
                    said.server_software = format!("PostgreSQL {}", text(&version[..end], 64));
                }
            }
            (b'E', _) if !matches!(said.login, Some(Login::Yes | Login::NotAsked)) => {
                said.refuse_login();
                return Step::Done;
            }
            // Ready for queries: the introduction is over.
            (b'Z', _) => return Step::Done,
            _ => {}
        }
        Step::Read(length)
    }
}
