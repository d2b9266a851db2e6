//! How much of the wire was seen and read: a count for each interface and minute.

use std::collections::BTreeMap;

use crate::flow::CoverageDelta;
use crate::tables::{CoverageRow, CoverageRows, ROW};

/// One interface's minute.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub link_type: u16,
    pub packets: u64,
    pub wire_bytes: u64,
    pub captured_bytes: u64,
    pub unread: u64,
    pub malformed: u64,
    pub cut: u64,
    pub fragments: u64,
    pub incomplete: u64,
    pub duplicates: u64,
    pub dropped: u64,
    pub tcp: CoverageDelta,
    pub evicted_flows: u64,
    pub evicted_bytes: u64,
    pub evicted_fragments: u64,
    pub evicted_requests: u64,
    pub evicted_messages: u64,
    pub evicted_observations: u64,
}

/// The minute that is being counted, by interface.
#[derive(Debug, Default)]
pub struct Coverage {
    first: Cell,
    first_used: bool,
    /// Interfaces other than 0: most captures have none.
    others: BTreeMap<u16, Cell>,
}

impl Coverage {
    #[inline]
    pub fn cell(&mut self, interface: u16) -> &mut Cell {
        if interface == 0 {
            self.first_used = true;
            return &mut self.first;
        }
        self.others.entry(interface).or_default()
    }

    /// Takes over what was counted since the last call.
    #[inline]
    pub fn add(&mut self, interface: u16, counted: &mut CoverageDelta) {
        if *counted != CoverageDelta::default() {
            let delta = std::mem::take(counted);
            let sum = &mut self.cell(interface).tcp;
            sum.data_segments += delta.data_segments;
            sum.unseen_segments += delta.unseen_segments;
            sum.gap_bytes += delta.gap_bytes;
        }
    }

    /// The minute is over: writes its rows.
    pub fn write(&mut self, minute: i64, rows: &mut CoverageRows) {
        if std::mem::take(&mut self.first_used) {
            write_row(minute, 0, &std::mem::take(&mut self.first), rows);
        }
        for (interface, cell) in std::mem::take(&mut self.others) {
            write_row(minute, interface, &cell, rows);
        }
    }
}

fn write_row(minute: i64, interface_id: u16, cell: &Cell, rows: &mut CoverageRows) {
    rows.push(CoverageRow {
        minute,
        interface_id,
        link_type: cell.link_type,
        packets: cell.packets,
        wire_bytes: cell.wire_bytes,
        captured_bytes: cell.captured_bytes,
        unread_packets: cell.unread,
        malformed_packets: cell.malformed,
        cut_packets: cell.cut,
        fragments: cell.fragments,
        incomplete_packets: cell.incomplete,
        duplicate_packets: cell.duplicates,
        dropped_packets: cell.dropped,
        data_segments: cell.tcp.data_segments,
        unseen_segments: cell.tcp.unseen_segments,
        gap_bytes: cell.tcp.gap_bytes,
        evicted_flows: cell.evicted_flows,
        evicted_bytes: cell.evicted_bytes,
        evicted_fragments: cell.evicted_fragments,
        evicted_requests: cell.evicted_requests,
        evicted_messages: cell.evicted_messages,
        evicted_observations: cell.evicted_observations,
        _borrow: ROW,
    });
}
