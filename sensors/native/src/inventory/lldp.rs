//! LLDP: what a switch, or any other device, says of itself on each of its ports (IEEE 802.1AB-2016, 8).

use super::{roles, text};
use crate::layer2::FrameOutput;
use crate::words::{ObservationKind as Kind, ObservationSource};

/// Organisation of the inventory TLVs (ANSI/TIA-1057, 10.2.6).
const TIA: [u8; 3] = [0x00, 0x12, 0xbb];

/// Capabilities that are told, by bit (8.5.8.1).
const CAPABILITIES: [(u16, &str); 5] = [
    (2, roles::BRIDGE),
    (3, roles::ACCESS_POINT),
    (4, roles::ROUTER),
    (5, roles::TELEPHONE),
    (7, roles::STATION),
];

/// Reads one LLDPDU; false where its lengths do not fit.
pub fn read(frame: &[u8], out: &mut FrameOutput<'_>) -> bool {
    // Whoever sends on a port has its own MAC address; the chassis has the device's.
    let mut device = out.link.source_mac;
    let mut ip = [0; 16];
    for pass in 0..2 {
        let mut rest = frame;
        while let [high, low, tail @ ..] = rest {
            let length = usize::from(*high & 1) << 8 | usize::from(*low);
            let Some((value, after)) = tail.split_at_checked(length) else { return false };
            match (high >> 1, pass) {
                (0, _) => break,
                // First who it is, so that all the rest is told of the same device.
                (1, 0) => chassis(value, &mut device, &mut ip),
                (8, 0) => management(value, &mut ip),
                (kind, 1) => tell(kind, value, device, ip, out),
                _ => {}
            }
            rest = after;
        }
    }
    if text::is_a_devices(&ip) && text::is_a_cards(device) {
        out.tell(device, ip, Kind::Address, ObservationSource::Lldp, &text::ip(&ip));
    }
    true
}

/// Subtype 4 is a MAC address, 5 a network address (8.5.2.2).
fn chassis(value: &[u8], device: &mut u64, ip: &mut [u8; 16]) {
    match value {
        [4, octets @ ..] => {
            if let Some(mac) = octets.first_chunk::<6>() {
                *device = text::mac_of(mac);
            }
        }
        [5, address @ ..] => network_address(address, ip),
        _ => {}
    }
}

fn management(value: &[u8], ip: &mut [u8; 16]) {
    if let [length, rest @ ..] = value {
        if let Some(address) = rest.get(..usize::from(*length)) {
            network_address(address, ip);
        }
    }
}

/// Family 1 is IPv4, 2 IPv6; the first that is told counts.
fn network_address(bytes: &[u8], ip: &mut [u8; 16]) {
    if *ip != [0; 16] {
        return;
    }
    match bytes {
        [1, a, b, c, d] => *ip = text::mapped([*a, *b, *c, *d]),
        [2, address @ ..] => *ip = address.try_into().unwrap_or_default(),
        _ => {}
    }
}

fn tell(kind: u8, value: &[u8], mac: u64, ip: [u8; 16], out: &mut FrameOutput<'_>) {
    let mut say = |kind, value: &[u8]| {
        out.tell(mac, ip, kind, ObservationSource::Lldp, &text::of(value));
    };
    match (kind, value) {
        // Interface alias, interface name, locally assigned (8.5.3.2).
        (2, [1 | 5 | 7, name @ ..]) => say(Kind::Port, name),
        (5, name) => say(Kind::HostName, name),
        (6, description) => say(Kind::Description, description),
        (7, [_, _, high, low]) => {
            let enabled = u16::from_be_bytes([*high, *low]);
            for (bit, role) in CAPABILITIES {
                if enabled >> bit & 1 == 1 {
                    say(Kind::Role, role.as_bytes());
                }
            }
        }
        (127, [a, b, c, subtype, text @ ..]) if [*a, *b, *c] == TIA => match subtype {
            6 => say(Kind::Firmware, text),
            7 => say(Kind::Software, text),
            8 => say(Kind::SerialNumber, text),
            9 => say(Kind::Vendor, text),
            10 => say(Kind::Model, text),
            _ => {}
        },
        _ => {}
    }
}
