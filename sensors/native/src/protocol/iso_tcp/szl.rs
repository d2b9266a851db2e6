//! S7 system state lists (Siemens, System Software for S7-300/400, system state lists): what they tell of a device.

use super::Scene;
use crate::observations::Observation;
use crate::protocol::Role;
use crate::protocol::operation::{Answer, Listed, Reader, printable};
use crate::words::{ObservationKind as Kind, ObservationSource};

/// Order numbers and firmware.
const MODULE: u16 = 0x11;
/// Names and serial numbers.
const COMPONENT: u16 = 0x1c;

/// True for the lists that say what a device is.
pub fn is_identity(id: u16) -> bool {
    matches!(id & 0xff, MODULE | COMPONENT)
}

/// Reads a list's entries, and tells the inventory what they say.
pub fn observe(mut body: Reader<'_>, answer: &mut Answer, scene: &mut Scene<'_, '_>) {
    let (Some(id), Some(_index), Some(size), Some(count)) =
        (body.u16_be(), body.u16_be(), body.u16_be(), body.u16_be())
    else {
        return;
    };
    let size = usize::from(size);
    if !is_identity(id) || size < 4 {
        return;
    }
    let mut texts = Listed::default();
    for _ in 0..count {
        let Some(entry) = body.take(size) else { break };
        let mut entry = Reader(entry);
        let Some(index) = entry.u16_be() else { break };
        for (kind, value) in told(id & 0xff, index, entry.0) {
            if value.is_empty() {
                continue;
            }
            texts.push(&format!("{}={value}", kind.word()));
            let device = if scene.from == Role::Client { scene.out.client_ip } else { scene.out.server_ip };
            let source = ObservationSource::S7comm;
            let seen = Observation { mac: 0, ip: *device, kind, source, value: &value };
            scene.out.observe(&seen, scene.at);
        }
    }
    answer.value = texts.into_text();
}

fn told(list: u16, index: u16, entry: &[u8]) -> Vec<(Kind, String)> {
    let text = || printable(entry.get(..32).unwrap_or(entry));
    match (list, index & 0xff) {
        // Order number of 20 characters, module type, two versions.
        (MODULE, 1 | 6 | 7) => {
            let number = printable(entry.get(..20).unwrap_or_default());
            let mut told = Vec::new();
            if index != 6 && number != "Boot Loader" {
                told.push((Kind::Model, number));
            }
            if let (7, [b'V', major, minor, patch, ..]) = (index, entry.get(22..).unwrap_or_default()) {
                told.push((Kind::Firmware, format!("V{major}.{minor}.{patch}")));
            }
            told
        }
        (COMPONENT, 1) => vec![(Kind::HostName, text())],
        (COMPONENT, 2 | 3) => vec![(Kind::Description, text())],
        (COMPONENT, 4) => vec![(Kind::Vendor, text())],
        (COMPONENT, 5) => vec![(Kind::SerialNumber, text())],
        (COMPONENT, 7) => vec![(Kind::Model, text())],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_number_and_firmware_of_a_module() {
        let mut entry = b"6ES7 315-2EH14-0AB0 ".to_vec();
        entry.extend([0, 0xc0, b'V', 3, 2, 6]);
        let told = told(MODULE, 7, &entry);
        assert_eq!(told[0], (Kind::Model, "6ES7 315-2EH14-0AB0".into()));
        assert_eq!(told[1], (Kind::Firmware, "V3.2.6".into()));
    }
}
