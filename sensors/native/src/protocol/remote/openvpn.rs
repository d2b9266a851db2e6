//! OpenVPN over UDP and TCP: the hard resets that open a session (OpenVPN, "Wire Protocol", openvpn-rfc, 6).
//!
//! Plain, with an HMAC in front (tls-auth) or sealed (tls-crypt): each has its lengths. Over TCP a length comes first.

use crate::protocol::introduction::Introduction;
use crate::protocol::named::{self, Shape};
use crate::protocol::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const DATAGRAMS: Protocol = Protocol {
    service: Service::OpenVpn,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[1194],
    recognise: |payload, on_port| recognise(payload, on_port),
    parser: Some(|confidence| named::parser::<OpenVpn<false>>(confidence)),
};

pub const STREAM: Protocol = Protocol {
    service: Service::OpenVpn,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[1194],
    recognise: |payload, on_port| recognise(without_length(payload)?, on_port),
    parser: Some(|confidence| named::parser::<OpenVpn<true>>(confidence)),
};

/// Packet types, in the upper five bits of the first byte; the lower three are the key's number.
const RESET_CLIENT: u8 = 7 << 3;
const RESET_SERVER: u8 = 8 << 3;
const RESET_CLIENT_3: u8 = 10 << 3;

/// Type, session and the packet's number and acknowledgments: a reset without more.
const CLIENT_RESET: usize = 14;
const SERVER_RESET: usize = 26;

/// A packet number and a time, which come with an HMAC.
const REPLAY: usize = 8;

/// HMACs of SHA-1, SHA-256 and SHA-512.
const HMACS: [usize; 3] = [20, 32, 64];

/// The only packet of a segment, without the length in front of it.
fn without_length(payload: &[u8]) -> Option<&[u8]> {
    let [high, low, packet @ ..] = payload else { return None };
    (usize::from(u16::from_be_bytes([*high, *low])) == packet.len()).then_some(packet)
}

/// A packet that opens a session, or the answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reset {
    role: Role,
    guard: Guard,
}

/// What protects the control packets, as their lengths tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    Plain,
    /// An HMAC of so many bytes (tls-auth).
    Signed(usize),
    /// tls-crypt: its length fits, the rest is sealed.
    Sealed,
    /// tls-crypt-v2: the client brings its key.
    SealedV2,
}

impl Reset {
    /// Everything in it can be checked.
    fn is_certain(self) -> bool {
        matches!(self.guard, Guard::Plain | Guard::Signed(_))
    }

    /// The packet's type, as OpenVPN names it, and its protection.
    fn tell(self, said: &mut Introduction) {
        said.remark(match (self.role, self.guard) {
            (Role::Client, Guard::SealedV2) => "P_CONTROL_HARD_RESET_CLIENT_V3",
            (Role::Client, _) => "P_CONTROL_HARD_RESET_CLIENT_V2",
            (Role::Server, _) => "P_CONTROL_HARD_RESET_SERVER_V2",
        });
        // The server's answer under tls-crypt-v2 is sealed as under tls-crypt: the client has said which.
        if self.role == Role::Client {
            said.remark(match self.guard {
                Guard::Plain => "plain control packets".to_owned(),
                Guard::Signed(hmac) => format!("tls-auth with an HMAC of {hmac} bytes"),
                Guard::Sealed => "tls-crypt".to_owned(),
                Guard::SealedV2 => "tls-crypt-v2".to_owned(),
            });
        }
    }
}

fn reset(packet: &[u8]) -> Option<Reset> {
    let [kind, session @ ..] = packet else { return None };
    if session.get(..8)? == [0; 8] {
        return None;
    }
    let (role, plain) = match *kind {
        RESET_CLIENT => (Role::Client, CLIENT_RESET),
        RESET_SERVER => (Role::Server, SERVER_RESET),
        // The client's key, sealed for the server, follows: any length.
        RESET_CLIENT_3 if (90..=1_500).contains(&packet.len()) => {
            return Some(Reset { role: Role::Client, guard: Guard::SealedV2 });
        }
        _ => return None,
    };
    // At the end: how many packets are acknowledged, which and whose, and this packet's number, which is 0.
    let ends_like_one = |at: usize| match role {
        Role::Client => packet.get(at..) == Some(&[0; 5]),
        Role::Server => {
            packet.get(at..at + 5) == Some(&[1, 0, 0, 0, 0]) && packet.get(at + 13..) == Some(&[0; 4])
        }
    };
    if packet.len() == plain {
        return ends_like_one(9).then_some(Reset { role, guard: Guard::Plain });
    }
    let hmac = HMACS.iter().find(|hmac| packet.len() == plain + REPLAY + **hmac)?;
    if ends_like_one(9 + REPLAY + hmac) {
        return Some(Reset { role, guard: Guard::Signed(*hmac) });
    }
    // tls-crypt: number and time come before an HMAC of SHA-256.
    let first = matches!(packet.get(9..13), Some([0, 0, 0, 1 | 2] | [0x0f, 0, 0, 1]));
    (*hmac == 32 && first).then_some(Reset { role, guard: Guard::Sealed })
}

fn recognise(packet: &[u8], on_port: bool) -> Option<Recognised> {
    let reset = reset(packet)?;
    let confidence = if reset.is_certain() || on_port { Confidence::Structure } else { Confidence::None };
    Some(Recognised { confidence, speaker: Some(reset.role) })
}

#[derive(Default)]
struct OpenVpn<const STREAM: bool>;

impl<const STREAM: bool> Shape for OpenVpn<STREAM> {
    const SERVICE: Service = Service::OpenVpn;

    fn fits(&mut self, from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        said.encrypted = true;
        let packet = if STREAM { without_length(bytes) } else { Some(bytes) };
        let Some(reset) = packet.and_then(reset).filter(|reset| reset.role == from) else { return false };
        reset.tell(said);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resets_of_both_sides_and_with_an_hmac_are_recognised() {
        let session = *b"\x01\x23\x45\x67\x89\xab\xcd\xef";
        let client = [&[RESET_CLIENT][..], &session, &[0; 5]].concat();
        let server = [&[RESET_SERVER][..], &session, &[1, 0, 0, 0, 0], &[7; 8], &[0; 4]].concat();
        assert_eq!(reset(&client), Some(Reset { role: Role::Client, guard: Guard::Plain }));
        assert_eq!(reset(&server), Some(Reset { role: Role::Server, guard: Guard::Plain }));
        let signed = [&[RESET_CLIENT][..], &session, &[9; 20], &[0, 0, 0, 1, 9, 9, 9, 9], &[0; 5]].concat();
        assert_eq!(reset(&signed), Some(Reset { role: Role::Client, guard: Guard::Signed(20) }));
        assert_eq!(reset(&client[..13]), None);
        assert_eq!(reset(&[RESET_CLIENT; 14]), None);
    }
}
