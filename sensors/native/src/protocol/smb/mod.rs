//! SMB 1, 2 and 3 up to the shares and pipes that are opened ([MS-SMB2], 2.2; [MS-CIFS], 2.2.4; [MS-SMB]).
//!
//! Messages are framed by a length (RFC 1002, 4.3.1), so that what is of no interest is passed over unread. Names come
//! from NTLM where it is in clear; under Kerberos nobody is named.

mod smb1;
mod smb2;

use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::{Output, Parser, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, Login, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Smb,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[139, 445],
    recognise,
    parser: Some(start),
};

/// The part of a message that is read: a login's token is longer than anything else that is of interest.
const PART_LIMIT: usize = 16_384;

/// Messages of a flow that are looked at: what a client does first tells what it is there for.
const MESSAGES_LIMIT: u32 = 512;

/// Names of shares and pipes of one flow that are kept.
const NAMES_LIMIT: u8 = 12;

/// What kind of message follows the four bytes of framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Smb1,
    Smb2,
    Sealed,
}

enum Frame {
    More,
    Wrong,
    /// A session request or its answer, on port 139; its length.
    Session(usize),
    Message(Kind, usize),
}

fn frame(bytes: &[u8]) -> Frame {
    let [first, rest @ ..] = bytes else { return Frame::More };
    if !matches!(first, 0 | 0x81..=0x85) {
        return Frame::Wrong;
    }
    let [high, middle, low, body @ ..] = rest else { return Frame::More };
    let length = 4 + u32::from_be_bytes([0, *high, *middle, *low]) as usize;
    if *first != 0 {
        return if length <= 4 + 1_024 { Frame::Session(length) } else { Frame::Wrong };
    }
    let kind = match body {
        [0xff, b'S', b'M', b'B', ..] => Kind::Smb1,
        [0xfe, b'S', b'M', b'B', ..] => Kind::Smb2,
        [0xfd | 0xfc, b'S', b'M', b'B', ..] => Kind::Sealed,
        [0xfc..=0xff] | [0xfc..=0xff, b'S'] | [0xfc..=0xff, b'S', b'M'] | [] => return Frame::More,
        _ => return Frame::Wrong,
    };
    if length < 36 { Frame::Wrong } else { Frame::Message(kind, length) }
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let speaker = match frame(payload) {
        Frame::Message(Kind::Smb2, _) => smb2::speaker(&payload[4..]),
        Frame::Message(Kind::Smb1, _) => smb1::speaker(&payload[4..]),
        Frame::Message(Kind::Sealed, _) => None,
        // A session request names both ends (RFC 1002, 4.3.2).
        Frame::Session(_) if on_port && payload[0] == 0x81 => Some(Role::Client),
        Frame::More if on_port => None,
        _ => return None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

fn start(_: Confidence) -> Box<dyn Parser> {
    Reading::boxed(Smb::default(), Confidence::Structure)
}

#[derive(Default)]
struct Smb {
    messages: u32,
    names: u8,
}

impl Dialogue for Smb {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Smb);
    const SERVICE: Service = Service::Smb;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        let (kind, length) = match frame(bytes) {
            Frame::More => return Step::More,
            Frame::Wrong => return Step::Wrong,
            Frame::Session(length) => return Step::Skip(length as u64),
            Frame::Message(kind, length) => (kind, length),
        };
        if bytes.len() < length.min(PART_LIMIT) {
            return Step::More;
        }
        self.messages += 1;
        if self.messages > MESSAGES_LIMIT {
            return Step::Done;
        }
        let message = &bytes[4..length.min(bytes.len())];
        match kind {
            Kind::Smb1 => smb1::read(from, message, said),
            Kind::Smb2 => smb2::read(from, message, said, &mut self.names),
            Kind::Sealed => {
                said.encrypted = true;
                return Step::Done;
            }
        }
        Step::Skip(length as u64)
    }
}

/// What a session's answer says of the login ([MS-ERREF], 2.3).
fn judge(status: u32, said: &mut Introduction) {
    match status {
        0 => said.login = Some(Login::Yes),
        // More is to be said.
        0xc000_0016 => {}
        status if status >> 30 == 3 => {
            said.refuse_login();
            said.remark(format!("login refused with {status:08x}"));
        }
        _ => {}
    }
}
