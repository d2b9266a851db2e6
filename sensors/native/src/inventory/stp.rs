//! Spanning tree: which devices are bridges, and which one is the root (IEEE 802.1D-2004, 9.3).

use super::{roles, text};
use crate::layer2::FrameOutput;
use crate::words::{ObservationKind, ObservationSource};

const CONFIGURATION: u8 = 0;
const RAPID: u8 = 2;
const TOPOLOGY_CHANGE: u8 = 0x80;

/// Reads the BPDU behind an LLC header; false where it is too short.
pub fn read(frame: &[u8], out: &mut FrameOutput<'_>) -> bool {
    let Some(bpdu) = frame.get(3..) else { return false };
    let sender = out.link.source_mac;
    let mut tell = |mac, role| {
        out.tell(mac, [0; 16], ObservationKind::Role, ObservationSource::Stp, role);
    };
    match *bpdu {
        [0, 0, _, CONFIGURATION | RAPID, _flags, ref rest @ ..] => {
            // Root: priority, MAC; cost; bridge: priority, MAC.
            let Some((ids, _)) = rest.split_first_chunk::<20>() else { return false };
            let mac_at = |at: usize| ids[at..].first_chunk::<6>().map_or(0, text::mac_of);
            let (root, bridge) = (mac_at(2), mac_at(14));
            tell(bridge, roles::BRIDGE);
            tell(root, roles::ROOT_BRIDGE);
            true
        }
        [0, 0, _, TOPOLOGY_CHANGE, ..] => {
            tell(sender, roles::BRIDGE);
            true
        }
        [0, 0, _, _, ..] => true,
        _ => false,
    }
}
