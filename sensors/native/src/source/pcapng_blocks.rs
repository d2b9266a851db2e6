//! Frames in; the blocks of a pcapng file, in the machine's own byte order, out (draft-ietf-opsawg-pcapng).

use super::Record;

/// Options: opt_comment, shb_userappl, if_name, if_tsresol, isb_ifdrop.
const COMMENT: u16 = 1;
const USER_APPLICATION: u16 = 4;
const NAME: u16 = 2;
const RESOLUTION: u16 = 9;
const DROPPED: u16 = 5;

/// The interface that the frames come from.
#[derive(Clone, Debug)]
pub struct Interface {
    pub name: String,
    pub link_type: u16,
    pub snaplen: u32,
}

/// A file's start: the section, and the interface once for each ring, with the number of its first frame.
pub fn section_blocks(out: &mut Vec<u8>, interface: &Interface, first_frames: &[u64]) {
    block(out, 0x0a0d_0d0a, |out| {
        number(out, 0x1a2b_3c4d);
        out.extend(1u16.to_ne_bytes());
        out.extend(0u16.to_ne_bytes());
        out.extend((-1i64).to_ne_bytes());
        option(out, USER_APPLICATION, concat!("geophone ", env!("CARGO_PKG_VERSION")).as_bytes());
        option(out, 0, &[]);
    });
    for first in first_frames {
        block(out, 1, |out| {
            out.extend(interface.link_type.to_ne_bytes());
            out.extend(0u16.to_ne_bytes());
            number(out, interface.snaplen);
            option(out, COMMENT, format!("its first frame here is frame {first} of the ring").as_bytes());
            option(out, NAME, interface.name.as_bytes());
            // 10^-9 s.
            option(out, RESOLUTION, &[9]);
            option(out, 0, &[]);
        });
    }
}

/// One frame.
#[inline]
pub fn packet_block(out: &mut Vec<u8>, interface: u32, record: &Record<'_>) {
    block(out, 6, |out| {
        number(out, interface);
        time(out, record.ts);
        number(out, record.data.len() as u32);
        number(out, record.wire_length);
        out.extend_from_slice(record.data);
        pad(out, record.data.len());
    });
}

/// What an interface has dropped since the file began.
pub fn statistics_block(out: &mut Vec<u8>, interface: u32, ts: i64, dropped: u64) {
    block(out, 5, |out| {
        number(out, interface);
        time(out, ts);
        option(out, DROPPED, &dropped.to_ne_bytes());
        option(out, 0, &[]);
    });
}

/// A block of this type around what `body` writes: its length stands at both ends.
#[inline]
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    number(out, kind);
    number(out, 0);
    body(out);
    let length = (out.len() + 4 - start) as u32;
    if let Some(field) = out.get_mut(start + 4..start + 8) {
        field.copy_from_slice(&length.to_ne_bytes());
    }
    number(out, length);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend(code.to_ne_bytes());
    out.extend((value.len() as u16).to_ne_bytes());
    out.extend_from_slice(value);
    pad(out, value.len());
}

#[inline]
fn time(out: &mut Vec<u8>, ts: i64) {
    let ticks = ts.max(0) as u64;
    number(out, (ticks >> 32) as u32);
    number(out, ticks as u32);
}

#[inline]
fn pad(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&[0; 3][..length.next_multiple_of(4) - length]);
}

#[inline]
fn number(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Item, Source};

    #[test]
    fn what_is_written_is_read_again() {
        let interface = Interface { name: "span0".into(), link_type: 1, snaplen: 262_144 };
        let mut file = Vec::new();
        section_blocks(&mut file, &interface, &[1, 7]);
        for (ring, frame) in [(1, &b"twelve bytes"[..]), (0, b"thirteen byte")] {
            let ts = 1_795_327_200_123_456_789;
            let record = Record { ts, wire_length: 60, link_type: 1, interface: 0, data: frame };
            packet_block(&mut file, ring, &record);
        }
        statistics_block(&mut file, 0, 0, 5);
        let length = file.len() as u64;
        let mut source = Source::from_stream(Box::new(std::io::Cursor::new(file)), length).ok().unwrap();
        let mut seen = Vec::new();
        loop {
            match source.next_item() {
                Item::Frame(record) => {
                    seen.push((
                        record.ts,
                        u64::from(record.wire_length),
                        record.interface,
                        record.data.len(),
                    ));
                }
                Item::Dropped { interface, packets } => seen.push((0, packets, interface, 0)),
                Item::End(flaw) => break assert_eq!(flaw, None),
                other => assert!(matches!(other, Item::Between), "{other:?}"),
            }
        }
        let ts = 1_795_327_200_123_456_789;
        assert_eq!(seen, [(ts, 60, 1, 12), (ts, 60, 0, 13), (0, 5, 0, 0)]);
    }
}
