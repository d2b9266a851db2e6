//! ARP: which MAC address says that an IP address is its own (RFC 826, RFC 5227).

use super::text;
use crate::layer2::FrameOutput;
use crate::words::ObservationSource;

/// Reads one ARP packet of IPv4 over Ethernet; another kind tells nothing. False where it is too short.
pub fn read(packet: &[u8], out: &mut FrameOutput<'_>) -> bool {
    let Some((head, rest)) = packet.split_first_chunk::<8>() else { return false };
    // Hardware type, protocol type, their address lengths, operation.
    let [0, 1, 8, 0, 6, 4, 0, operation] = *head else { return true };
    let Some((addresses, _)) = rest.split_first_chunk::<20>() else { return false };
    let [m0, m1, m2, m3, m4, m5, i0, i1, i2, i3, ..] = *addresses;
    // 1 request, 2 reply: in both the sender says where it is. A probe (RFC 5227, 2.1.1) has no address yet.
    if matches!(operation, 1 | 2) {
        let mac = text::mac_of(&[m0, m1, m2, m3, m4, m5]);
        out.claim(text::mapped([i0, i1, i2, i3]), mac, ObservationSource::Arp);
    }
    true
}
