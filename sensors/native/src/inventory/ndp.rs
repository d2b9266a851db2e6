//! IPv6 neighbour discovery: which MAC address an IPv6 address is at, and who routes (RFC 4861, 4).

use super::{roles, text};
use crate::layer2::FrameOutput;
use crate::net::Packet;
use crate::words::{ObservationKind, ObservationSource};

const ROUTER_ADVERTISEMENT: u8 = 134;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;

const SOURCE_OPTION: u8 = 1;
const TARGET_OPTION: u8 = 2;

/// What no router lets through: the sender is on the link (RFC 4861, 7.1).
const ON_LINK: u8 = 255;

/// Reads one ICMPv6 packet.
pub fn read(packet: &Packet<'_>, out: &mut FrameOutput<'_>) {
    if packet.hops != ON_LINK {
        return;
    }
    match packet.transport {
        [ROUTER_ADVERTISEMENT, 0, _, _, rest @ ..] => {
            let Some(options) = rest.get(12..) else { return };
            let mac = option(options, SOURCE_OPTION);
            if let Some(mac) = mac {
                out.claim(packet.source, mac, ObservationSource::Ndp);
            }
            // A lifetime of 0 is no default router (4.2).
            if rest[2..4] != [0, 0] {
                let mac = mac.unwrap_or(0);
                out.tell(mac, packet.source, ObservationKind::Role, ObservationSource::Ndp, roles::ROUTER);
            }
        }
        [SOLICITATION, 0, _, _, rest @ ..] => {
            if let Some(mac) = rest.get(20..).and_then(|options| option(options, SOURCE_OPTION)) {
                out.claim(packet.source, mac, ObservationSource::Ndp);
            }
        }
        [ADVERTISEMENT, 0, _, _, rest @ ..] => {
            let Some(target) = rest.get(4..20).and_then(|bytes| bytes.first_chunk::<16>()) else { return };
            let mac = rest.get(20..).and_then(|options| option(options, TARGET_OPTION));
            out.claim(*target, mac.unwrap_or(out.link.source_mac), ObservationSource::Ndp);
        }
        _ => {}
    }
}

/// The link-layer address of an option; lengths are in units of 8 bytes, 0 ends the reading (4.6).
fn option(mut options: &[u8], wanted: u8) -> Option<u64> {
    while let [kind, units, rest @ ..] = options {
        if *units == 0 {
            return None;
        }
        if *kind == wanted {
            return rest.first_chunk::<6>().map(text::mac_of);
        }
        options = options.get(usize::from(*units) * 8..)?;
    }
    None
}
