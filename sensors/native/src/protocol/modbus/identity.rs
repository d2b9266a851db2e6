//! What a device says of itself over Modbus: identification objects (V1.1b3, 6.21), its server identifier (6.13).

use super::detail;
use crate::anomaly::At;
use crate::observations::Observation;
use crate::protocol::Output;
use crate::words::{ObservationKind, ObservationSource};

/// What an identification object is in an inventory.
fn kind_of(object: u8) -> Option<ObservationKind> {
    match object {
        0 => Some(ObservationKind::Vendor),
        1 => Some(ObservationKind::Model),
        2 => Some(ObservationKind::Firmware),
        4 | 5 => Some(ObservationKind::ProductName),
        6 => Some(ObservationKind::Software),
        _ => None,
    }
}

/// Writes what a response, whole or not, tells of its server.
pub fn observe(pdu: &[u8], at: At, out: &mut Output<'_>) {
    let ip = *out.server_ip;
    let mut tell = |kind, value: &[u8]| {
        let value = detail::text(value);
        let seen = Observation { mac: 0, ip, kind, source: ObservationSource::Modbus, value: &value };
        out.observe(&seen, at);
    };
    match pdu {
        // Which bytes are text only the maker knows.
        [17, count, data @ ..] if data.len() == usize::from(*count) && is_worded(data) => {
            tell(ObservationKind::Description, data);
        }
        [43, body @ ..] => {
            for (object, value) in detail::objects(body) {
                if let Some(kind) = kind_of(object) {
                    tell(kind, value);
                }
            }
        }
        _ => {}
    }
}

fn is_worded(data: &[u8]) -> bool {
    data.iter().filter(|byte| byte.is_ascii_graphic()).count() >= 4
}
