//! Capture files: formats, byte orders, clocks, damage.

mod support;

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use geophone_native::decoder::{Decoder, ROWS_A_CALL};
use geophone_native::limits::Limits;
use geophone_native::source::OpenError;
use support::{ACK, Frame, Talk, adu, decode, open, pcap, read_registers};

fn exchange() -> Vec<Frame> {
    let mut talk = Talk::new(502);
    let (request, response) = read_registers(1, 0, 1);
    talk.handshake().send(0, ACK, &request).send(1, ACK, &response);
    talk.frames
}

/// A block of a pcapng file.
fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let word = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let padded = body.len().next_multiple_of(4);
    let length = word(12 + padded as u32);
    let mut bytes = [&word(kind)[..], &length, body].concat();
    bytes.resize(8 + padded, 0);
    bytes.extend(length);
    bytes
}

struct Ng {
    big: bool,
    bytes: Vec<u8>,
}

impl Ng {
    fn new(big: bool) -> Self {
        let mut ng = Self { big, bytes: Vec::new() };
        ng.section();
        ng
    }

    fn words(&self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| if self.big { word.to_be_bytes() } else { word.to_le_bytes() }).collect()
    }

    fn section(&mut self) -> &mut Self {
        let body = self.words(&[0x1a2b_3c4d, if self.big { 1 << 16 } else { 1 }, u32::MAX, u32::MAX]);
        self.bytes.extend(block(self.big, 0x0a0d_0d0a, &body));
        self
    }

    /// An Ethernet interface with a resolution (option 9) and an offset in seconds (option 14).
    fn interface(&mut self, resolution: u8, offset: u32) -> &mut Self {
        let half = |value: u16| if self.big { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut body = [&half(1)[..], &half(0)].concat();
        body.extend(self.words(&[65_535]));
        body.extend([half(9), half(1)].concat());
        body.extend([resolution, 0, 0, 0]);
        body.extend([half(14), half(8)].concat());
        body.extend(self.words(if self.big { [0, offset] } else { [offset, 0] }.as_slice()));
        self.bytes.extend(block(self.big, 1, &body));
        self
    }

    fn packet(&mut self, interface: u32, ticks: u64, frame: &[u8]) -> &mut Self {
        let length = frame.len() as u32;
        let mut body = self.words(&[interface, (ticks >> 32) as u32, ticks as u32, length, length]);
        body.extend(frame);
        self.bytes.extend(block(self.big, 6, &body));
        self
    }

    /// A packet block that says how many were lost before it: epb_dropcount (4).
    fn packet_after_drops(&mut self, interface: u32, frame: &[u8], dropped: u32) -> &mut Self {
        let half = |value: u16| if self.big { value.to_be_bytes() } else { value.to_le_bytes() };
        let length = frame.len() as u32;
        let mut body = self.words(&[interface, 0, 1, length, length]);
        body.extend(frame);
        body.resize(body.len().next_multiple_of(4), 0);
        // Flags (2) come first.
        body.extend([half(2), half(4)].concat());
        body.extend(self.words(&[1]));
        body.extend([half(4), half(8)].concat());
        body.extend(self.words(if self.big { [0, dropped] } else { [dropped, 0] }.as_slice()));
        body.extend([0; 4]);
        self.bytes.extend(block(self.big, 6, &body));
        self
    }

    /// Interface statistics: isb_ifdrop (5).
    fn dropped(&mut self, interface: u32, packets: u32) -> &mut Self {
        let half = |value: u16| if self.big { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut body = self.words(&[interface, 0, 0]);
        body.extend([half(5), half(8)].concat());
        body.extend(self.words(if self.big { [0, packets] } else { [packets, 0] }.as_slice()));
        self.bytes.extend(block(self.big, 5, &body));
        self
    }
}

#[test]
fn pcap_of_every_byte_order_and_resolution_is_the_same_capture() {
    let frames = exchange();
    let expected = decode(&pcap(&frames), &[]).lines("modbus", &["ts", "outcome"]);
    for (magic, fraction) in [(0xa1b2_c3d4u32, 1_000), (0xa1b2_3c4d, 1)] {
        for big in [false, true] {
            let word = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
            let mut bytes: Vec<u8> = [magic, 0, 0, 0, 65_535, 1].into_iter().flat_map(word).collect();
            for (ts, frame) in &frames {
                let length = frame.len() as u32;
                let header =
                    [(ts / 1_000_000_000) as u32, (ts % 1_000_000_000 / fraction) as u32, length, length];
                bytes.extend(header.into_iter().flat_map(word));
                bytes.extend(frame);
            }
            assert_eq!(decode(&bytes, &[]).lines("modbus", &["ts", "outcome"]), expected, "{magic:x} {big}");
        }
    }
}

#[test]
fn pcapng_has_clocks_of_its_own_for_each_interface() {
    let frame = exchange()[0].1.clone();
    for big in [false, true] {
        let mut ng = Ng::new(big);
        // Microseconds; 2^-20 s; seconds since 2001; then a section that numbers its interfaces anew.
        ng.interface(6, 0).interface(0x80 | 20, 0).interface(0, 978_307_200);
        ng.packet(0, 1_000_001, &frame).packet(1, 3 << 19, &frame).packet(2, 5, &frame);
        ng.section().interface(9, 0).packet(0, 7, &frame);
        let bytes = ng.bytes;
        let mut source = open(&bytes).ok().unwrap();
        let mut seen = Vec::new();
        while let geophone_native::source::Item::Frame(record) = source.next_item() {
            seen.push((record.interface, record.ts));
        }
        assert_eq!(
            seen,
            [(0, 1_000_001_000), (1, 1_500_000_000), (2, 978_307_205_000_000_000), (3, 7)],
            "{big}"
        );
    }
}

#[test]
fn what_an_interface_dropped_is_in_its_coverage_once() {
    let frame = exchange()[0].1.clone();
    let mut ng = Ng::new(false);
    ng.interface(9, 0).packet(0, 1, &frame).dropped(0, 3).dropped(0, 5);
    ng.bytes.extend(block(false, 0xbad, b"somebody else's"));
    let decoded = decode(&ng.bytes, &[]);
    assert_eq!(decoded.sum("coverage", "dropped_packets"), 5);
    assert_eq!(decoded.decoder.summary().cut_at_byte, None);
}

#[test]
fn drops_told_with_packets_and_in_statistics_are_counted_once() {
    let frame = exchange()[0].1.clone();
    for big in [false, true] {
        let mut ng = Ng::new(big);
        ng.interface(9, 0).packet_after_drops(0, &frame, 2).packet_after_drops(0, &frame, 0);
        ng.packet_after_drops(0, &frame, 3);
        let told = decode(&ng.bytes, &[]);
        assert_eq!(told.sum("coverage", "dropped_packets"), 5, "{big}");
        assert_eq!(told.sum("coverage", "packets"), 3, "{big}");
        // The statistics count all of them from the start, and one more.
        ng.dropped(0, 6).dropped(0, 6).packet_after_drops(0, &frame, 1).dropped(0, 7);
        assert_eq!(decode(&ng.bytes, &[]).sum("coverage", "dropped_packets"), 7, "{big}");
    }
}

#[test]
fn gzip_is_known_by_its_bytes() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&pcap(&exchange())).unwrap();
    let bytes = gzip.finish().unwrap();
    assert_eq!(decode(&bytes, &[]).column("modbus", "outcome"), ["answered"]);
    let cut = decode(&bytes[..bytes.len() - 20], &[]);
    assert_eq!(cut.column("anomalies", "layer"), ["capture"]);
}

