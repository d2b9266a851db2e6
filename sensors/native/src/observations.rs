//! What the wire tells of devices, each thing once: addresses, names, models, versions.

use std::collections::HashSet;
use std::hash::BuildHasher as _;

use foldhash::quality::RandomState;

use crate::anomaly::At;
use crate::inventory::{Neighbours, hops, text};
use crate::limits::Limits;
use crate::link::Link;
use crate::net::Packet;
use crate::tables::{ObservationRow, ObservationRows, ROW};
use crate::words::{ObservationKind, ObservationSource, Words as _};

/// The part of the room that one source may take: a flood of names by one protocol hides no other's.
const SHARE: u64 = 8;

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
pub struct Observed {
    /// Hashes, keyed by chance: nobody can write a name that hides another.
    told: HashSet<u64, RandomState>,
    keyed: RandomState,
    /// How many each source has told.
    by_source: [u64; ObservationSource::COUNT],
    /// Who claims which address.
    pub neighbours: Neighbours,
    /// Observations that had no room.
    not_kept: u64,
}

impl Default for Observed {
    fn default() -> Self {
        Self {
            told: HashSet::default(),
            keyed: RandomState::default(),
            by_source: [0; ObservationSource::COUNT],
            neighbours: Neighbours::default(),
            not_kept: 0,
        }
    }
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
        let hash = self.keyed.hash_one((seen.mac, seen.ip, seen.kind, seen.source, value.as_str()));
        if self.is_new(hash, seen.source, limits) {
            push(seen, &value, at, flow_id, rows);
        }
    }

    /// A flow's sender is seen for the first time: its distance, once an address, and its VLAN.
    pub fn note_sender(
        &mut self,
        link: &Link<'_>,
        packet: &Packet<'_>,
        at: At,
        limits: &Limits,
        rows: &mut ObservationRows,
    ) {
        if !text::is_a_devices(&packet.source) {
            return;
        }
        let hash = self.keyed.hash_one((packet.source, ObservationSource::Ttl));
        if self.is_new(hash, ObservationSource::Ttl, limits) {
            let (start, passed) = hops::guess(packet.hops);
            let seen = Observation {
                mac: 0,
                ip: packet.source,
                kind: ObservationKind::Distance,
                source: ObservationSource::Ttl,
                value: "",
            };
            push(&seen, &format!("{passed} of {start} hops"), at, None, rows);
        }
        if link.vlan == 0 || !text::is_a_cards(link.source_mac) {
            return;
        }
        let hash = self.keyed.hash_one((link.source_mac, link.vlan, ObservationSource::Frame));
        if self.is_new(hash, ObservationSource::Frame, limits) {
            let seen = Observation {
                mac: link.source_mac,
                ip: [0; 16],
                kind: ObservationKind::Vlan,
                source: ObservationSource::Frame,
                value: "",
            };
            push(&seen, &link.vlan.to_string(), at, None, rows);
        }
    }

    /// What had no room since the last call.
    pub fn take_not_kept(&mut self) -> u64 {
        std::mem::take(&mut self.not_kept) + std::mem::take(&mut self.neighbours.not_kept)
    }

    /// True, and remembered, where this was not told before; false too where there is no room.
    fn is_new(&mut self, hash: u64, source: ObservationSource, limits: &Limits) -> bool {
        if self.told.contains(&hash) {
            return false;
        }
        let told = &mut self.by_source[usize::from(source.number())];
        if *told >= (limits.observations / SHARE).max(1) || self.told.len() as u64 >= limits.observations {
            self.not_kept += 1;
            return false;
        }
        *told += 1;
        self.told.insert(hash);
        true
    }
}

fn push(seen: &Observation<'_>, value: &str, at: At, flow_id: Option<u32>, rows: &mut ObservationRows) {
    rows.push(ObservationRow {
        ts: at.ts,
        frame: at.frame,
        flow_id,
        mac: seen.mac,
        ip: &seen.ip,
        kind: seen.kind,
        source: seen.source,
        value,
        _borrow: ROW,
    });
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
        assert_eq!((rows.len(), observed.take_not_kept()), (1, 1));
    }

    #[test]
    fn a_flood_of_one_source_leaves_room_for_another() {
        let mut limits = Limits::default();
        limits.set("observations", 80).unwrap();
        let (mut observed, mut rows) = (Observed::default(), ObservationRows::default());
        for number in 0..100 {
            observed.note(&name(&number.to_string()), At::default(), None, &limits, &mut rows);
        }
        assert_eq!((rows.len(), observed.take_not_kept()), (10, 90));
        let other = Observation { source: ObservationSource::Lldp, ..name("switch1") };
        observed.note(&other, At::default(), None, &limits, &mut rows);
        assert_eq!((rows.len(), observed.take_not_kept()), (11, 0));
    }

    #[test]
    fn a_value_is_one_line_without_control_characters() {
        assert_eq!(clean("a\u{1b}[31mb\n"), "a [31mb");
        assert_eq!(clean(&"x".repeat(1_000)).len(), VALUE_LIMIT);
    }
}
