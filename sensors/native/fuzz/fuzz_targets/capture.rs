//! Any bytes as a capture file, from its magic to its last row.
#![no_main]

use std::io::Cursor;

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    let Ok(mut source) = Source::from_stream(stream, bytes.len() as u64) else { return };
    let mut decoder = Decoder::new(Limits::default());
    while decoder.run(&mut source, 64) {
        decoder.take();
    }
    decoder.take();
    let (read, all) = source.position();
    assert!(read <= all);
});
