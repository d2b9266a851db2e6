//! The confidence of a datagram protocol whose every message has its whole shape.

use super::{Recognised, Role};
use crate::words::Confidence;

/// Known by its structure, said by `speaker`.
pub fn by_structure(speaker: Option<Role>) -> Option<Recognised> {
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

/// A parser that keeps nothing: each datagram is read for itself.
macro_rules! each_datagram {
    ($name:ident, $read:path) => {
        struct $name;

        impl $crate::protocol::Parser for $name {
            fn feed(
                &mut self,
                from: $crate::protocol::Role,
                bytes: &[u8],
                at: $crate::anomaly::At,
                out: &mut $crate::protocol::Output<'_>,
            ) {
                $read(from, bytes, at, out);
            }

            fn gap(&mut self, _from: $crate::protocol::Role, _length: u64) {}

            fn expire(&mut self, _now: i64, _out: &mut $crate::protocol::Output<'_>) {}

            fn end(&mut self, _now: i64, _capture_ended: bool, _out: &mut $crate::protocol::Output<'_>) {}

            fn confidence(&self) -> $crate::words::Confidence {
                $crate::words::Confidence::Structure
            }

            fn progress(&self) -> $crate::protocol::Progress {
                $crate::protocol::Progress::Reading
            }
        }
    };
}
pub(crate) use each_datagram;
