//! Telnet: option negotiation, prompts and whether a password crossed; what is typed or shown is never kept
//! (RFC 854, RFC 855, RFC 1091).

use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::{Output, Parser, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, Login, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Telnet,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[23, 2323],
    recognise,
    parser: Some(start),
};

const INTERPRET_AS_COMMAND: u8 = 255;
const SUBNEGOTIATION: u8 = 250;
const SUBNEGOTIATION_END: u8 = 240;

/// Characters of a shown line that are looked at for a prompt.
const LINE_LIMIT: usize = 80;

/// Bytes of one side after which nothing new is learnt.
const BYTES_LIMIT: u32 = 32_768;

/// Commands that negotiate an option in a row, with options that are registered (IANA, Telnet Options).
fn negotiations(mut payload: &[u8]) -> usize {
    let mut count = 0;
    while let [INTERPRET_AS_COMMAND, 251..=254, option, rest @ ..] = payload {
        if !matches!(option, 0..=49 | 138..=140 | 255) {
            break;
        }
        payload = rest;
        count += 1;
    }
    count
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let enough = if on_port { 1 } else { 2 };
    let begins = on_port && payload == [INTERPRET_AS_COMMAND];
    let prompts = || {
        let lower = payload[..payload.len().min(1_024)].to_ascii_lowercase();
        [&b"login:"[..], b"username:", b"password:"].iter().any(|prompt| contains(&lower, prompt))
    };
    if negotiations(payload) >= enough || begins {
        return Some(Recognised { confidence: Confidence::Structure, speaker: None });
    }
    (on_port && prompts())
        .then_some(Recognised { confidence: Confidence::Structure, speaker: Some(Role::Server) })
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

fn start(_: Confidence) -> Box<dyn Parser> {
    Reading::boxed(Telnet::default(), Confidence::Structure)
}

/// Where in a command a side's stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Text,
    Command,
    Option,
    Subnegotiation,
    SubnegotiationCommand,
}

/// What was asked for last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    #[default]
    Nothing,
    Name,
    Password,
    /// The password was typed: what is shown next tells whether it was right.
    Answered,
}

#[derive(Default)]
struct Telnet {
    places: [Place; 2],
    bytes: [u32; 2],
    /// The line that the server shows, in small letters; gone as soon as it was looked at.
    shown: Vec<u8>,
    asked: Asked,
}

impl Dialogue for Telnet {
    const SOURCE: Option<ObservationSource> = None;
    const SERVICE: Service = Service::Telnet;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        let side = usize::from(from == Role::Server);
        self.bytes[side] = self.bytes[side].saturating_add(bytes.len() as u32);
        for byte in bytes {
            let place = self.places[side];
            self.places[side] = match (place, *byte) {
                (Place::Text, INTERPRET_AS_COMMAND) => Place::Command,
                (Place::Text, byte) => {
                    match from {
                        Role::Client => self.typed(byte, said),
                        Role::Server => self.show(byte, said),
                    }
                    Place::Text
                }
                (Place::Command, SUBNEGOTIATION) => Place::Subnegotiation,
                (Place::Command, 251..=254) => Place::Option,
                (Place::Subnegotiation, INTERPRET_AS_COMMAND) => Place::SubnegotiationCommand,
                (Place::SubnegotiationCommand, SUBNEGOTIATION_END) => Place::Text,
                (Place::Subnegotiation | Place::SubnegotiationCommand, _) => Place::Subnegotiation,
                (Place::Command | Place::Option, _) => Place::Text,
            };
        }
        let decided = said.login == Some(Login::GuessedYes);
        if decided || self.bytes[side] > BYTES_LIMIT { Step::Done } else { Step::Read(bytes.len()) }
    }

    fn end(&mut self, _: i64, _: bool, _: &mut Introduction, _: &mut Output<'_>) {
        self.shown.clear();
    }
}

impl Telnet {
    fn typed(&mut self, byte: u8, said: &mut Introduction) {
        if self.asked == Asked::Password {
            said.secret_seen = true;
            if matches!(byte, b'\r' | b'\n') {
                self.asked = Asked::Answered;
                self.shown.clear();
            }
        }
    }

    fn show(&mut self, byte: u8, said: &mut Introduction) {
        if matches!(byte, b'\r' | b'\n' | 0) {
            self.shown.clear();
            return;
        }
        if self.shown.len() >= LINE_LIMIT {
            return;
        }
        self.shown.push(byte.to_ascii_lowercase());
        let line = self.shown.as_slice();
        match byte {
            b':' if line.ends_with(b"password:") || line.ends_with(b"passcode:") => {
                said.remark("password prompt");
                self.asked = Asked::Password;
            }
            // A greeting that the one who was let in is shown; else it is no prompt either.
            b':' if line.ends_with(b"last login:") && self.asked == Asked::Answered => {
                said.login = Some(Login::GuessedYes);
            }
            b':' if line.ends_with(b"last login:") => {}
            b':' if [&b"login:"[..], b"username:", b"user name:", b"user:"]
                .iter()
                .any(|p| line.ends_with(p)) =>
            {
                said.remark("login prompt");
                self.asked = Asked::Name;
            }
            _ if self.asked != Asked::Answered => {}
            b't' | b'd' | b'e' if refuses(line) => {
                said.refuse_login();
                self.asked = Asked::Nothing;
            }
            // A shell's or a device's prompt.
            b'#' | b'$' | b'>' | b'%' => said.login = Some(Login::GuessedYes),
            _ => {}
        }
    }
}

fn refuses(line: &[u8]) -> bool {
    [&b"incorrect"[..], b"failed", b"denied", b"invalid", b"failure"].iter().any(|word| line.ends_with(word))
}
