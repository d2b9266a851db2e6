//! Protocols of lines: FTP (RFC 959, RFC 4217) and SMTP (RFC 5321, RFC 3207), which greet alike.
//!
//! Of a login the user's name is kept; of the password only that it crossed. Where a side asks for TLS and the other
//! agrees, what follows is handed over.

use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::reading::text;
use super::{Output, Protocol, Recognised, Role, Transport, tls};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, Login, ObservationSource, Service};

pub const FTP: Protocol = Protocol {
    service: Service::Ftp,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[21],
    recognise: |payload, on_port| recognise(payload, on_port, &[b"FTP"], FTP_COMMANDS),
    parser: Some(|_| Reading::boxed(Ftp::default(), Confidence::Structure)),
};

pub const SMTP: Protocol = Protocol {
    service: Service::Smtp,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[25, 587],
    recognise: |payload, on_port| recognise(payload, on_port, &[b"SMTP"], SMTP_COMMANDS),
    parser: Some(|_| Reading::boxed(Smtp::default(), Confidence::Structure)),
};

/// The longest line that is read (RFC 5321, 4.5.3.1.4 and 4.5.3.1.5: 512 bytes).
const LINE_LIMIT: usize = 2_048;

/// Lines of a conversation after which nothing new is said of who speaks.
const LINES_LIMIT: u16 = 200;

/// Characters kept of a name or greeting.
const NAME_CHARACTERS: usize = 128;

const FTP_COMMANDS: &[&[u8]] = &[
    b"USER ", b"PASS ", b"AUTH ", b"SYST", b"FEAT", b"PASV", b"EPSV", b"PORT ", b"TYPE ", b"CWD ", b"PWD",
    b"QUIT",
];
const SMTP_COMMANDS: &[&[u8]] = &[b"EHLO ", b"HELO ", b"MAIL FROM:", b"STARTTLS", b"RCPT TO:"];

/// A greeting names its protocol; on its port any reply, and any known command, will do.
fn recognise(payload: &[u8], on_port: bool, names: &[&[u8]], commands: &[&[u8]]) -> Option<Recognised> {
    let named = |speaker| Some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) });
    if let [a @ b'1'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', rest @ ..] = payload {
        let line = &rest[..rest.len().min(LINE_LIMIT)];
        let greets = *a == b'2' && payload.starts_with(b"220");
        let says_so =
            || names.iter().any(|name| line.windows(name.len()).any(|w| w.eq_ignore_ascii_case(name)));
        return if on_port || (greets && says_so()) { named(Role::Server) } else { None };
    }
    if !on_port {
        return None;
    }
    // A part of one is kept until it is whole: a byte alone may be of the TLS that a connection goes on with.
    let is_command = commands
        .iter()
        .any(|command| payload.get(..command.len()).is_some_and(|start| start.eq_ignore_ascii_case(command)));
    is_command.then_some(()).and(named(Role::Client))
}

/// The next line without its end, and its length with it; else what to do without one.
fn line(bytes: &[u8]) -> Result<(&[u8], usize), Step> {
    match bytes.iter().take(LINE_LIMIT).position(|byte| *byte == b'\n') {
        Some(end) => Ok((bytes[..end].trim_ascii_end(), end + 1)),
        None if bytes.len() < LINE_LIMIT => Err(Step::More),
        None => Err(Step::Wrong),
    }
}

/// A reply's code, whether it is the last line of it, and its text (RFC 959, 4.2).
fn reply(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let [a @ b'1'..=b'6', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = line else { return None };
    let code = [a, b, c].iter().fold(0, |sum, digit| sum * 10 + u16::from(**digit - b'0'));
    match rest {
        [] => Some((code, true, rest)),
        [b' ', text @ ..] => Some((code, true, text)),
        [b'-', text @ ..] => Some((code, false, text)),
        _ => None,
    }
}

/// A command without its argument, in capitals, and its argument.
fn command(line: &[u8]) -> (Vec<u8>, &[u8]) {
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    (line[..end.min(16)].to_ascii_uppercase(), line[end..].trim_ascii_start())
}

/// How far a conversation in lines is.
#[derive(Default)]
struct Lines {
    read: u16,
    greeted: bool,
    /// Inside a reply of several lines.
    in_reply: bool,
    asked_tls: bool,
}

impl Lines {
    /// The next line of a side, and its length; else what to do without one.
    fn next<'a>(&mut self, bytes: &'a [u8], said: &mut Introduction) -> Result<(&'a [u8], usize), Step> {
        // The other side's consent was not seen, but TLS was begun.
        if self.asked_tls && bytes[0] == tls::HANDSHAKE {
            return Err(said.begin_tls());
        }
        let found = line(bytes)?;
        self.read += 1;
        if self.read > LINES_LIMIT { Err(Step::Done) } else { Ok(found) }
    }

    /// A server's line as a reply; else what to do with it. The middle of a reply of several lines may be anything.
    fn reply<'a>(&mut self, line: &'a [u8], length: usize) -> Result<(u16, bool, &'a [u8]), Step> {
        let Some(found) = reply(line) else {
            return Err(if self.in_reply { Step::Read(length) } else { Step::Wrong });
        };
        self.in_reply = !found.1;
        Ok(found)
    }
}

