//! The tables of `sensors/records.py`, column by column in the same order. A Python test compares them.

use std::marker::PhantomData;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::anomaly::AnomalyKind;
use crate::columns::{
    Address, Flag, MaybeU8, MaybeU16, MaybeU32, MaybeU64, Name, Text, Time, U8, U16, U16List, U32, U64, table,
};
use crate::words::{Confidence, EndReason, Layer, Outcome, RoleSource, RttKind, Service};

/// What every row's `_borrow` is.
pub const ROW: PhantomData<&'static ()> = PhantomData;

table! {
    /// Who talks with whom: one row a flow.
    FlowStarts, FlowStartRow {
        flow_id: U32,
        ts: Time,
        first_frame: U64,
        ip_proto: U8,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        client_mac: U64,
        server_mac: U64,
        vlan: U16,
        role_source: Name<RoleSource>,
    }
}

table! {
    /// One row for each flow and minute with traffic.
    FlowMinutes, FlowMinuteRow {
        flow_id: U32,
        minute: Time,
        first_ts: Time,
        last_ts: Time,
        first_frame: U64,
        last_frame: U64,
        service: Name<Service>,
        confidence: Name<Confidence>,
        established: Flag,
        syn_frame: MaybeU64,
        syn_ack_frame: MaybeU64,
        packets_c2s: U32,
        packets_s2c: U32,
        wire_bytes_c2s: U64,
        wire_bytes_s2c: U64,
        payload_bytes_c2s: U64,
        payload_bytes_s2c: U64,
        data_segments_c2s: U32,
        data_segments_s2c: U32,
        retransmitted_segments_c2s: U32,
        retransmitted_segments_s2c: U32,
        filled_holes_c2s: U32,
        filled_holes_s2c: U32,
        out_of_order_segments_c2s: U32,
        out_of_order_segments_s2c: U32,
        unseen_segments_c2s: U32,
        unseen_segments_s2c: U32,
        gap_bytes_c2s: U64,
        gap_bytes_s2c: U64,
        duplicate_packets_c2s: U32,
        duplicate_packets_s2c: U32,
        resets_c2s: U32,
        resets_s2c: U32,
        fins_c2s: U32,
        fins_s2c: U32,
    }
}

table! {
    /// One row a flow, when it ends: its totals.
    Flows, FlowRow {
        flow_id: U32,
        ts: Time,
        last_ts: Time,
        first_frame: U64,
        last_frame: U64,
        ip_proto: U8,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        client_mac: U64,
        server_mac: U64,
        vlan: U16,
        role_source: Name<RoleSource>,
        service: Name<Service>,
        confidence: Name<Confidence>,
        established: Flag,
        syn_frame: MaybeU64,
        syn_ack_frame: MaybeU64,
        packets_c2s: U32,
        packets_s2c: U32,
        wire_bytes_c2s: U64,
        wire_bytes_s2c: U64,
        payload_bytes_c2s: U64,
        payload_bytes_s2c: U64,
        data_segments_c2s: U32,
        data_segments_s2c: U32,
        retransmitted_segments_c2s: U32,
        retransmitted_segments_s2c: U32,
        filled_holes_c2s: U32,
        filled_holes_s2c: U32,
        out_of_order_segments_c2s: U32,
        out_of_order_segments_s2c: U32,
        unseen_segments_c2s: U32,
        unseen_segments_s2c: U32,
        gap_bytes_c2s: U64,
        gap_bytes_s2c: U64,
        duplicate_packets_c2s: U32,
        duplicate_packets_s2c: U32,
        resets_c2s: U32,
        resets_s2c: U32,
        fins_c2s: U32,
        fins_s2c: U32,
        handshake_server_rtt_ns: MaybeU64,
        handshake_client_rtt_ns: MaybeU64,
        end_reason: Name<EndReason>,
    }
}

table! {
    /// One row a Modbus transaction.
    ModbusRows, ModbusRow {
        ts: Time,
        flow_id: U32,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        request_frame: MaybeU64,
        response_frame: MaybeU64,
        transaction_id: U16,
        unit: U8,
        function: U8,
        outcome: Name<Outcome>,
        exception_code: MaybeU8,
        latency_ns: MaybeU64,
        address: MaybeU16,
        quantity: MaybeU16,
        write_address: MaybeU16,
        write_quantity: MaybeU16,
        values_read: U16List,
        values_written: U16List,
        sub_function: MaybeU16,
        and_mask: MaybeU16,
        or_mask: MaybeU16,
        detail: Text,
        request_bytes: U16,
        response_bytes: U16,
        after_gap: Flag,
        confidence: Name<Confidence>,
    }
}

table! {
    /// One row a round-trip sample.
    Rtts, RttRow {
        ts: Time,
        flow_id: U32,
        frame: U64,
        kind: Name<RttKind>,
        piggybacked: Flag,
        rtt_ns: U64,
    }
}

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
        duplicate_packets: U64,
        dropped_packets: U64,
        data_segments: U64,
        unseen_segments: U64,
        gap_bytes: U64,
        evicted_flows: U64,
        evicted_bytes: U64,
    }
}

/// All tables, being filled.
#[derive(Default)]
pub struct Tables {
    pub flow_starts: FlowStarts,
    pub flow_minutes: FlowMinutes,
    pub flows: Flows,
    pub modbus: ModbusRows,
    pub rtt: Rtts,
    pub anomalies: Anomalies,
    pub coverage: CoverageRows,
}

macro_rules! each_table {
    ($($name:ident: $rows:ty,)+) => {
        impl Tables {
            /// The batches of the tables that have rows, by name; the tables are empty afterwards.
            pub fn take(&mut self) -> Vec<(&'static str, RecordBatch)> {
                let mut batches = Vec::new();
                $(if !self.$name.is_empty() {
                    batches.push((stringify!($name), self.$name.take()));
                })+
                batches
            }

            /// Rows of all tables since the last batch.
            pub fn rows(&self) -> usize {
                0 $(+ self.$name.len())+
            }
        }

        /// The schema of every table, by name.
        pub fn schemas() -> Vec<(&'static str, SchemaRef)> {
            vec![$((stringify!($name), <$rows>::schema()),)+]
        }
    };
}

each_table! {
    flow_starts: FlowStarts,
    flow_minutes: FlowMinutes,
    flows: Flows,
    modbus: ModbusRows,
    rtt: Rtts,
    anomalies: Anomalies,
    coverage: CoverageRows,
}