#[test]
fn what_is_no_capture_is_refused_in_words() {
    for (bytes, word) in [
        (&b""[..], "empty"),
        (b"PK\x03\x04 a zip file", "not a capture"),
        (b"\xd4\xc3\xb2\xa1\x02\0", "ends after 6"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", "ends after 8"),
        (b"\x1f\x8b", "not a capture"),
    ] {
        match open(bytes) {
            Err(OpenError::NotACapture(not)) => assert!(not.message.contains(word), "{}", not.message),
            Err(error @ (OpenError::Io(_) | OpenError::NotYet)) => {
                assert!(bytes.starts_with(b"\x1f\x8b"), "{error:?}")
            }
            Ok(_) => panic!("{bytes:?} was opened"),
        }
    }
}

#[test]
fn a_capture_without_packets_is_one() {
    let decoded = decode(&pcap(&[]), &[]);
    assert!(decoded.tables.is_empty());
    assert_eq!(decoded.decoder.summary().cut_at_byte, None);
}

#[test]
fn a_cut_at_any_byte_leaves_all_whole_packets() {
    let frames = exchange();
    let whole = pcap(&frames);
    let mut ends = vec![24];
    for (_, frame) in &frames {
        ends.push(ends.last().unwrap() + 16 + frame.len());
    }
    for length in 24..=whole.len() {
        let decoded = decode(&whole[..length], &[]);
        let packets = ends.iter().filter(|end| **end <= length).count() as u64 - 1;
        assert_eq!(decoded.decoder.summary().frames, packets);
        let at = decoded.decoder.summary().cut_at_byte;
        let kinds = decoded.column("anomalies", "kind");
        if ends.contains(&length) {
            assert_eq!((at, kinds.len()), (None, 0), "{length}");
        } else {
            assert_eq!((at, kinds), (Some(length as u64), vec!["capture_cut".to_owned()]), "{length}");
        }
    }
}

#[test]
fn an_absurd_record_length_ends_the_capture_without_an_allocation() {
    let frames = exchange();
    let mut bytes = pcap(&frames);
    let end = bytes.len() as u64;
    for word in [0u32, 0, 0xffff_fff0, 60] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([0; 100]);
    let decoded = decode(&bytes, &[]);
    assert_eq!(decoded.column("anomalies", "kind"), ["record_length"]);
    assert_eq!(decoded.decoder.summary().cut_at_byte, Some(end));
    assert_eq!(decoded.column("modbus", "outcome"), ["answered"]);
}

#[test]
fn frames_of_an_unknown_link_type_are_counted_and_told_once() {
    let mut bytes = pcap(&exchange());
    bytes[20] = 105;
    let decoded = decode(&bytes, &[]);
    assert_eq!(decoded.column("anomalies", "kind"), ["unknown_link_type"]);
    assert_eq!(decoded.lines("coverage", &["packets", "unread_packets", "link_type"]), ["5 5 105"]);
}

#[test]
fn a_snapshot_length_is_no_malformation() {
    let mut frames = exchange();
    let mut bytes = pcap(&frames[..3]);
    let (ts, frame) = frames.remove(3);
    for word in [(ts / 1_000_000_000) as u32, (ts % 1_000_000_000) as u32, 58, frame.len() as u32] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(&frame[..58]);
    let decoded = decode(&bytes, &[]);
    assert_eq!(decoded.sum("coverage", "cut_packets"), 1);
    assert_eq!(decoded.sum("coverage", "malformed_packets"), 0);
    assert_eq!(decoded.sum("flows", "payload_bytes_c2s"), 12);
}

#[test]
fn frames_full_of_messages_make_no_call_of_boundless_rows() {
    let mut talk = Talk::new(502);
    talk.handshake();
    // The shortest response that there is, about 7,000 times in a super-frame.
    let exceptions = adu(1, 1, &[0x83, 2]).repeat(7_000);
    for _ in 0..60 {
        talk.send(1, ACK, &exceptions);
    }
    let bytes = pcap(&talk.frames);
    let mut source = open(&bytes).ok().unwrap();
    let mut decoder = Decoder::new(Limits::default());
    let mut rows = Vec::new();
    loop {
        let goes_on = decoder.run(&mut source, 1_000);
        rows.push(decoder.take().iter().map(|(_, batch)| batch.num_rows()).sum::<usize>());
        if !goes_on {
            break;
        }
    }
    assert!(rows.iter().sum::<usize>() > 60 * 7_000, "{rows:?}");
    assert!(rows.iter().all(|rows| *rows < ROWS_A_CALL + 7_100), "{rows:?}");
}
