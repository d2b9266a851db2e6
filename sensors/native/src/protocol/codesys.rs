//! CODESYS V3 over TCP, named by the header of its blocks; what they carry is not read.

use super::{Protocol, Recognised, Transport};
use crate::words::{Confidence, Layer, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Codesys,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[11_740],
    recognise,
    parser: None,
};

/// The block driver's mark, then the whole length of the block, which it is never longer than this.
const MARK: [u8; 4] = [0xe8, 0x17, 0x01, 0x00];
const LONGEST: u32 = 65_536;

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let length = u32::from_le_bytes(*payload.strip_prefix(&MARK)?.first_chunk()?);
    // The datagram inside begins with its own mark.
    let inside = payload.get(8).is_none_or(|first| first & 0xf0 == 0xc0);
    ((9..=LONGEST).contains(&length) && inside)
        .then_some(Recognised { confidence: Confidence::Structure, speaker: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_recognised_by_its_mark_and_length() {
        assert!(recognise(b"\xe8\x17\x01\0\x1c\0\0\0\xc5", false).is_some());
        assert!(recognise(b"\xe8\x17\x01\0\xff\xff\xff\xff\xc5", true).is_none());
        assert!(recognise(b"\xe8\x17\x01", true).is_none());
    }
}
