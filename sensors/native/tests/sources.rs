//! Files that grow, are replaced or come after each other; frames as if they were one capture.

mod support;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use geophone_native::source::{FlawKind, Item, Source};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use support::{START, pcap};

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("geophone-sources-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn append(path: &Path, content: &[u8]) {
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(content).unwrap();
}

/// A capture of these frames, a second apart.
fn capture(frames: &[&[u8]]) -> Vec<u8> {
    let frames: Vec<_> = frames
        .iter()
        .zip(0..)
        .map(|(frame, second)| (START + second * 1_000_000_000, frame.to_vec()))
        .collect();
    pcap(&frames)
}

/// The same as pcapng: a section, an interface, then a block a frame; the last but one is of an unknown kind.
fn pcapng(frames: &[&[u8]]) -> Vec<u8> {
    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let length = (12 + body.len() as u32).to_le_bytes();
        [&kind.to_le_bytes()[..], &length, body, &length].concat()
    }
    let mut bytes = block(0x0a0d_0d0a, &[&b"\x4d\x3c\x2b\x1a\x01\0\0\0"[..], &[0xff; 8]].concat());
    bytes.extend(block(1, b"\x01\0\0\0\0\0\x04\0"));
    for frame in frames {
        bytes.extend(block(0x0bad, &[7; 8]));
        let length = (frame.len() as u32).to_le_bytes();
        let mut padded = frame.to_vec();
        padded.resize(frame.len().next_multiple_of(4), 0);
        bytes.extend(block(6, &[&[0; 12][..], &length, &length, &padded].concat()));
    }
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// Everything until a pause or the end, as words.
fn told(source: &mut Source) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        match source.next_item() {
            Item::Frame(record) => told.push(String::from_utf8_lossy(record.data).into_owned()),
            Item::Dropped { packets, .. } => told.push(format!("dropped {packets}")),
            Item::Flaw(flaw) => told.push(format!("{:?}", flaw.kind)),
            Item::Between | Item::Quiet(_) => {}
            Item::Pause => break told.push("pause".into()),
            Item::End(flaw) => {
                assert_eq!(flaw, None);
                break told.push("end".into());
            }
        }
    }
    told
}

#[test]
fn captures_follow_each_other_and_each_says_where_it_began() {
    let folder = Folder::new("series");
    let one = folder.file("one.pcap", &capture(&[b"a", b"b"]));
    let two = folder.file("two.pcap.gz", &gzip(&capture(&[b"c"])));
    let mut source = Source::files(vec![one.clone(), two.clone()], false).ok().unwrap();
    assert_eq!(told(&mut source), ["a", "b", "c", "end"]);
    let parts: Vec<_> = source.parts().into_iter().map(|part| (part.path, part.first_frame)).collect();
    assert_eq!(parts, [(one, 1), (two, 3)]);
    assert_eq!(told(&mut source), ["end"]);
}

#[test]
fn a_cut_capture_of_a_series_is_told_with_its_name_and_the_next_goes_on() {
    let folder = Folder::new("cut");
    let whole = capture(&[b"a", b"b"]);
    let cut = folder.file("cut.pcap", &whole[..whole.len() - 1]);
    let next = folder.file("next.pcap", &capture(&[b"c"]));
    let missing = folder.0.join("missing.pcap");
    let mut source = Source::files(vec![cut.clone(), missing.clone(), next], false).ok().unwrap();
    let mut flaws = Vec::new();
    let mut frames = 0;
    loop {
        match source.next_item() {
            Item::Frame(_) => frames += 1,
            Item::Flaw(flaw) => flaws.push(flaw),
            Item::End(None) => break,
            _ => {}
        }
    }
    assert_eq!(frames, 2);
    assert_eq!([flaws[0].kind, flaws[1].kind], [FlawKind::Cut, FlawKind::Unreadable]);
    assert!(flaws[0].to_string().starts_with(&format!("{}: byte ", cut.display())), "{}", flaws[0]);
    assert!(flaws[1].to_string().starts_with(&format!("{}: ", missing.display())), "{}", flaws[1]);
}

