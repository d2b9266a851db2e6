//! A flow's rows: its minutes and its totals.

use super::counters::Counted;
use super::{Flow, Minute, Shared};
use crate::tables::{FlowMinuteRow, FlowRow, ROW};
use crate::words::EndReason;

/// A row of the counters that `flow_minutes` and `flows` share, beside the fields that differ.
macro_rules! counted_row {
    ($row:ident, $core:expr, $tcp:expr, $counted:expr, $client:expr, { $($field:ident: $value:expr,)* }) => {{
        let (core, tcp, client) = ($core, $tcp, $client);
        let (c2s, s2c) = (&$counted.sides[client], &$counted.sides[1 - client]);
        let incidents = $counted.incidents();
        let (odd_c2s, odd_s2c) = (&incidents[client], &incidents[1 - client]);
        $row {
            flow_id: core.id,
            service: core.service,
            confidence: core.confidence,
            established: core.established,
            syn_frame: tcp.and_then(|tcp| tcp.handshake.syn_frame()),
            syn_ack_frame: tcp.and_then(|tcp| tcp.handshake.syn_ack_frame()),
            packets_c2s: c2s.packets,
            packets_s2c: s2c.packets,
            wire_bytes_c2s: c2s.wire_bytes,
            wire_bytes_s2c: s2c.wire_bytes,
            payload_bytes_c2s: c2s.payload_bytes,
            payload_bytes_s2c: s2c.payload_bytes,
            data_segments_c2s: c2s.data_segments,
            data_segments_s2c: s2c.data_segments,
            retransmitted_segments_c2s: odd_c2s.tcp.retransmitted_segments,
            retransmitted_segments_s2c: odd_s2c.tcp.retransmitted_segments,
            filled_holes_c2s: odd_c2s.tcp.filled_holes,
            filled_holes_s2c: odd_s2c.tcp.filled_holes,
            out_of_order_segments_c2s: odd_c2s.tcp.out_of_order_segments,
            out_of_order_segments_s2c: odd_s2c.tcp.out_of_order_segments,
            unseen_segments_c2s: odd_c2s.tcp.unseen_segments,
            unseen_segments_s2c: odd_s2c.tcp.unseen_segments,
            gap_bytes_c2s: odd_c2s.tcp.gap_bytes,
            gap_bytes_s2c: odd_s2c.tcp.gap_bytes,
            zero_windows_c2s: odd_c2s.tcp.zero_windows,
            zero_windows_s2c: odd_s2c.tcp.zero_windows,
            dsacks_c2s: odd_c2s.tcp.dsacks,
            dsacks_s2c: odd_s2c.tcp.dsacks,
            duplicate_packets_c2s: odd_c2s.duplicate_packets,
            duplicate_packets_s2c: odd_s2c.duplicate_packets,
            resets_c2s: odd_c2s.resets,
            resets_s2c: odd_s2c.resets,
            fins_c2s: odd_c2s.fins,
            fins_s2c: odd_s2c.fins,
            $($field: $value,)*
            _borrow: ROW,
        }
    }};
}

impl Flow {
    /// Writes the minute's row, where it had traffic, and adds it to the totals.
    pub(super) fn write_minute(&mut self, minute: i64, shared: &mut Shared) {
        let core = &mut self.core;
        let Some(roles) = core.roles else { return };
        let Minute { counted, last } = std::mem::take(&mut core.minute);
        let active = std::mem::take(&mut core.active);
        core.totals.get_or_insert_default().add(&counted);
        if !active {
            return;
        }
        let core = &self.core;
        let first = core.minute_first;
        let (tcp, client) = (self.tcp.as_ref(), roles.client());
        shared.tables.flow_minutes.push(counted_row!(FlowMinuteRow, core, tcp, &counted, client, {
            minute: minute,
            first_ts: first.ts,
            last_ts: last.ts,
            first_frame: first.frame,
            last_frame: last.frame,
        }));
    }

    /// Writes the flow's totals.
    pub(super) fn write_flow(&self, reason: EndReason, shared: &mut Shared) {
        let core = &self.core;
        let Some(roles) = core.roles else { return };
        let (client, server) = (roles.client(), 1 - roles.client());
        let identity = &core.identity;
        let tcp = self.tcp.as_ref();
        let none = Counted::default();
        let totals = core.totals.as_deref().unwrap_or(&none);
        shared.tables.flows.push(counted_row!(FlowRow, core, tcp, totals, client, {
            ts: core.first.ts,
            last_ts: core.last.ts,
            first_frame: core.first.frame,
            last_frame: core.last.frame,
            ip_proto: identity.protocol(),
            client_ip: identity.ip(client),
            server_ip: identity.ip(server),
            client_port: identity.port(client),
            server_port: identity.port(server),
            client_mac: identity.macs[client],
            server_mac: identity.macs[server],
            vlan: identity.vlan,
            tunnel: identity.tunnel.kind,
            tunnel_id: identity.tunnel.id,
            role_source: roles.source,
            handshake_server_rtt_ns: tcp.and_then(|tcp| tcp.handshake.server_half_ns()),
            handshake_client_rtt_ns: tcp.and_then(|tcp| tcp.handshake.client_half_ns()),
            end_reason: reason,
        }));
    }
}
