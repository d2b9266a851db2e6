//! What MQTT tells of devices: who is the broker, and what an edge node says of itself when it is born.

use super::said::Said;
use super::words::SparkplugType;
use crate::anomaly::At;
use crate::observations::Observation;
use crate::protocol::{Output, Role};
use crate::words::{ObservationKind, ObservationSource};

/// Properties that a node's birth should have (Sparkplug 3.0, 6.4), and what they tell.
const PROPERTIES: [(&str, ObservationKind); 4] = [
    ("Properties/Hardware Make", ObservationKind::Vendor),
    ("Properties/Hardware Model", ObservationKind::Model),
    ("Properties/FW", ObservationKind::Firmware),
    ("Properties/OS", ObservationKind::OperatingSystem),
];

fn observe(ip: [u8; 16], kind: ObservationKind, value: &str, at: At, out: &mut Output<'_>) {
    out.observe(&Observation { mac: 0, ip, kind, source: ObservationSource::Mqtt, value }, at);
}

/// A broker took a client.
pub fn tell_of_broker(at: At, out: &mut Output<'_>) {
    observe(*out.server_ip, ObservationKind::Role, "MQTT broker", at, out);
}

/// An edge node was born, on its own connection: what it says of itself. Devices behind it have no address.
#[inline]
pub fn tell(said: &Said<'_>, from: Role, at: At, out: &mut Output<'_>) {
    let Some(message) = said.sparkplug.as_deref() else { return };
    if message.kind != SparkplugType::Nbirth || from != Role::Client {
        return;
    }
    observe(*out.client_ip, ObservationKind::Role, "Sparkplug edge node", at, out);
    for (name, value) in message.names.iter().zip(&message.values) {
        if let Some((_, kind)) = PROPERTIES.iter().find(|(property, _)| property == name) {
            observe(*out.client_ip, *kind, value, at, out);
        }
    }
}
