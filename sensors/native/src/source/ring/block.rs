//! The bytes of one block in; its packets out. Every number that the kernel gives is checked against the block.
//!
//! Layout: struct tpacket_block_desc, struct tpacket3_hdr and struct sockaddr_ll of linux/if_packet.h, in the
//! machine's own byte order.

/// Where a block says how many packets it has, and where the first one is.
const PACKETS_AT: usize = 12;
const FIRST_AT: usize = 16;

/// A packet's header, then (aligned to 16) the address it came with.
const HEADER: usize = 48;
const ADDRESS: usize = 12;

/// Destination and source address of Ethernet: a VLAN tag comes after them.
const MACS: usize = 12;
const TAG: usize = 4;

const ETHERTYPE_VLAN: u16 = 0x8100;

/// One packet of a block: where it is, and what the kernel knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where the next one is, from the start of the block.
    pub next: usize,
    pub ts: i64,
    pub at: usize,
    pub captured: usize,
    pub wire_length: u32,
    /// Sent by this machine itself.
    pub is_outgoing: bool,
    /// The time was taken by the interface.
    pub hardware_time: bool,
    tag: Option<[u8; TAG]>,
}

impl Packet {
    /// True where a VLAN tag is still to be put back.
    pub fn has_tag(&self) -> bool {
        self.tag.is_some()
    }
}

/// (packets, place of the first) of a block; none where it contradicts itself.
pub fn start(block: &[u8]) -> Option<(u32, usize)> {
    let (packets, first) = (u32_at(block, PACKETS_AT)?, u32_at(block, FIRST_AT)? as usize);
    (first < block.len()).then_some((packets, first))
}

/// The packet at a place of the block; none where it would reach beyond the block.
#[inline]
pub fn packet(block: &[u8], place: usize) -> Option<Packet> {
    let whole = block.get(place..place.checked_add(HEADER + ADDRESS)?)?;
    let (header, address) = whole.split_at(HEADER);
    let status = u32_at(header, 20)?;
    let at = place.checked_add(usize::from(u16_at(header, 24)?))?;
    let captured = u32_at(header, 12)? as usize;
    // Between its header and the end of the block.
    if at < place + HEADER + ADDRESS || at.checked_add(captured)? > block.len() {
        return None;
    }
    let tag = (status & libc::TP_STATUS_VLAN_VALID != 0).then(|| {
        let kind = if status & libc::TP_STATUS_VLAN_TPID_VALID != 0 { u16_at(header, 36) } else { None };
        let [k0, k1] = kind.unwrap_or(ETHERTYPE_VLAN).to_be_bytes();
        let [t0, t1] = (u32_at(header, 32).unwrap_or_default() as u16).to_be_bytes();
        [k0, k1, t0, t1]
    });
    let seconds = i64::from(u32_at(header, 4)?);
    let ts = seconds * 1_000_000_000 + i64::from(u32_at(header, 8)?);
    Some(Packet {
        next: place.checked_add(u32_at(header, 0)? as usize)?,
        ts,
        at,
        captured,
        wire_length: u32_at(header, 16)?,
        is_outgoing: address.get(10) == Some(&libc::PACKET_OUTGOING),
        hardware_time: status & libc::TP_STATUS_TS_RAW_HARDWARE != 0,
        tag,
    })
}

/// Puts back the VLAN tag that the kernel took out of the frame, into the room that it leaves before each:
/// the flow's key has to be that of a capture file.
pub fn restore_tag(block: &mut [u8], packet: Packet) -> Packet {
    let Some(tag) = packet.tag else { return packet };
    let Some(at) = packet.at.checked_sub(TAG) else { return packet };
    if packet.captured < MACS {
        return packet;
    }
    let Some(frame) = block.get_mut(at..packet.at + MACS) else { return packet };
    frame.copy_within(TAG.., 0);
    frame[MACS..].copy_from_slice(&tag);
    Packet {
        at,
        captured: packet.captured + TAG,
        wire_length: packet.wire_length.saturating_add(TAG as u32),
        tag: None,
        ..packet
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|raw| u16::from_ne_bytes(*raw))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|raw| u32::from_ne_bytes(*raw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A block with one packet of these bytes at 48, as the kernel lays it out; room of 4 bytes before the frame.
    fn block(frame: &[u8], status: u32, tci: u32, tpid: u16, packet_type: u8) -> Vec<u8> {
        let mut block = vec![0u8; 48];
        block[PACKETS_AT..][..4].copy_from_slice(&1u32.to_ne_bytes());
        block[FIRST_AT..][..4].copy_from_slice(&48u32.to_ne_bytes());
        let mac = 48 + 20 + 16u16;
        let length = frame.len() as u32;
        for word in [0, 1_700_000_000, 42, length, length, status] {
            block.extend(u32::to_ne_bytes(word));
        }
        block.extend([mac.to_ne_bytes(), [0; 2]].concat());
        block.extend([[0; 4], tci.to_ne_bytes()].concat());
        block.extend([tpid.to_ne_bytes(), [0; 2]].concat());
        block.extend([0; 8]);
        block.extend([0; 10]);
        block.push(packet_type);
        block.extend([0; 9 + 16]);
        block.extend(frame);
        block
    }

    const FRAME: &[u8] = b"DDDDDDSSSSSS\x08\x00payload";

    #[test]
    fn a_packet_is_read_with_its_time_and_lengths() {
        let block = block(FRAME, 1, 0, 0, 0);
        assert_eq!(start(&block), Some((1, 48)));
        let packet = packet(&block, 48).unwrap();
        assert_eq!(&block[packet.at..][..packet.captured], FRAME);
        assert_eq!((packet.ts, packet.wire_length), (1_700_000_000_000_000_042, FRAME.len() as u32));
        assert!(!packet.is_outgoing && !packet.hardware_time);
    }

    #[test]
    fn a_tag_that_the_kernel_took_out_is_back_in_the_frame() {
        let status = 1 | libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID;
        let mut block = block(FRAME, status, 0x2064, 0x88a8, 0);
        let read = packet(&block, 48).unwrap();
        let tagged = restore_tag(&mut block, read);
        let frame = &block[tagged.at..][..tagged.captured];
        assert_eq!(frame, b"DDDDDDSSSSSS\x88\xa8\x20\x64\x08\x00payload");
        assert_eq!(tagged.wire_length, FRAME.len() as u32 + 4);
    }

    #[test]
    fn a_frame_that_had_no_tag_gets_none() {
        let mut block = block(FRAME, 1, 0x2064, 0x8100, 0);
        let read = packet(&block, 48).unwrap();
        assert_eq!(restore_tag(&mut block, read), read);
    }

    #[test]
    fn what_this_machine_sends_is_known_as_its_own() {
        let block = block(FRAME, 1, 0, 0, libc::PACKET_OUTGOING);
        assert!(packet(&block, 48).unwrap().is_outgoing);
    }

    proptest! {
        #[test]
        fn no_block_makes_it_look_beyond_its_end(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            place in 0usize..500,
        ) {
            let mut bytes = bytes;
            let _ = start(&bytes);
            if let Some(packet) = packet(&bytes, place) {
                prop_assert!(packet.at + packet.captured <= bytes.len());
                let tagged = restore_tag(&mut bytes, packet);
                prop_assert!(tagged.at + tagged.captured <= bytes.len());
            }
        }
    }
}