#[derive(Default)]
struct Ftp {
    lines: Lines,
    sent_password: bool,
}

impl Dialogue for Ftp {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Ftp);
    const SERVICE: Service = Service::Ftp;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        let (line, length) = match self.lines.next(bytes, said) {
            Ok(found) => found,
            Err(step) => return step,
        };
        match from {
            Role::Client => {
                let (name, argument) = command(line);
                if name.is_empty() || !name.iter().all(u8::is_ascii_alphabetic) {
                    return Step::Wrong;
                }
                match name.as_slice() {
                    b"USER" => said.user = text(argument, NAME_CHARACTERS),
                    b"PASS" | b"ACCT" => {
                        self.sent_password = true;
                        said.secret_seen |= !argument.is_empty();
                    }
                    b"AUTH" => self.lines.asked_tls = true,
                    b"CLNT" => said.client_software = text(argument, NAME_CHARACTERS),
                    _ => {}
                }
                Step::Read(length)
            }
            Role::Server => match self.lines.reply(line, length) {
                Ok((code, last, told)) => self.answer(code, last, told, length, said),
                Err(step) => step,
            },
        }
    }
}

impl Ftp {
    fn answer(&mut self, code: u16, last: bool, told: &[u8], length: usize, said: &mut Introduction) -> Step {
        match code {
            220 if !std::mem::replace(&mut self.lines.greeted, true) => {
                said.server_software = text(told, NAME_CHARACTERS);
            }
            215 => said.remark(format!("system {}", text(told, 64))),
            230 | 232 if last => {
                said.login = Some(if self.sent_password { Login::Yes } else { Login::NotAsked });
                return Step::Done;
            }
            234 => {
                return said.begin_tls();
            }
            430 | 530 if last => {
                said.refuse_login();
            }
            _ => {}
        }
        Step::Read(length)
    }
}

#[derive(Default)]
struct Smtp {
    lines: Lines,
    asked_login: bool,
}

impl Dialogue for Smtp {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Smtp);
    const SERVICE: Service = Service::Smtp;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        let (line, length) = match self.lines.next(bytes, said) {
            Ok(found) => found,
            Err(step) => return step,
        };
        if from == Role::Client {
            // While it logs in its lines are names and passwords in base64 (RFC 4954, 4).
            if self.asked_login {
                said.secret_seen = true;
                return Step::Read(length);
            }
            let (name, argument) = command(line);
            match name.as_slice() {
                b"EHLO" | b"HELO" => said.client_name = text(argument, NAME_CHARACTERS),
                b"STARTTLS" => self.lines.asked_tls = true,
                b"AUTH" => {
                    self.asked_login = true;
                    said.secret_seen |= argument.contains(&b' ');
                }
                b"DATA" | b"BDAT" => return Step::Done,
                _ => {}
            }
            return Step::Read(length);
        }
        let (code, last, told) = match self.lines.reply(line, length) {
            Ok(found) => found,
            Err(step) => return step,
        };
        match code {
            220 if self.lines.asked_tls || self.lines.greeted => {
                return said.begin_tls();
            }
            220 => {
                self.lines.greeted = last;
                said.server_software = text(told, NAME_CHARACTERS);
            }
            235 => {
                self.asked_login = false;
                said.login = Some(Login::Yes);
            }
            535 if last => {
                self.asked_login = false;
                said.refuse_login();
            }
            _ => {}
        }
        Step::Read(length)
    }
}
