//! WireGuard: message types of exact lengths (Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", 5.4).

use crate::protocol::introduction::Introduction;
use crate::protocol::named::{self, Shape};
use crate::protocol::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::WireGuard,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[51820, 41641],
    recognise,
    parser: Some(|_| named::parser::<WireGuard>(Confidence::Structure)),
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    /// The sender's number for this session.
    Initiation([u8; 4]),
    /// The receiver's number for it.
    Response([u8; 4]),
    Cookie,
    Data,
}

impl Message {
    /// As the protocol's paper names it.
    fn name(self) -> &'static str {
        match self {
            Self::Initiation(_) => "handshake initiation",
            Self::Response(_) => "handshake response",
            Self::Cookie => "cookie reply",
            Self::Data => "transport data",
        }
    }
}

fn message(bytes: &[u8]) -> Option<Message> {
    let [kind @ 1..=4, 0, 0, 0, a, b, c, d, rest @ ..] = bytes else { return None };
    let number = [*a, *b, *c, *d];
    match (kind, bytes.len()) {
        (1, 148) => Some(Message::Initiation(number)),
        (2, 92) => Some(Message::Response(*rest.first_chunk()?)),
        (3, 64) => Some(Message::Cookie),
        // A counter and sealed packets that are padded to 16 bytes; nobody counts to 2^40 before the keys are renewed.
        (4, 32..) if bytes.len() % 16 == 0 && rest.get(5..8)? == [0; 3] => Some(Message::Data),
        _ => None,
    }
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let speaker = match message(payload)? {
        Message::Initiation(_) => Some(Role::Client),
        Message::Response(_) | Message::Cookie => Some(Role::Server),
        Message::Data => None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

#[derive(Default)]
struct WireGuard {
    initiation: Option<[u8; 4]>,
}

impl Shape for WireGuard {
    const SERVICE: Service = Service::WireGuard;

    fn fits(&mut self, _from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        said.encrypted = true;
        let message = message(bytes);
        if let Some(message) = message {
            said.remark(message.name());
        }
        match message {
            Some(Message::Initiation(sender)) => {
                self.initiation = Some(sender);
                true
            }
            // The answer names the session that was opened.
            Some(Message::Response(receiver)) => self.initiation.is_none_or(|sender| sender == receiver),
            Some(_) => true,
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(kind: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.resize(length, 0);
        bytes
    }

    #[test]
    fn only_the_exact_lengths_are_messages() {
        for (kind, length) in [(1, 148), (2, 92), (3, 64), (4, 32), (4, 1_456)] {
            assert!(message(&sized(kind, length)).is_some(), "{kind} {length}");
            assert!(message(&sized(kind, length + 1)).is_none(), "{kind} {length}");
        }
        assert!(message(&sized(5, 64)).is_none());
    }
}
