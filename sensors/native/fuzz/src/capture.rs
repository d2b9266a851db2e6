//! Any bytes as a capture file, from its magic to its last row.

use std::io::Cursor;

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Source;

use super::watched::Told;

/// Frames that a call takes: what a file says does not depend on it.
const MOST: [u64; 2] = [64, 7];

pub fn run(bytes: &[u8]) {
    let Some(whole) = read(bytes, MOST[0]) else { return };
    if bytes.len() % 2 == 0 {
        let again = read(bytes, MOST[1]).expect("opened before");
        again.assert_equal(&whole, "in fewer frames a call");
    }
}

fn read(bytes: &[u8], most: u64) -> Option<Told> {
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    let mut source = Source::from_stream(stream, bytes.len() as u64).ok()?;
    let mut decoder = Decoder::new(Limits::default());
    while decoder.run(&mut source, most) {}
    let (read, all) = source.position();
    assert!(read <= all, "{read} of {all} bytes");
    assert_eq!(decoder.kept(), Default::default(), "what was held is given back");
    Some(Told::of(&mut decoder))
}
