//! Microsoft SQL Server's prelogin and login ([MS-TDS], 2.2.3, 2.2.6.4, 2.2.6.5).

use super::NAME_CHARACTERS;
use crate::anomaly::At;
use crate::protocol::introduction::{Dialogue, Introduction, Reading, Step};
use crate::protocol::ntlmssp;
use crate::protocol::reading::{Fields, utf16_text};
use crate::protocol::{Output, Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Login, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::MsSql,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[1433],
    recognise,
    parser: Some(|_| Reading::boxed(MsSql::default(), Confidence::Structure)),
};

const HEADER: usize = 8;

mod kind {
    pub const BATCH: u8 = 1;
    pub const CALL: u8 = 3;
    pub const RESPONSE: u8 = 4;
    pub const TRANSACTION: u8 = 14;
    pub const LOGIN: u8 = 16;
    pub const NTLM: u8 = 17;
    pub const PRELOGIN: u8 = 18;
}

/// Options of a prelogin that are looked at.
const OPTIONS_LIMIT: usize = 16;

/// A packet: its type, its body, its length.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let [kind, _, high, low, _, _, _, _, rest @ ..] = bytes else { return None };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    Some((*kind, rest.get(..length.checked_sub(HEADER)?)?, length))
}

/// Version and encryption of a prelogin (2.2.6.5).
fn prelogin(body: &[u8]) -> Option<([u8; 4], u8)> {
    let (mut version, mut encryption) = (None, None);
    let mut options = Fields(body);
    for place in 0..OPTIONS_LIMIT {
        let token = options.u8()?;
        if token == 0xff {
            return Some((version?, encryption?));
        }
        let (at, length) = (usize::from(options.u16()?), usize::from(options.u16()?));
        let value = body.get(at..at + length)?;
        match (token, place) {
            (0, 0) => version = value.first_chunk().copied(),
            // The version comes first, always.
            (_, 0) => return None,
            (1, _) => encryption = value.first().copied(),
            _ => {}
        }
    }
    None
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    if on_port {
        if let Some(speaker) = speaker_midway(payload) {
            return Some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) });
        }
    }
    let [kind::PRELOGIN, 1, ..] = payload else { return None };
    let (_, body, length) = packet(payload)?;
    (length == payload.len() && prelogin(body).is_some())
        .then_some(Recognised { confidence: Confidence::Structure, speaker: Some(Role::Client) })
}

/// Who sends this whole packet in the middle of a session; none where it is not one.
fn speaker_midway(payload: &[u8]) -> Option<Role> {
    let speaker = match payload {
        [kind::BATCH | kind::CALL | kind::TRANSACTION, 0..=0x0f, ..] => Role::Client,
        [kind::RESPONSE, 0..=0x0f, ..] => Role::Server,
        _ => return None,
    };
    let (_, _, length) = packet(payload)?;
    // The last byte of the header is reserved (2.2.3.1.6).
    (length == payload.len() && payload.get(7) == Some(&0)).then_some(speaker)
}

#[derive(Default)]
struct MsSql {
    /// The sides that were heard in the middle of a session.
    midway: [bool; 2],
    asked: bool,
    answered: bool,
    logs_in: bool,
}

impl Dialogue for MsSql {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Database);
    const SERVICE: Service = Service::MsSql;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        if !self.asked && !self.answered {
            if let Some(speaker) = speaker_midway(bytes).filter(|speaker| *speaker == from) {
                self.midway[usize::from(speaker == Role::Server)] = true;
                return if self.midway == [true; 2] { Step::Done } else { Step::Read(bytes.len()) };
            }
        }
        if !matches!(bytes[0], kind::RESPONSE | kind::LOGIN | kind::NTLM | kind::PRELOGIN) {
            return if self.answered { Step::Done } else { Step::Wrong };
        }
        let Some((kind, body, length)) = packet(bytes) else {
            let breaks = bytes.get(2..4).is_some_and(|length| u16::from_be_bytes([length[0], length[1]]) < 8);
            return if breaks { Step::Wrong } else { Step::More };
        };
        match (from, kind) {
            (Role::Client, kind::PRELOGIN) if !self.asked => {
                self.asked = prelogin(body).is_some();
                if !self.asked {
                    return Step::Wrong;
                }
            }
            (Role::Server, kind::RESPONSE) if !self.answered => {
                let Some(([major, minor, build_high, build_low], encryption)) = prelogin(body) else {
                    return Step::Wrong;
                };
                self.answered = true;
                let build = u16::from_be_bytes([build_high, build_low]);
                said.server_software = format!("Microsoft SQL Server {major}.{minor}.{build}");
                // Off, on, not supported, required: anything but the third seals at least the login.
                said.encrypted = matches!(encryption, 1 | 3);
                said.remark(match encryption {
                    0 => "encryption of the login only",
                    2 => "encryption not supported",
                    _ => "encryption",
                });
            }
            // TLS inside of prelogin packets: nothing more is in clear.
            (_, kind::PRELOGIN) => return Step::Done,
            (Role::Client, kind::LOGIN) => {
                self.logs_in = true;
                login(body, said);
            }
            (Role::Client, kind::NTLM) => {
                ntlmssp::read_within(body, said);
            }
            (Role::Server, kind::RESPONSE) if self.logs_in => {
                ntlmssp::read_within(body, said);
                match body.first() {
                    // An error, or an acknowledged login behind changes of environment (2.2.7).
                    Some(0xaa) => {
                        said.refuse_login();
                        return Step::Done;
                    }
                    Some(0xe3 | 0xad) => {
                        said.login = Some(Login::Yes);
                        return Step::Done;
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        Step::Read(length)
    }
}

/// LOGIN7 (2.2.6.4): names by place and length; the password, which is only disguised, is not touched.
fn login(body: &[u8], said: &mut Introduction) -> Option<()> {
    let name = |at: usize| {
        let mut fields = Fields(body.get(at..)?);
        let (start, characters) = (usize::from(fields.u16_le()?), usize::from(fields.u16_le()?));
        body.get(start..start + characters * 2).map(|value| utf16_text(value, NAME_CHARACTERS))
    };
    said.client_name = name(36)?;
    said.user = name(40)?;
    said.secret_seen |= body.get(46..48) != Some(&[0, 0]);
    said.client_software = name(48)?;
    said.host_name = name(52)?;
    let database = name(68)?;
    if !database.is_empty() {
        said.remark(format!("database {database}"));
    }
    Some(())
}
