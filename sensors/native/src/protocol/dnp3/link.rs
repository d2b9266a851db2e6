//! DNP3 link frames (IEEE 1815, 9) and their transport segments (8): checked, stripped, put together.

/// 0x05 0x64, length, control, destination, source, checksum.
pub const HEADER: usize = 10;

/// User data stands in blocks of so many bytes, each with its checksum.
const BLOCK: usize = 16;

/// What the length field counts besides user data: control and addresses.
const COUNTED: u8 = 5;

/// One frame.
#[derive(Debug)]
pub struct Frame {
    pub from_master: bool,
    /// Set by the station that begins an exchange on the link.
    pub primary: bool,
    pub function: u8,
    pub destination: u16,
    pub source: u16,
    /// Without checksums.
    pub data: Vec<u8>,
    /// A block's checksum is wrong: what stands behind it was not kept.
    pub damaged: bool,
}

/// The checksum of IEEE 1815, 9.2.4.1.4: polynomial 0x3d65, reflected, inverted.
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut crc = 0u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xa6bc };
        }
    }
    !crc
}

/// The length of the frame that a header begins, where its checksum is right.
pub fn length(header: &[u8; HEADER]) -> Option<usize> {
    let [5, 0x64, counted, _, _, _, _, _, low, high] = *header else { return None };
    let data = usize::from(counted.checked_sub(COUNTED)?);
    (checksum(&header[..8]) == u16::from_le_bytes([low, high]))
        .then_some(HEADER + data + data.div_ceil(BLOCK) * 2)
}

/// Reads a frame whose header was checked.
pub fn read(bytes: &[u8]) -> Option<Frame> {
    let (header, mut blocks) = bytes.split_first_chunk::<HEADER>()?;
    let [_, _, counted, control, to_low, to_high, from_low, from_high, _, _] = *header;
    let mut left = usize::from(counted.checked_sub(COUNTED)?);
    let mut data = Vec::with_capacity(left);
    let mut damaged = false;
    while left > 0 && !damaged {
        let size = left.min(BLOCK);
        let Some((block, rest)) = blocks.split_at_checked(size + 2) else {
            damaged = true;
            break;
        };
        let (block, sum) = block.split_at(size);
        damaged = checksum(block).to_le_bytes() != *sum;
        if !damaged {
            data.extend_from_slice(block);
        }
        (blocks, left) = (rest, left - size);
    }
    Some(Frame {
        from_master: control & 0x80 != 0,
        primary: control & 0x40 != 0,
        function: control & 15,
        destination: u16::from_le_bytes([to_low, to_high]),
        source: u16::from_le_bytes([from_low, from_high]),
        data,
        damaged,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_standards() {
        // A reset-link frame, as the standard's own users print it.
        let header = [0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04, 0xe9, 0x21];
        assert_eq!(length(&header), Some(HEADER));
        assert_eq!(length(&[0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04, 0xe9, 0x22]), None);
    }
}
