//! What could not be read, and how much of the wire was seen.

use crate::anomaly::AnomalyKind;
use crate::columns::{MaybeU32, Name, Text, Time, U16, U64, table};
use crate::words::Layer;

table! {
    /// One row for something that could not be read or breaks its standard.
    Anomalies, AnomalyRow {
        ts: Time,
        frame: U64,
        flow_id: MaybeU32,
        layer: Name<Layer>,
        kind: Name<AnomalyKind>,
        detail: Text,
    }
}

table! {
    /// One row for each interface and minute: how much of the wire was seen and read.
    CoverageRows, CoverageRow {
        minute: Time,
        interface_id: U16,
        link_type: U16,
        packets: U64,
        wire_bytes: U64,
        captured_bytes: U64,
        unread_packets: U64,
        malformed_packets: U64,
        cut_packets: U64,
        fragments: U64,
        incomplete_packets: U64,
        duplicate_packets: U64,
        dropped_packets: U64,
        data_segments: U64,
        unseen_segments: U64,
        gap_bytes: U64,
        evicted_flows: U64,
        evicted_bytes: U64,
        evicted_fragments: U64,
        evicted_requests: U64,
        evicted_messages: U64,
        evicted_observations: U64,
    }
}
