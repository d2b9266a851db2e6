"""Every wire table's columns, declared once: Arrow type, ClickHouse type, unit, meaning.

The native engine builds these tables, `geophone decode` writes them, the store derives its DDL from them and
the catalogue prints them. A test holds the engine's schemas against these declarations.

Conventions
    * times are nanoseconds since the Unix epoch, UTC, taken from the capture, never from a clock here;
    * addresses are 16 bytes, IPv4 as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2);
    * MAC addresses are the 48 bits as an integer, the first octet in the highest byte;
    * frame numbers start at 1 and count every record of the capture, as Wireshark numbers them;
    * `c2s` is client to server, `s2c` server to client; `role_source` says how it is known who is the client.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import pyarrow as pa


class Kind(Enum):
    """A column's type: its Arrow type and its ClickHouse type."""

    UINT8 = (pa.uint8(), "UInt8")
    UINT16 = (pa.uint16(), "UInt16")
    UINT32 = (pa.uint32(), "UInt32")
    UINT64 = (pa.uint64(), "UInt64")
    FLOAT64 = (pa.float64(), "Float64")
    BOOL = (pa.bool_(), "Bool")
    TIMESTAMP = (pa.timestamp("ns", tz="UTC"), "DateTime64(9, 'UTC')")
    #: A word of a set that the site or the run decides.
    LABEL = (pa.utf8(), "LowCardinality(String)")
    #: One of a small, closed set of words.
    NAME = (pa.dictionary(pa.uint8(), pa.utf8()), "LowCardinality(String)")
    TEXT = (pa.utf8(), "String")
    ADDRESS = (pa.binary(16), "IPv6")
    #: The third member keeps it from being another name of UINT64.
    MAC = (pa.uint64(), "UInt64", "six octets")
    INT16_LIST = (pa.list_(pa.field("item", pa.int16(), nullable=False)), "Array(Int16)")
    UINT32_LIST = (pa.list_(pa.field("item", pa.uint32(), nullable=False)), "Array(UInt32)")
    UINT16_LIST = (pa.list_(pa.field("item", pa.uint16(), nullable=False)), "Array(UInt16)")
    TEXT_LIST = (pa.list_(pa.field("item", pa.utf8(), nullable=False)), "Array(String)")

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type."""
        return self.value[0]

    @property
    def clickhouse(self) -> str:
        """The ClickHouse type, without Nullable."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind
    doc: str
    unit: str = ""
    nullable: bool = False

    @property
    def clickhouse(self) -> str:
        """The column's ClickHouse type."""
        return f"Nullable({self.kind.clickhouse})" if self.nullable else self.kind.clickhouse


