//! How much memory a ring is asked for, and what form an interface's frames have.

/// Blocks hold the longest frame (64 KiB and its headers) many times over, and are released one by one.
const BLOCK_BYTES: usize = 1 << 20;
const SMALL_BLOCK_BYTES: usize = 128 << 10;

/// (bytes of a block, blocks) of a ring that takes about so much memory.
pub fn blocks(ring_bytes: usize) -> (usize, usize) {
    let block = if ring_bytes >= 8 * BLOCK_BYTES { BLOCK_BYTES } else { SMALL_BLOCK_BYTES };
    (block, (ring_bytes / block).max(2))
}

/// LINKTYPE_ of what an interface of this kind (ARPHRD_) hands over on a raw socket.
pub fn link_type(hardware_type: u16) -> Option<u16> {
    match hardware_type {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(1),
        // Without a link header: TUN devices, raw IP, PPP and tunnels.
        libc::ARPHRD_NONE
        | libc::ARPHRD_PPP
        | libc::ARPHRD_RAWHDLC
        | libc::ARPHRD_TUNNEL
        | libc::ARPHRD_TUNNEL6
        | libc::ARPHRD_SIT => Some(101),
        // ARPHRD_RAWIP, which modems have.
        519 => Some(101),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_has_at_least_two_blocks_and_no_more_memory_than_asked_for() {
        assert_eq!(blocks(64 << 20), (BLOCK_BYTES, 64));
        assert_eq!(blocks(1 << 20), (SMALL_BLOCK_BYTES, 8));
        assert_eq!(blocks(0), (SMALL_BLOCK_BYTES, 2));
    }

    #[test]
    fn interfaces_without_a_link_header_are_read_as_raw_ip() {
        assert_eq!(link_type(libc::ARPHRD_NONE), Some(101));
        assert_eq!(link_type(libc::ARPHRD_LOOPBACK), Some(1));
        assert_eq!(link_type(libc::ARPHRD_IEEE80211), None);
    }
}
