#![no_main]
use geophone_native_fuzz::{link, messages};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| link::run(bytes));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    messages::mutate(data, size, max_size, seed, link::FORM, &mut fuzzer_mutate)
});
