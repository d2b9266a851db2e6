//! Decodes a capture from start to end, without Python: `cargo run --release --example throughput -- FILE [TIMES]`.

use std::path::Path;
use std::time::Instant;

use geophone_native::decoder::Decoder;
use geophone_native::limits::Limits;
use geophone_native::source::Source;

/// Frames of one call, as `sensors.engine` asks for.
const FRAMES_A_CALL: u64 = 65_536;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("usage: throughput FILE [TIMES]");
    let times: u32 = arguments.next().map_or(1, |times| times.parse().expect("TIMES is a number"));
    for _ in 0..times {
        let mut source = Source::open(Path::new(&path)).expect("a readable capture");
        let mut decoder = Decoder::new(Limits::default());
        let started = Instant::now();
        let mut rows = 0;
        loop {
            let goes_on = decoder.run(&mut source, FRAMES_A_CALL);
            rows += decoder.take().iter().map(|(_, batch)| batch.num_rows()).sum::<usize>();
            if !goes_on {
                break;
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        let frames = decoder.frame_number();
        println!(
            "{frames} frames, {rows} rows, {seconds:.3} s: {:.2} million frames/s",
            frames as f64 / seconds / 1e6
        );
    }
}
