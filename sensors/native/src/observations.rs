//! What the wire tells of devices, each thing once: addresses, names, models, versions.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::RandomState;

use crate::anomaly::At;
use crate::limits::Limits;
use crate::tables::{ObservationRow, ObservationRows, ROW};
use crate::words::{ObservationKind, ObservationSource};

/// Characters of a value that are kept.
const VALUE_LIMIT: usize = 256;

/// Something told of a device.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// 48 bits; 0 where it is not known.
    pub mac: u64,
    /// 16 bytes; all 0 where it is not known.
    pub ip: [u8; 16],
    pub kind: ObservationKind,
    pub source: ObservationSource,
    pub value: &'a str,
}

/// What was told already, so that each thing is one row.
#[derive(Default)]
pub struct Observed {
    /// Hashes, keyed by chance: nobody can write a name that hides another.
    told: HashSet<u64, RandomState>,
    keyed: RandomState,
    /// Observations that had no room.
    pub not_kept: u64,
}

impl Observed {
    /// Writes a row where this was not told before and there is room to remember it.
    pub fn note(
        &mut self,
        seen: &Observation<'_>,
        at: At,
        flow_id: Option<u32>,
        limits: &Limits,
        rows: &mut ObservationRows,
    ) {
        let value = clean(seen.value);
        if value.is_empty() {
            return;
        }
        let mut hasher = self.keyed.build_hasher();
        (seen.mac, seen.ip, seen.kind, seen.source, value.as_str()).hash(&mut hasher);
        let hash = hasher.finish();
        if self.told.contains(&hash) {
            return;
        }
        if self.told.len() as u64 >= limits.observations {
            self.not_kept += 1;
            return;
        }
        self.told.insert(hash);
        rows.push(ObservationRow {
            ts: at.ts,
            frame: at.frame,
            flow_id,
            mac: seen.mac,
            ip: &seen.ip,
            kind: seen.kind,
            source: seen.source,
            value: &value,
            _borrow: ROW,
        });
    }
}

/// A value as it is kept: one line, bounded, without what a terminal would act on.
fn clean(value: &str) -> String {
    let trimmed = value.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    trimmed.chars().take(VALUE_LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(value: &str) -> Observation<'_> {
        Observation {
            mac: 1,
            ip: [0; 16],
            kind: ObservationKind::HostName,
            source: ObservationSource::Dhcp,
            value,
        }
    }

    #[test]
    fn the_same_thing_is_told_once_and_another_one_is_told() {
        let (mut observed, mut rows) = (Observed::default(), ObservationRows::default());
        for value in ["plc1", "plc1", " plc1\0", "plc2", ""] {
            observed.note(&name(value), At::default(), None, &Limits::default(), &mut rows);
        }
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let mut limits = Limits::default();
        limits.set("observations", 1).unwrap();
        let (mut observed, mut rows) = (Observed::default(), ObservationRows::default());
        for value in ["plc1", "plc2"] {
            observed.note(&name(value), At::default(), None, &limits, &mut rows);
        }
        assert_eq!((rows.len(), observed.not_kept), (1, 1));
    }

    #[test]
    fn a_value_is_one_line_without_control_characters() {
        assert_eq!(clean("a\u{1b}[31mb\n"), "a [31mb");
        assert_eq!(clean(&"x".repeat(1_000)).len(), VALUE_LIMIT);
    }
}