#[test]
fn a_file_that_grows_byte_by_byte_gives_each_frame_once_it_is_whole() {
    for (name, content) in [
        ("pcap", capture(&[b"a", b"bb"])),
        ("gzip", gzip(&capture(&[b"a", b"bb"]))),
        ("pcapng", pcapng(&[b"a", b"bb"])),
    ] {
        let folder = Folder::new(name);
        let path = folder.file("growing", b"");
        let mut source = Source::files(vec![path.clone()], true).ok().unwrap();
        let mut seen = Vec::new();
        for byte in &content {
            seen.extend(told(&mut source));
            append(&path, &[*byte]);
        }
        seen.extend(told(&mut source));
        source.stop();
        seen.extend(told(&mut source));
        seen.retain(|word| word != "pause");
        assert_eq!(seen, ["a", "bb", "end"], "{name}");
    }
}

#[test]
fn following_ends_when_it_is_told_to_and_what_is_missing_then_is_a_cut() {
    let folder = Folder::new("stop");
    let whole = capture(&[b"a", b"b"]);
    let path = folder.file("growing.pcap", &whole[..whole.len() - 1]);
    let mut source = Source::files(vec![path], true).ok().unwrap();
    assert_eq!(told(&mut source), ["a", "pause"]);
    assert_eq!(told(&mut source), ["pause"]);
    source.stop();
    assert_eq!(told(&mut source), ["Cut", "end"]);
}

#[test]
fn a_file_that_is_replaced_is_read_to_its_end_before_the_new_one() {
    let folder = Folder::new("replaced");
    let path = folder.file("live.pcap", &capture(&[b"a"]));
    let mut source = Source::files(vec![path.clone()], true).ok().unwrap();
    assert_eq!(told(&mut source), ["a", "pause"]);
    append(&path, &capture(&[b"b"])[24..]);
    fs::rename(&path, folder.0.join("live.pcap.1")).unwrap();
    folder.file("live.pcap", &capture(&[b"c"]));
    assert_eq!(told(&mut source), ["b", "c", "pause"]);
}

#[test]
fn a_file_that_is_written_anew_is_told_and_read_from_its_start() {
    let folder = Folder::new("anew");
    let path = folder.file("live.pcap", &capture(&[b"a", b"b", b"c"]));
    let mut source = Source::files(vec![path.clone()], true).ok().unwrap();
    assert_eq!(told(&mut source), ["a", "b", "c", "pause"]);
    folder.file("live.pcap", &capture(&[b"d"]));
    assert_eq!(told(&mut source), ["Cut", "d", "pause"]);
}

#[test]
fn another_file_ends_the_one_that_was_waited_at() {
    let folder = Folder::new("added");
    let one = folder.file("one.pcap", &capture(&[b"a"]));
    let mut source = Source::files(vec![one.clone()], true).ok().unwrap();
    assert_eq!(told(&mut source), ["a", "pause"]);
    append(&one, &capture(&[b"b"])[24..]);
    assert!(source.add(folder.file("two.pcap", &capture(&[b"c"]))));
    assert_eq!(told(&mut source), ["b", "c", "pause"]);
}

proptest! {
    #[test]
    fn no_damage_to_a_packed_capture_panics_and_all_of_it_ends(
        places in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..6),
        length in any::<usize>(),
        is_zstd in any::<bool>(),
    ) {
        let frames: Vec<Vec<u8>> = (0..200).map(|number| vec![number as u8; 60 + number]).collect();
        let plain = capture(&frames.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let mut packed = if is_zstd { compress_to_vec(&plain[..], CompressionLevel::Fastest) } else { gzip(&plain) };
        for (place, value) in places {
            // The first bytes say what it is.
            let place = 4 + place % (packed.len() - 4);
            packed[place] ^= value;
        }
        packed.truncate(4 + length % (packed.len() - 3));
        let length = packed.len() as u64;
        if let Ok(mut source) = Source::from_stream(Box::new(std::io::Cursor::new(packed)), length) {
            let told = told(&mut source);
            prop_assert_eq!(told.last().map(String::as_str), Some("end"));
        }
    }
}
