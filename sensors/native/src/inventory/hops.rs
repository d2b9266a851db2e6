//! How far away a sender is, and what kind of system it may run, by its packets' time to live.

/// What systems start from: Linux, macOS and most controllers 64; Windows 128; switches, routers and VxWorks 255.
const STARTS: [u8; 4] = [32, 64, 128, 255];

/// What a sender most likely started from, and the routers that its packet has passed.
///
/// Reads the distance too short where a sender's start is none of these.
pub fn guess(hops: u8) -> (u8, u8) {
    let start = STARTS.into_iter().find(|start| *start >= hops).unwrap_or(255);
    (start, start - hops)
}

#[cfg(test)]
mod tests {
    use super::guess;

    #[test]
    fn the_nearest_start_above_is_the_guess() {
        assert_eq!(
            [64, 63, 128, 120, 255, 0].map(guess),
            [(64, 0), (64, 1), (128, 0), (128, 8), (255, 0), (32, 32)]
        );
    }
}
