//! Flows: who talks with whom, how much, how fast.

use crate::columns::{Address, Flag, MaybeU32, MaybeU64, Name, Time, U8, U16, U32, U64, table};
use crate::words::{Confidence, EndReason, RoleSource, RttKind, Service, Tunnel};

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
        tunnel: Name<Tunnel>,
        tunnel_id: MaybeU32,
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
        zero_windows_c2s: U32,
        zero_windows_s2c: U32,
        dsacks_c2s: U32,
        dsacks_s2c: U32,
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
        tunnel: Name<Tunnel>,
        tunnel_id: MaybeU32,
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
        zero_windows_c2s: U32,
        zero_windows_s2c: U32,
        dsacks_c2s: U32,
        dsacks_s2c: U32,
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
