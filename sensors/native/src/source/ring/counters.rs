//! What a ring has seen, readable by another thread while it runs, and the wish that it should end.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Counts since the start; each is brought up to date at least once a second.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: AtomicU64,)+
            stop: AtomicBool,
            /// What went wrong last, in words.
            trouble: Mutex<String>,
            /// Why listening ended, where nobody asked for it.
            lost: Mutex<String>,
        }

        impl Counters {
            /// (name, count) of each.
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.load(Ordering::Relaxed))),+]
            }
        }
    };
}

counters! {
    /// Packets that came through the ring.
    packets,
    /// Their bytes on the wire.
    wire_bytes,
    /// Packets that the kernel dropped because the ring was full.
    dropped_packets,
    /// Times that the whole ring was full.
    full_ring,
    /// Packets that this machine itself sent on the interface: left out, and a listener's interface has none.
    own_packets,
    /// Packets with a timestamp of the interface's hardware.
    hardware_timestamps,
    /// Packets with a hardware timestamp that was far from the system's clock, replaced by the latter.
    mistrusted_timestamps,
    /// Blocks of the ring that contradicted themselves.
    bad_blocks,
    /// 1 while the interface is down or away and is waited for.
    interface_down,
    /// Packets in the recording's files.
    recorded_packets,
    /// Packets that could not be recorded.
    unrecorded_packets,
    /// Files that the recording began.
    recorded_files,
    /// Files that the recording removed, the oldest, to stay within its bounds.
    removed_files,
}

impl Counters {
    /// Asks the ring to end: what has come is still given.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Says what goes wrong; an empty text: nothing any more.
    pub fn set_trouble(&self, text: &str) {
        set(&self.trouble, text);
    }

    pub fn trouble(&self) -> String {
        text(&self.trouble)
    }

    pub fn set_lost(&self, text: &str) {
        set(&self.lost, text);
    }

    pub fn lost(&self) -> String {
        text(&self.lost)
    }
}

pub fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn set(place: &Mutex<String>, text: &str) {
    let mut held = place.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    text.clone_into(&mut held);
}

fn text(place: &Mutex<String>) -> String {
    place.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}
