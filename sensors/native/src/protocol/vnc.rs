//! VNC: version, security and its result, up to the desktop's name (RFB, RFC 6143, 7.1 to 7.3).
//!
//! The challenge and its answer are passed over: a password can be guessed from them.

mod vencrypt;

use self::vencrypt::VeNCrypt;
use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::reading::{Fields, text};
use super::{Output, Parser, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, Login, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Vnc,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[5900, 5901, 5902, 5903],
    recognise,
    parser: Some(start),
};

/// `RFB xxx.yyy` and a line end.
const VERSION: usize = 12;

/// A failure's reason, or a desktop's name, is not longer.
const TEXT_LIMIT: usize = 4_096;

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    (has_shape(payload) && payload.len() >= VERSION)
        .then_some(Recognised { confidence: Confidence::Structure, speaker: None })
}

/// True where the bytes are a version message, or the start of one.
fn has_shape(payload: &[u8]) -> bool {
    payload.iter().zip(b"RFB 00d.ddd\n").all(|(byte, like)| match like {
        b'd' => byte.is_ascii_digit(),
        _ => byte == like,
    })
}

fn start(_: Confidence) -> Box<dyn Parser> {
    Reading::boxed(Vnc { minor: [8; 2], stages: [Stage::Version; 2], vencrypt: None }, Confidence::Structure)
}

/// What a side sends next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Version,
    /// The server's offer, or its choice before version 3.7; the client's choice.
    Security,
    /// Challenge, or its answer: 16 bytes.
    Challenge,
    VeNCrypt,
    Result,
    Reason,
    Initialisation,
    Over,
}

struct Vnc {
    /// Of the version: 3, 7 or 8.
    minor: [u8; 2],
    stages: [Stage; 2],
    vencrypt: Option<VeNCrypt>,
}

impl Dialogue for Vnc {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Vnc);
    const SERVICE: Service = Service::Vnc;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        let side = usize::from(from == Role::Server);
        let stage = self.stages[side];
        if stage == Stage::Version {
            return self.version(side, bytes, said);
        }
        // Both sides' lower version is spoken (7.1.1).
        let minor = self.minor[0].min(self.minor[1]);
        let mut fields = Fields(bytes);
        let read = match (from, stage) {
            (Role::Server, Stage::Security) => self.offer(minor, &mut fields, said),
            (Role::Client, Stage::Security) => self.choice(minor, &mut fields, said),
            (_, Stage::Challenge) => fields.take(16).map(|_| {
                self.stages[side] = if from == Role::Server { Stage::Result } else { Stage::Over };
                None
            }),
            (_, Stage::VeNCrypt) => self.vencrypt(from, &mut fields, said),
            (Role::Server, Stage::Result) => self.result(minor, &mut fields, said),
            (Role::Server, Stage::Reason) => reason(&mut fields, said),
            (Role::Server, Stage::Initialisation) => initialisation(&mut fields, said),
            // Nothing of the client tells more.
            _ => return Step::Read(bytes.len()),
        };
        match read {
            None if bytes.len() > TEXT_LIMIT => Step::Done,
            None => Step::More,
            Some(Some(step)) => step,
            Some(None) => Step::Read(bytes.len() - fields.0.len()),
        }
    }
}

/// None where more bytes are needed; the step where the introduction is over with this message.
type Reads = Option<Option<Step>>;

impl Vnc {
    fn version(&mut self, side: usize, bytes: &[u8], said: &mut Introduction) -> Step {
        if !has_shape(bytes) {
            return Step::Wrong;
        }
        let Some(version) = bytes.get(..VERSION) else { return Step::More };
        let number =
            |digits: &[u8]| digits.iter().fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        let (major, minor) = (number(&version[4..7]), number(&version[8..11]));
        // What others call themselves is spoken as 3.8, or as 3.3 where it is between (7.1.1).
        self.minor[side] = match (major, minor) {
            (3, 7) => 7,
            (3, 8..) | (4.., _) => 8,
            _ => 3,
        };
        let spoken = format!("RFB {major}.{minor}");
        if side == 1 {
            said.server_software = spoken;
        } else {
            said.version = spoken;
        }
        self.stages[side] = Stage::Security;
        Step::Read(VERSION)
    }

