//! SMB 1 messages ([MS-CIFS], 2.2.3 and 2.2.4; [MS-SMB], 2.2.4).

use super::judge;
use crate::protocol::Role;
use crate::protocol::introduction::Introduction;
use crate::protocol::ntlmssp;

const HEADER: usize = 32;

/// SMB_FLAGS_REPLY.
const ANSWERS: u8 = 0x80;

mod command {
    pub const NEGOTIATE: u8 = 0x72;
    pub const SESSION_SETUP: u8 = 0x73;
    pub const TREE_CONNECT: u8 = 0x75;
}

pub fn speaker(message: &[u8]) -> Option<Role> {
    let flags = message.get(9)?;
    Some(if flags & ANSWERS != 0 { Role::Server } else { Role::Client })
}

pub fn read(from: Role, message: &[u8], said: &mut Introduction) {
    let Some((header, body)) = message.split_at_checked(HEADER) else { return };
    let answers = header[9] & ANSWERS != 0 && from == Role::Server;
    let status = u32::from_le_bytes([header[5], header[6], header[7], header[8]]);
    match (header[4], answers) {
        // A client that also offers SMB 2 is answered in it.
        (command::NEGOTIATE, true) => said.version = "SMB 1".to_owned(),
        (command::SESSION_SETUP, true) => {
            ntlmssp::read_within(body, said);
            judge(status, said);
        }
        (command::SESSION_SETUP, false) => {
            ntlmssp::read_within(body, said);
        }
        (command::TREE_CONNECT, false) => said.ready = true,
        _ => {}
    }
}
