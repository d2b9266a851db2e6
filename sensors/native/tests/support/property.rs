//! How many cases a property is tried on, and which.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// So many times the cases are tried, other ones in every run: `PROPERTY_TIMES=50 cargo test`, a search for faults.
const TIMES: &str = "PROPERTY_TIMES";

/// Cases of a property: the same ones in every run, so that a run judges what has changed and nothing else.
///
/// Some properties hold but for accidents (random bytes *can* be a valid message), so a search must be read by someone.
pub fn property(cases: u32) -> ProptestConfig {
    let times =
        std::env::var(TIMES).ok().map(|said| said.parse::<u32>().expect("PROPERTY_TIMES is a number"));
    ProptestConfig {
        cases: cases * times.unwrap_or(1),
        rng_seed: times.map_or(RngSeed::Fixed(62_443), |_| RngSeed::Random),
        ..ProptestConfig::default()
    }
}