    fn offer(&mut self, minor: u8, fields: &mut Fields<'_>, said: &mut Introduction) -> Reads {
        if minor < 7 {
            let chosen = fields.u32()?;
            return Some(self.secure(chosen, minor, said));
        }
        let offered = fields.short()?;
        if offered.is_empty() {
            self.stages[1] = Stage::Reason;
            return Some(None);
        }
        let names: Vec<String> = offered.iter().take(16).map(|kind| security(u32::from(*kind))).collect();
        said.remark(format!("offers {}", names.join(", ")));
        // What comes next depends on the client's choice, which comes before it.
        self.stages[1] = Stage::Result;
        Some(None)
    }

    fn choice(&mut self, minor: u8, fields: &mut Fields<'_>, said: &mut Introduction) -> Reads {
        if minor < 7 {
            self.stages[0] = Stage::Over;
            return Some(None);
        }
        let chosen = u32::from(fields.u8()?);
        Some(self.secure(chosen, minor, said))
    }

    fn secure(&mut self, chosen: u32, minor: u8, said: &mut Introduction) -> Option<Step> {
        said.cipher = security(chosen);
        match chosen {
            0 => {
                self.stages[1] = Stage::Reason;
                None
            }
            1 => {
                said.login = Some(Login::NotAsked);
                // Before 3.8 no result follows (7.1.3).
                self.stages = [Stage::Over, if minor >= 8 { Stage::Result } else { Stage::Initialisation }];
                None
            }
            2 => {
                self.stages = [Stage::Challenge, Stage::Challenge];
                None
            }
            18 => {
                said.encrypted = true;
                Some(Step::HandOver)
            }
            19 => {
                self.vencrypt = Some(VeNCrypt::new());
                self.stages = [Stage::VeNCrypt; 2];
                None
            }
            _ => {
                said.encrypted = matches!(chosen, 5 | 6 | 129 | 130 | 133 | 134);
                Some(Step::Done)
            }
        }
    }

    fn vencrypt(&mut self, from: Role, fields: &mut Fields<'_>, said: &mut Introduction) -> Reads {
        let Some(vencrypt) = &mut self.vencrypt else { return Some(Some(Step::Done)) };
        let read = vencrypt.read(from, fields, said)?;
        if vencrypt.is_over() {
            self.stages = [Stage::Over, Stage::Result];
        }
        Some(read)
    }

    fn result(&mut self, minor: u8, fields: &mut Fields<'_>, said: &mut Introduction) -> Reads {
        if fields.u32()? == 0 {
            said.login = said.login.or(Some(Login::Yes));
            self.stages[1] = Stage::Initialisation;
            return Some(None);
        }
        said.refuse_login();
        self.stages[1] = Stage::Reason;
        Some((minor < 8).then_some(Step::Done))
    }
}

/// Why the server refuses (7.1.2).
fn reason(fields: &mut Fields<'_>, said: &mut Introduction) -> Reads {
    let length = usize::try_from(fields.u32()?).unwrap_or(usize::MAX);
    if length > TEXT_LIMIT {
        return Some(Some(Step::Done));
    }
    said.remark(text(fields.take(length)?, 128));
    Some(Some(Step::Done))
}

/// The desktop's size and name (7.3.2).
fn initialisation(fields: &mut Fields<'_>, said: &mut Introduction) -> Reads {
    let (width, height) = (fields.u16()?, fields.u16()?);
    fields.take(16)?;
    let length = usize::try_from(fields.u32()?).unwrap_or(usize::MAX);
    if length > TEXT_LIMIT {
        return Some(Some(Step::Done));
    }
    said.server_name = text(fields.take(length)?, 128);
    said.remark(format!("desktop {width}x{height}"));
    Some(Some(Step::Done))
}

/// Security types (RFC 6143, 8.1.2).
fn security(kind: u32) -> String {
    match kind {
        0 => "refused",
        1 => "none",
        2 => "VNC authentication",
        5 => "RA2",
        6 => "RA2ne",
        16 => "Tight",
        18 => "TLS",
        19 => "VeNCrypt",
        30 => "Apple remote desktop",
        other => return format!("type {other}"),
    }
    .to_owned()
}