@dataclass(frozen=True, slots=True)
class Table:
    """A table of decoded rows: `stored` ones are kept in ClickHouse too."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    stored: bool = False

    def schema(self) -> pa.Schema:
        """The Arrow schema of a batch of this table."""
        return pa.schema([pa.field(c.name, c.kind.arrow, nullable=c.nullable) for c in self.columns])


def _both_ways(name: str, kind: Kind, doc: str, unit: str = "") -> tuple[Column, Column]:
    return (
        Column(f"{name}_c2s", kind, f"{doc}, client to server", unit),
        Column(f"{name}_s2c", kind, f"{doc}, server to client", unit),
    )


_FLOW_ID: Final = Column("flow_id", Kind.UINT32, "the flow: numbered from 1 in the order of flow_starts rows")

_ENDPOINTS: Final = (
    Column("ip_proto", Kind.UINT8, "IP protocol number (6 TCP, 17 UDP)"),
    Column("client_ip", Kind.ADDRESS, "who opened the flow"),
    Column("server_ip", Kind.ADDRESS, "who was asked"),
    Column("client_port", Kind.UINT16, "0 where the protocol has no ports"),
    Column("server_port", Kind.UINT16, "0 where the protocol has no ports"),
    Column("client_mac", Kind.MAC, "source MAC of the client's first frame; 0 where the link has none"),
    Column("server_mac", Kind.MAC, "the server's side of the same; 0 where the link has none"),
    Column("vlan", Kind.UINT16, "outermost VLAN id, 0 untagged"),
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
        "segments whose bytes were seen before: lost after the tap; keepalives and duplicates left out",
    ),
    *_both_ways(
        "filled_holes", Kind.UINT32, "holes filled later than the path's minimum RTT: lost before the tap"
    ),
    *_both_ways("out_of_order_segments", Kind.UINT32, "holes filled within the path's minimum RTT: not loss"),
    *_both_ways("unseen_segments", Kind.UINT32, "segments acknowledged but never seen: lost by the capture"),
    *_both_ways("gap_bytes", Kind.UINT64, "bytes of the stream that were never seen", "byte"),
    *_both_ways("duplicate_packets", Kind.UINT32, "SPAN duplicates, left out of every other figure"),
    *_both_ways("resets", Kind.UINT32, "TCP RST"),
    *_both_ways("fins", Kind.UINT32, "TCP FIN"),
)

FLOW_STARTS: Final = Table(
    "flow_starts",
    "One row a flow, written before any other row that names the flow_id: who talks with whom.",
    (
        _FLOW_ID,
        Column("ts", Kind.TIMESTAMP, "first packet of the flow", "ns"),
        Column("first_frame", Kind.UINT64, "frame of that packet"),
        *_ENDPOINTS,
    ),
)

FLOW_MINUTES: Final = Table(
    "flow_minutes",
    "One row for each flow and minute with traffic: what every measurement is summed from.",
    (
        _FLOW_ID,
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
        _FLOW_ID,
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

MODBUS: Final = Table(
    "modbus",
    "One row a Modbus transaction: request and response, or the honest lack of one.",
    (
        Column("ts", Kind.TIMESTAMP, "the request, or the response where no request was seen", "ns"),
        _FLOW_ID,
        Column("client_ip", Kind.ADDRESS, "who asked"),
        Column("server_ip", Kind.ADDRESS, "who was asked"),
        Column("client_port", Kind.UINT16, "TCP port of the client"),
        Column("server_port", Kind.UINT16, "TCP port of the server"),
        Column("request_frame", Kind.UINT64, "frame that completed the request", nullable=True),
        Column("response_frame", Kind.UINT64, "frame that completed the response", nullable=True),
        Column("transaction_id", Kind.UINT16, "MBAP transaction identifier"),
        Column("unit", Kind.UINT8, "MBAP unit identifier"),
        Column("function", Kind.UINT8, "function code, without the exception bit"),
        Column(
            "outcome",
            Kind.NAME,
            "answered, exception, unanswered, orphan (a response nobody asked for), pending (capture ended)",
        ),
        Column("exception_code", Kind.UINT8, "of the exception response", nullable=True),
        Column(
            "latency_ns", Kind.UINT64, "response minus request, where both were seen", "ns", nullable=True
        ),
        Column(
            "address", Kind.UINT16, "0-based protocol address; the read one for function 23", nullable=True
        ),
        Column("quantity", Kind.UINT16, "coils or registers from `address` on", nullable=True),
        Column("write_address", Kind.UINT16, "0-based protocol address written", nullable=True),
        Column("write_quantity", Kind.UINT16, "coils or registers written", nullable=True),
        Column("values_read", Kind.UINT16_LIST, "register values, or coils as 0 and 1; the first 128"),
        Column("values_written", Kind.UINT16_LIST, "register values, or coils as 0 and 1; the first 128"),
        Column("sub_function", Kind.UINT16, "of function 8, MEI type of 43", nullable=True),
        Column("and_mask", Kind.UINT16, "of function 22", nullable=True),
        Column("or_mask", Kind.UINT16, "of function 22", nullable=True),
        Column(
            "detail", Kind.TEXT, "what has no column of its own: file records, objects, private bytes as hex"
        ),
        Column("request_bytes", Kind.UINT16, "length of the request with its MBAP header", "byte"),
        Column("response_bytes", Kind.UINT16, "length of the response with its MBAP header", "byte"),
        Column("after_gap", Kind.BOOL, "a gap in the stream may have touched this transaction"),
        Column("confidence", Kind.NAME, "how Modbus is known: structure (request and response fit) or port"),
    ),
    stored=True,
)

RTT: Final = Table(
    "rtt",
    "One row a round-trip sample.",
    (
        Column("ts", Kind.TIMESTAMP, "when the sample was complete", "ns"),
        _FLOW_ID,
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

ANOMALIES: Final = Table(
    "anomalies",
    "One row for what the decoder could not read or what breaks its standard; bounded per flow and kind.",
    (
        Column("ts", Kind.TIMESTAMP, "the frame's time", "ns"),
        Column("frame", Kind.UINT64, "the frame"),
        Column("flow_id", Kind.UINT32, "the flow, where there is one", nullable=True),
        Column("layer", Kind.NAME, "capture, link, network, tcp or the application protocol"),
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
        Column("fragments", Kind.UINT64, "IP fragments, not reassembled"),
        Column("duplicate_packets", Kind.UINT64, "SPAN duplicates"),
        Column("dropped_packets", Kind.UINT64, "frames the capture says it dropped (pcapng statistics)"),
        Column("data_segments", Kind.UINT64, "TCP segments with payload"),
        Column("unseen_segments", Kind.UINT64, "segments acknowledged but never seen"),
        Column("gap_bytes", Kind.UINT64, "bytes of TCP streams never seen", "byte"),
        Column("evicted_flows", Kind.UINT64, "flows pushed out of the full flow table"),
        Column("evicted_bytes", Kind.UINT64, "bytes pushed out of full reassembly buffers", "byte"),
    ),
    stored=True,
)

TABLES: Final = (FLOW_STARTS, FLOW_MINUTES, FLOWS, MODBUS, RTT, ANOMALIES, COVERAGE)


_BY_NAME: Final = {table.name: table for table in TABLES}


def table(name: str) -> Table:
    """The declared table of that name; KeyError where there is none."""
    return _BY_NAME[name]
