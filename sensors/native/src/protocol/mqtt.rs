//! MQTT 3.1, 3.1.1 and 5, named by its CONNECT packet (MQTT 5.0, 3.1); its packets are not read here.

use super::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Mqtt,
    layer: Layer::Mqtt,
    transport: Transport::Tcp,
    ports: &[1883],
    recognise,
    parser: None,
};

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    // Fixed header: type 1, flags 0; then the remaining length in one to four bytes (2.1.4).
    let rest = payload.strip_prefix(&[0x10])?;
    let length_bytes = rest.iter().take(4).position(|byte| byte & 0x80 == 0)? + 1;
    let variable = &rest[length_bytes..];
    let named = variable.starts_with(b"\0\x04MQTT") || variable.starts_with(b"\0\x06MQIsdp");
    named.then_some(Recognised { confidence: Confidence::Handshake, speaker: Some(Role::Client) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_of_every_version_is_recognised() {
        assert!(recognise(b"\x10\x10\0\x04MQTT\x05", false).is_some());
        assert!(recognise(b"\x10\x90\x01\0\x06MQIsdp\x03", false).is_some());
    }

    #[test]
    fn other_packets_and_cut_ones_are_not() {
        for payload in [
            &b"\x30\x10\0\x04MQTT"[..],
            b"\x10\x10\0\x04HTTP",
            b"\x10",
            b"\x10\xff\xff\xff\xff\x01\0\x04MQTT",
        ] {
            assert_eq!(recognise(payload, true), None, "{payload:?}");
        }
    }
}
