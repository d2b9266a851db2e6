#![no_main]
use geophone_native_fuzz::capture;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| capture::run(bytes));
