//! SMB 2 and 3 messages ([MS-SMB2], 2.2).

use super::{NAMES_LIMIT, judge};
use crate::protocol::Role;
use crate::protocol::introduction::Introduction;
use crate::protocol::ntlmssp;
use crate::protocol::reading::{Fields, utf16_text};

const HEADER: usize = 64;

/// SMB2_FLAGS_SERVER_TO_REDIR (2.2.1.2).
const ANSWERS: u32 = 1;

mod command {
    pub const NEGOTIATE: u16 = 0;
    pub const SESSION_SETUP: u16 = 1;
    pub const TREE_CONNECT: u16 = 3;
    pub const CREATE: u16 = 5;
}

/// Characters kept of a share's or pipe's name.
const NAME_CHARACTERS: usize = 128;

/// Named pipes that programs are run, services and tasks are made through.
const PIPES: &[&str] = &[
    "svcctl", "atsvc", "winreg", "samr", "lsarpc", "srvsvc", "wkssvc", "epmapper", "spoolss", "netlogon",
    "psexesvc",
];

struct Header {
    status: u32,
    command: u16,
    answers: bool,
}

fn header(message: &[u8]) -> Option<Header> {
    let mut fields = Fields(message.get(4..HEADER)?);
    if fields.u16_le()? != HEADER as u16 {
        return None;
    }
    fields.u16()?;
    let status = fields.u32_le()?;
    let command = fields.u16_le()?;
    fields.u16()?;
    let flags = fields.u32_le()?;
    Some(Header { status, command, answers: flags & ANSWERS != 0 })
}

pub fn speaker(message: &[u8]) -> Option<Role> {
    let flags = u32::from_le_bytes(*message.get(16..20)?.first_chunk()?);
    Some(if flags & ANSWERS != 0 { Role::Server } else { Role::Client })
}

pub fn read(from: Role, message: &[u8], said: &mut Introduction, names: &mut u8) {
    let Some(header) = header(message) else { return };
    let body = &message[HEADER..];
    match (header.command, header.answers && from == Role::Server) {
        (command::NEGOTIATE, true) => negotiated(body, said),
        (command::SESSION_SETUP, true) => {
            ntlmssp::read_within(body, said);
            judge(header.status, said);
            // Sealing may begin with the session (2.2.6: SMB2_SESSION_FLAG_ENCRYPT_DATA).
            said.encrypted |= header.status == 0 && body.get(2).is_some_and(|flags| flags & 4 != 0);
        }
        (command::SESSION_SETUP, false) => {
            ntlmssp::read_within(body, said);
        }
        (command::TREE_CONNECT, false) => {
            // Where and how long, from the message's start (2.2.9).
            if let Some(path) = name(message, body, 4, 6) {
                if said.host_name.is_empty() {
                    said.host_name =
                        path.trim_start_matches('\\').split('\\').next().unwrap_or_default().to_owned();
                }
                note(format!("share {path}"), said, names);
                said.ready = !path.ends_with("IPC$");
            }
        }
        (command::CREATE, false) => {
            let opened = name(message, body, 44, 46).unwrap_or_default();
            let opened = opened.rsplit('\\').next().unwrap_or_default().to_ascii_lowercase();
            if PIPES.contains(&opened.as_str()) {
                note(format!("pipe {opened}"), said, names);
            }
        }
        _ => {}
    }
}

fn note(remark: String, said: &mut Introduction, names: &mut u8) {
    if *names < NAMES_LIMIT {
        *names += 1;
        said.remark(remark);
    }
}

/// A name that two fields of the body point to.
fn name(message: &[u8], body: &[u8], offset: usize, length: usize) -> Option<String> {
    let number = |at: usize| Some(usize::from(u16::from_le_bytes(*body.get(at..)?.first_chunk()?)));
    let start = number(offset)?;
    let bytes = message.get(start..start + number(length)?)?;
    Some(utf16_text(bytes, NAME_CHARACTERS))
}

/// The version that the server chose (2.2.4).
fn negotiated(body: &[u8], said: &mut Introduction) {
    let Some(dialect) = body.get(4..6).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])) else { return };
    said.version = match dialect {
        0x0202 => "SMB 2.0.2".to_owned(),
        0x0210 => "SMB 2.1".to_owned(),
        0x0300 => "SMB 3.0".to_owned(),
        0x0302 => "SMB 3.0.2".to_owned(),
        0x0311 => "SMB 3.1.1".to_owned(),
        // The server only says that it can do SMB 2; another negotiation follows.
        0x02ff => return,
        other => format!("SMB 0x{other:04x}"),
    };
    // SMB2_NEGOTIATE_SIGNING_REQUIRED.
    if body.get(2).is_some_and(|mode| mode & 2 != 0) {
        said.remark("signing required");
    }
}
