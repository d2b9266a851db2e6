//! Timestamps of the interface's hardware in; a time that can be believed out.

use std::time::SystemTime;

use super::counters::{Counters, add};
use super::socket::Socket;

/// A hardware clock that is further from the system's than this is not set: TAI alone is 37 s away.
const MISTRUSTED_FROM_NS: u64 = 5_000_000_000;

/// Whether the interface's own timestamps are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HardwareClock {
    NotSeen,
    Trusted,
    Mistrusted,
}

impl HardwareClock {
    /// The time of a packet that the interface has stamped; the system's where the interface's clock is not set.
    #[cold]
    pub fn time(&mut self, ts: i64, socket: &Socket, counters: &Counters) -> i64 {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let wall_ns = i64::try_from(wall.as_nanos()).unwrap_or(i64::MAX);
        if *self == HardwareClock::NotSeen {
            *self = first_seen(ts, wall_ns);
            if *self == HardwareClock::Mistrusted {
                // Those that are in the ring already come with a wrong time all the same.
                let _ = socket.set_hardware_timestamps(false);
            }
        }
        if *self == HardwareClock::Trusted {
            return ts;
        }
        add(&counters.mistrusted_timestamps, 1);
        wall_ns
    }
}

/// The first packet that the hardware stamped has just come: its time is about now, or the clock is not set.
fn first_seen(ts: i64, wall_ns: i64) -> HardwareClock {
    if ts.abs_diff(wall_ns) > MISTRUSTED_FROM_NS { HardwareClock::Mistrusted } else { HardwareClock::Trusted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_counts_tai_is_not_trusted_and_one_that_is_set_is() {
        let now = 1_795_327_200_000_000_000;
        assert_eq!(first_seen(now + 37_000_000_000, now), HardwareClock::Mistrusted);
        assert_eq!(first_seen(now - 2_000_000, now), HardwareClock::Trusted);
    }
}
