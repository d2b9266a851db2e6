"""Flows: who talks with whom, how much, how fast."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import FLOW_ID


def _both_ways(name: str, kind: Kind, doc: str, unit: str = "") -> tuple[Column, Column]:
    return (
        Column(f"{name}_c2s", kind, f"{doc}, client to server", unit),
        Column(f"{name}_s2c", kind, f"{doc}, server to client", unit),
    )


_ENDPOINTS: Final = (
    Column("ip_proto", Kind.UINT8, "IP protocol number (6 TCP, 17 UDP)"),
    Column("client_ip", Kind.ADDRESS, "who opened the flow"),
    Column("server_ip", Kind.ADDRESS, "who was asked"),
    Column("client_port", Kind.UINT16, "0 where the protocol has no ports"),
    Column("server_port", Kind.UINT16, "0 where the protocol has no ports"),
    Column("client_mac", Kind.MAC, "source MAC of the client's first frame; 0 where the link has none"),
    Column("server_mac", Kind.MAC, "the server's side of the same; 0 where the link has none"),
    Column("vlan", Kind.UINT16, "outermost VLAN id, 0 untagged; within a tunnel that carries frames, theirs"),
    Column(
        "tunnel",
        Kind.NAME,
        "innermost tunnel of the first packet: none, gre, erspan, vxlan, geneve, ip_in_ip, mpls, pppoe",
    ),
    Column(
        "tunnel_id",
        Kind.UINT32,
        "VXLAN or GENEVE network, ERSPAN session, GRE key, bottom MPLS label, PPPoE session",
        nullable=True,
    ),
    Column(
        "role_source",
        Kind.NAME,
        "how client and server are known: syn, syn_ack, protocol, port, first_seen",
    ),
)

_FLOW_COUNTERS: Final = (
    Column("service", Kind.NAME, "application protocol; empty while unknown"),
    Column("confidence", Kind.NAME, "how the service is known: handshake, structure, port, none"),
    Column("established", Kind.BOOL, "payload was seen, or the TCP handshake completed, up to this row"),
    Column("syn_frame", Kind.UINT64, "frame of the first SYN of the flow", nullable=True),
    Column("syn_ack_frame", Kind.UINT64, "frame of the first SYN-ACK of the flow", nullable=True),
    *_both_ways("packets", Kind.UINT32, "packets, SPAN duplicates left out"),
    *_both_ways("wire_bytes", Kind.UINT64, "frame lengths on the wire", "byte"),
    *_both_ways("payload_bytes", Kind.UINT64, "TCP or UDP payload lengths, repeats included", "byte"),
    *_both_ways("data_segments", Kind.UINT32, "TCP segments with payload, super-frames counted by MSS"),
    *_both_ways(
        "retransmitted_segments",
        Kind.UINT32,
        "segments whose bytes were seen before: lost after the tap, each time that they come; "
        "keepalives and duplicates not at all",
    ),
    *_both_ways(
        "filled_holes", Kind.UINT32, "holes filled later than the path's minimum RTT: lost before the tap"
    ),
    *_both_ways("out_of_order_segments", Kind.UINT32, "holes filled within the path's minimum RTT: not loss"),
    *_both_ways(
        "unseen_segments",
        Kind.UINT32,
        "segments acknowledged but never seen: lost by the capture; what nobody acknowledges is no verdict",
    ),
    *_both_ways(
        "gap_bytes", Kind.UINT64, "bytes behind the first one seen that were never seen themselves", "byte"
    ),
    *_both_ways(
        "zero_windows", Kind.UINT32, "times that the sender closed its TCP window: it could not keep up"
    ),
    *_both_ways(
        "dsacks",
        Kind.UINT32,
        "of the retransmitted segments, those that the peer says it got twice (RFC 2883): sent again without need",
    ),
    *_both_ways("duplicate_packets", Kind.UINT32, "SPAN duplicates, left out of every other figure"),
    *_both_ways("resets", Kind.UINT32, "TCP RST"),
    *_both_ways("fins", Kind.UINT32, "TCP FIN"),
)

FLOW_STARTS: Final = Table(
    "flow_starts",
    "One row a flow, written before any other row that names the flow_id: who talks with whom.",
    (
        FLOW_ID,
        Column("ts", Kind.TIMESTAMP, "first packet of the flow", "ns"),
        Column("first_frame", Kind.UINT64, "frame of that packet"),
        *_ENDPOINTS,
    ),
)

FLOW_MINUTES: Final = Table(
    "flow_minutes",
    "One row for each flow and minute with traffic: what every measurement is summed from.",
    (
        FLOW_ID,
        Column("minute", Kind.TIMESTAMP, "start of the minute", "ns"),
        Column("first_ts", Kind.TIMESTAMP, "first packet in the minute", "ns"),
        Column("last_ts", Kind.TIMESTAMP, "last packet in the minute", "ns"),
        Column("first_frame", Kind.UINT64, "frame of the first packet in the minute"),
        Column("last_frame", Kind.UINT64, "frame of the last packet in the minute"),
        *_FLOW_COUNTERS,
    ),
)

FLOWS: Final = Table(
    "flows",
    "One row for each flow that ended or was evicted, or is open at the end of the capture: its totals.",
    (
        FLOW_ID,
        Column("ts", Kind.TIMESTAMP, "first packet", "ns"),
        Column("last_ts", Kind.TIMESTAMP, "last packet", "ns"),
        Column("first_frame", Kind.UINT64, "frame of the first packet"),
        Column("last_frame", Kind.UINT64, "frame of the last packet"),
        *_ENDPOINTS,
        *_FLOW_COUNTERS,
        Column("handshake_server_rtt_ns", Kind.UINT64, "SYN-ACK minus SYN", "ns", nullable=True),
        Column("handshake_client_rtt_ns", Kind.UINT64, "ACK minus SYN-ACK", "ns", nullable=True),
        Column("end_reason", Kind.NAME, "fin, reset, idle, reused, evicted or end_of_capture"),
    ),
    stored=True,
)

RTT: Final = Table(
    "rtt",
    "One row a round-trip sample.",
    (
        Column("ts", Kind.TIMESTAMP, "when the sample was complete", "ns"),
        FLOW_ID,
        Column("frame", Kind.UINT64, "frame that completed it"),
        Column(
            "kind",
            Kind.NAME,
            "handshake_server (SYN-ACK minus SYN), handshake_client (ACK minus SYN-ACK), ack_server and "
            "ack_client (the ACK that first covers a segment minus that segment, by who acknowledged), path "
            "(both sides of the tap together: a clean handshake, or two halves that no delayed ACK lengthens)",
        ),
        Column("piggybacked", Kind.BOOL, "the ACK came with data: service time may be in it"),
        Column("rtt_ns", Kind.UINT64, "round-trip time", "ns"),
    ),
)
