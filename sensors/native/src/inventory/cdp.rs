//! Cisco's discovery protocol, behind LLC and SNAP: a switch's name, platform, software and address.
//!
//! Source: the TLVs that Cisco's configuration guides name and Wireshark's `cdp` fields list.

use super::text;
use crate::layer2::FrameOutput;
use crate::words::{ObservationKind as Kind, ObservationSource};

/// LLC (SNAP), Cisco's organisation, protocol 0x2000.
pub const SNAP: [u8; 8] = [0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x20, 0x00];

/// Version, time to live, checksum.
const HEADER: usize = 4;

const DEVICE: u16 = 1;
const ADDRESSES: u16 = 2;
const PORT: u16 = 3;
const SOFTWARE: u16 = 5;
const PLATFORM: u16 = 6;

/// IPv4 as its addresses name it: NLPID, one byte, 0xcc; then four bytes of address.
const IPV4: [u8; 5] = [1, 1, 0xcc, 0, 4];

/// Reads one frame from its LLC header on; false where a TLV's length does not fit.
pub fn read(frame: &[u8], out: &mut FrameOutput<'_>) -> bool {
    let Some(mut rest) = frame.get(SNAP.len() + HEADER..) else { return false };
    let mac = out.link.source_mac;
    let mut ip = [0; 16];
    let mut told = Vec::new();
    while let [kind_high, kind_low, high, low, tail @ ..] = rest {
        let kind = u16::from_be_bytes([*kind_high, *kind_low]);
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if kind == 0 && length == 0 {
            // Padding of a short frame.
            break;
        }
        let Some(value) = length.checked_sub(4).and_then(|length| tail.get(..length)) else { return false };
        rest = &tail[value.len()..];
        let known = match kind {
            DEVICE => Kind::HostName,
            PORT => Kind::Port,
            SOFTWARE => Kind::Software,
            PLATFORM => Kind::Model,
            ADDRESSES => {
                if let Some(address) = address(value) {
                    ip = address;
                }
                continue;
            }
            _ => continue,
        };
        // A frame has room for some hundred TLVs, a device sends one of each.
        if told.len() < 8 {
            told.push((known, value));
        }
    }
    for (kind, value) in told {
        out.tell(mac, ip, kind, ObservationSource::Cdp, &text::of(value));
    }
    if text::is_a_devices(&ip) {
        out.tell(mac, ip, Kind::Address, ObservationSource::Cdp, &text::ip(&ip));
    }
    true
}

/// The first address, where it is IPv4.
fn address(value: &[u8]) -> Option<[u8; 16]> {
    let first = value.get(4..)?.strip_prefix(&IPV4)?;
    first.first_chunk::<4>().map(|address| text::mapped(*address))
}
