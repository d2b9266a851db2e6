"""What could not be read, and how much of the wire was seen."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table

ANOMALIES: Final = Table(
    "anomalies",
    "One row for what the decoder could not read or what breaks its standard; bounded per flow and kind.",
    (
        Column("ts", Kind.TIMESTAMP, "the frame's time", "ns"),
        Column("frame", Kind.UINT64, "the frame"),
        Column("flow_id", Kind.UINT32, "the flow, where there is one", nullable=True),
        Column("layer", Kind.NAME, "capture, link, network, tcp, udp or the application protocol"),
        Column("kind", Kind.NAME, "what is wrong"),
        Column("detail", Kind.TEXT, "the numbers behind it"),
    ),
    stored=True,
)

COVERAGE: Final = Table(
    "coverage",
    "One row for each capture interface and minute: how much of the wire was really seen and read.",
    (
        Column("minute", Kind.TIMESTAMP, "start of the minute", "ns"),
        Column("interface_id", Kind.UINT16, "interface of the capture, 0 in pcap files"),
        Column("link_type", Kind.UINT16, "LINKTYPE_ number of the interface"),
        Column("packets", Kind.UINT64, "frames read"),
        Column("wire_bytes", Kind.UINT64, "their lengths on the wire", "byte"),
        Column("captured_bytes", Kind.UINT64, "their lengths in the capture", "byte"),
        Column(
            "unread_packets", Kind.UINT64, "frames of a link, network or transport layer that is not decoded"
        ),
        Column("malformed_packets", Kind.UINT64, "frames whose headers contradict themselves"),
        Column("cut_packets", Kind.UINT64, "frames cut by the capture's snapshot length"),
        Column("fragments", Kind.UINT64, "IP fragments, put together or not"),
        Column(
            "incomplete_packets",
            Kind.UINT64,
            "packets whose fragments did not all come in time, or contradict each other: not read",
        ),
        Column("duplicate_packets", Kind.UINT64, "SPAN duplicates"),
        Column("dropped_packets", Kind.UINT64, "frames the capture says it dropped (pcapng counts)"),
        Column("data_segments", Kind.UINT64, "TCP segments with payload"),
        Column("unseen_segments", Kind.UINT64, "segments acknowledged but never seen"),
        Column("gap_bytes", Kind.UINT64, "bytes of TCP streams never seen", "byte"),
        Column("evicted_flows", Kind.UINT64, "flows pushed out of the full flow table"),
        Column("evicted_bytes", Kind.UINT64, "bytes pushed out of full reassembly buffers", "byte"),
        Column("evicted_fragments", Kind.UINT64, "IP fragments pushed out before their packet was whole"),
        Column("evicted_requests", Kind.UINT64, "requests given up before their answer, for lack of room"),
        Column("evicted_messages", Kind.UINT64, "messages, or parts and names of them, that found no room"),
        Column("evicted_observations", Kind.UINT64, "things told of devices that found no room"),
    ),
    stored=True,
)
