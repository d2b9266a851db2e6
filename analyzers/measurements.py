"""What is measured for each conversation and minute, declared once; zones and conduits are sums of these rows."""

from __future__ import annotations

from typing import Final

from sensors.records import Column, Kind, Table

#: Rows are sums, counts and mergeable histograms (`analyzers.sketch`), so that any two rows of one scope can be
#: added: a conduit, a zone, an hour, a day. Percentiles are taken from added histograms, never averaged.
SLA_MINUTES: Final = Table(
    "sla_minutes",
    "One row for each conversation and minute: traffic, loss, round-trip and transaction times, coverage.",
    (
        Column("minute", Kind.TIMESTAMP, "start of the minute", "ns"),
        Column(
            "valid",
            Kind.BOOL,
            "the capture lost at most 0.1 % of this minute: it may be judged, else it is left out",
        ),
        Column(
            "exclusion",
            Kind.LABEL,
            "the planned change that takes this minute of the conversation out of every figure, empty where none does",
        ),
        Column("from_zone", Kind.LABEL, "zone of the client, empty where its address is in none"),
        Column("to_zone", Kind.LABEL, "zone of the server, empty where its address is in none"),
        Column(
            "conduit", Kind.LABEL, "the declared conduit from one to the other, empty where there is none"
        ),
        Column("client_ip", Kind.ADDRESS, "who opened the conversation"),
        Column("server_ip", Kind.ADDRESS, "who was asked"),
        Column("server_port", Kind.UINT16, "port of the service"),
        Column("ip_proto", Kind.UINT8, "IP protocol number (6 TCP, 17 UDP)"),
        Column("service", Kind.LABEL, "application protocol, empty where unknown"),
        Column("first_ts", Kind.TIMESTAMP, "first packet in the minute", "ns"),
        Column("last_ts", Kind.TIMESTAMP, "last packet in the minute", "ns"),
        Column("first_frame", Kind.UINT64, "frame of the first packet in the minute"),
        Column("packets", Kind.UINT64, "packets both ways, SPAN duplicates left out"),
        Column("wire_bytes", Kind.UINT64, "their lengths on the wire", "byte"),
        Column("data_segments", Kind.UINT64, "TCP segments with payload, both ways"),
        Column(
            "lost_segments",
            Kind.UINT64,
            "of these, lost in the network: seen twice, or late in a filled hole",
        ),
        Column(
            "lost_before_tap", Kind.UINT64, "of the lost ones, on the way to the tap: a hole, filled late"
        ),
        Column("lost_after_tap", Kind.UINT64, "of the lost ones, behind the tap: seen twice"),
        Column(
            "lost_client_side",
            Kind.UINT64,
            "of the lost ones, between the client and the tap, whichever way they went",
        ),
        Column("lost_server_side", Kind.UINT64, "of the lost ones, between the tap and the server"),
        Column("out_of_order_segments", Kind.UINT64, "arrived out of order: not loss"),
        Column(
            "unseen_segments",
            Kind.UINT64,
            "acknowledged but never seen: lost by the capture, not the network",
        ),
        Column("duplicate_packets", Kind.UINT64, "SPAN duplicates"),
        Column(
            "rtt_buckets",
            Kind.INT16_LIST,
            "histogram of round-trip times over both sides of the tap: buckets",
        ),
        Column("rtt_counts", Kind.UINT32_LIST, "and the samples in each"),
        Column(
            "ack_client_buckets",
            Kind.INT16_LIST,
            "histogram of data to the client's ACK without data, from the tap and back: buckets",
        ),
        Column("ack_client_counts", Kind.UINT32_LIST, "and the samples in each"),
        Column("ack_server_buckets", Kind.INT16_LIST, "the same of the server's side: buckets"),
        Column("ack_server_counts", Kind.UINT32_LIST, "and the samples in each"),
        Column(
            "client_half_min_ns",
            Kind.UINT64,
            "shortest time from the tap to the client and back, handshakes included; null where none was measured",
            "ns",
            nullable=True,
        ),
        Column("server_half_min_ns", Kind.UINT64, "the same of the server's side", "ns", nullable=True),
        Column(
            "transactions", Kind.UINT64, "requests of a protocol whose answers can be matched, whoever asked"
        ),
        Column("good", Kind.UINT64, "answered without exception within the deadline"),
        Column("exceptions", Kind.UINT64, "answered with an exception"),
        Column("unanswered", Kind.UINT64, "not answered"),
        Column("late", Kind.UINT64, "answered without exception, after the deadline"),
        Column("missed", Kind.UINT64, "requests that were due and never came: an expected poll"),
        Column(
            "not_measurable_encrypted",
            Kind.UINT64,
            "requests of which encryption hides what answers them: neither good nor bad",
        ),
        Column(
            "not_measurable_unmatched",
            Kind.UINT64,
            "answers whose requests were not seen: neither good nor bad",
        ),
        Column(
            "not_measurable_one_sided",
            Kind.UINT64,
            "requests or answers of a minute in which only one direction was seen: neither good nor bad",
        ),
        Column(
            "not_measurable_clock",
            Kind.UINT64,
            "requests answered before they were asked, by the capture's clock: neither good nor bad",
        ),
        Column(
            "one_sided",
            Kind.BOOL,
            "packets of one direction only, which show that the other direction was there",
        ),
        Column("transaction_buckets", Kind.INT16_LIST, "histogram of request-to-response times: buckets"),
        Column("transaction_counts", Kind.UINT32_LIST, "and the samples in each"),
        Column(
            "server_time_buckets",
            Kind.INT16_LIST,
            "histogram of transaction times less the shortest way to the answering side and back: buckets; none "
            "where that way was not measured in the minute",
        ),
        Column("server_time_counts", Kind.UINT32_LIST, "and the samples in each"),
    ),
    stored=True,
)
