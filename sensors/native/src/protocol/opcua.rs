//! OPC UA binary (opc.tcp), named by its message header (OPC 10000-6, 7.1.2.2); its services are not read here.

use super::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::OpcUa,
    layer: Layer::OpcUa,
    transport: Transport::Tcp,
    ports: &[4840],
    recognise,
    parser: None,
};

/// No message or chunk is longer; the specification leaves it to the peers, products stay far below.
const LENGTH_LIMIT: u32 = 1 << 24;

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let [a, b, c, chunk, size @ ..] = payload else { return None };
    let size = u32::from_le_bytes(*size.first_chunk()?);
    if !(8..LENGTH_LIMIT).contains(&size) || !matches!(chunk, b'F' | b'C' | b'A') {
        return None;
    }
    let speaker = match [*a, *b, *c] {
        // HEL opens a connection, ACK answers it (7.1.3).
        [b'H', b'E', b'L'] => Some(Role::Client),
        [b'A', b'C', b'K'] => Some(Role::Server),
        // Both sides send these.
        [b'O', b'P', b'N'] | [b'M', b'S', b'G'] | [b'C', b'L', b'O'] | [b'E', b'R', b'R'] => None,
        // The server asks the client to connect to it (7.1.3.6): the TCP client speaks as the server.
        [b'R', b'H', b'E'] => None,
        _ => return None,
    };
    Some(Recognised { confidence: Confidence::Handshake, speaker })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_and_acknowledge_tell_who_speaks() {
        let hello = recognise(b"HELF\x20\0\0\0....", false).unwrap();
        assert_eq!((hello.speaker, hello.confidence), (Some(Role::Client), Confidence::Handshake));
        assert_eq!(recognise(b"ACKF\x1c\0\0\0", false).unwrap().speaker, Some(Role::Server));
        assert_eq!(recognise(b"MSGF\x40\0\0\0", false).unwrap().speaker, None);
    }

    #[test]
    fn words_that_only_look_alike_are_not_named() {
        for payload in
            [&b"HELLO world"[..], b"HELF\0\0\0\0", b"HELF\xff\xff\xff\xff", b"MSGX\x40\0\0\0", b"MSGF"]
        {
            assert_eq!(recognise(payload, true), None, "{payload:?}");
        }
    }
}
