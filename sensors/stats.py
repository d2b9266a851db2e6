"""A capture in; the numbers that an oracle made with tshark gives for it, from our own tables, out.

Keys and meanings are the oracle's, so that two answers can be laid side by side. What this decoder does not know
is left out and named in `notes`: a missing number never reads as zero.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any, Final, cast

import polars as pl

from sensors.capture import Capture
from sensors.distribution import Distribution
from sensors.engine import Batches, EngineLimits, Summary, decode
from sensors.flow_list import FlowList
from sensors.mqtt_tally import MqttTally, ordered
from sensors.opcua_counts import OpcUaCounts

#: Modbus units listed: the busiest.
UNITS_LISTED: Final = 20

_TCP: Final = 6
_UDP: Final = 17

#: Counters of the `flows` table, both directions added.
_TCP_COUNTERS: Final = (
    "retransmitted_segments",
    "filled_holes",
    "out_of_order_segments",
    "unseen_segments",
    "duplicate_packets",
)

_NOTES: Final = (
    "tcp.analysis.retransmission: segments sent again, lost after the tap or before it (filled holes)",
    "tcp.analysis: fast and spurious retransmissions, duplicate ACKs, keepalives are not told apart: left out",
    "protocols: frames by application protocol are not counted",
    "malformed_frames: headers up to TCP and UDP that contradict themselves, no application messages",
    "tcp.ack_rtt: the ACK of a FIN is no sample; the ACK of a retransmission, or of data behind a gap, neither",
    "flow_list.stream: Wireshark's number of a flow is not known; flow_id and first_frame are ours",
    "opcua.messages: whole ones; Wireshark counts each chunk, also of a message that is not whole",
    "mqtt.unknown_version_msgs: a version that no CONNECT told is inferred, not counted",
)

_RTT_KINDS: Final = ("handshake_server", "handshake_client", "ack_server", "ack_client")

#: The engine's names of link types and those of capinfos.
_LINK_NAMES: Final = {
    "ethernet": "ether",
    "raw": "rawip",
    "linux_sll": "linux-sll",
    "linux_sll2": "linux-sll2",
    "ipv4": "rawip4",
    "ipv6": "rawip6",
}

_PRECISIONS: Final = {
    "s": "seconds (0)",
    "ms": "milliseconds (3)",
    "us": "microseconds (6)",
    "ns": "nanoseconds (9)",
}

#: Names of the engine's own making among its protocols: Wireshark has none of them.
_OWN_NAMES: Final = ("other", "other_ip")


def stats(path: str | os.PathLike[str] | Capture, *, limits: EngineLimits | None = None) -> dict[str, Any]:
    """Everything countable about a capture, in one pass and bounded memory; durations in seconds.

    Raises CaptureUnreadable and EngineFault.
    """
    tally = _Tally()
    with decode(path, limits=limits) as run:
        for batches in run:
            tally.feed(batches)
        return tally.result(run.capture, run.summary())


class _Tally:
    """What the tables of a run add up to."""

    def __init__(self) -> None:
        self._rtt = {kind: Distribution() for kind in _RTT_KINDS}
        self._all_rtt = Distribution()
        self._handshakes = Distribution()
        self._flows = FlowList()
        self._modbus = _ModbusTally()
        self._opcua = OpcUaCounts()
        self._mqtt = MqttTally()
        self._tcp: Counter[str] = Counter()

    def feed(self, batches: Batches) -> None:
        """Add the tables of one call."""
        if (starts := batches.get("flow_starts")) is not None:
            frame = pl.DataFrame(starts)
            self._tcp["udp_flows"] += frame.filter(pl.col("ip_proto") == _UDP).height
            self._flows.start(frame)
        if (rtt := batches.get("rtt")) is not None:
            samples = pl.DataFrame(rtt).filter(pl.col("kind").cast(pl.String).is_in(_RTT_KINDS))
            for kind, distribution in self._rtt.items():
                distribution.add(samples.filter(pl.col("kind").cast(pl.String) == kind)["rtt_ns"])
            self._all_rtt.add(samples["rtt_ns"])
            self._flows.sample(samples)
        # After the samples: a flow's samples come no later than the row that ends it.
        if (ended := batches.get("flows")) is not None:
            flows = pl.DataFrame(ended)
            self._count_tcp(flows.filter(pl.col("ip_proto") == _TCP))
            self._flows.end(flows)
        if (modbus := batches.get("modbus")) is not None:
            self._modbus.feed(pl.DataFrame(modbus))
        if (opcua := batches.get("opcua")) is not None:
            self._opcua.feed(pl.DataFrame(opcua))
        if (mqtt := batches.get("mqtt")) is not None:
            self._mqtt.feed(pl.DataFrame(mqtt))

    def _count_tcp(self, flows: pl.DataFrame) -> None:
        """Add the counters of ended TCP flows."""
        handshakes = pl.col("handshake_server_rtt_ns") + pl.col("handshake_client_rtt_ns")
        self._handshakes.add(flows.select(handshakes).to_series().drop_nulls())
        sums = flows.select(
            pl.len().alias("flows"),
            (pl.col("syn_frame").is_not_null() | pl.col("syn_ack_frame").is_not_null())
            .sum()
            .alias("flows_with_syn"),
            (pl.col("end_reason").cast(pl.String) == "reused").sum().alias("reused_ports"),
            *(
                pl.sum_horizontal(pl.col(f"{name}_c2s", f"{name}_s2c").sum()).alias(name)
                for name in _TCP_COUNTERS
            ),
        )
        self._tcp.update(sums.row(0, named=True))

    def result(self, capture: Capture, summary: Summary) -> dict[str, Any]:
        """The answer, with what is unknown in `notes`."""
        protocols = cast(dict[str, int], summary["protocols"])
        rounded = any(d.rounded for d in (self._all_rtt, self._handshakes, self._modbus.latency))
        return {
            "file": str(capture.path),
            "ok": True,
            "notes": [*_NOTES, *_flaws(summary), *(["durations are rounded to 0.05 %"] if rounded else [])],
            "capinfo": _capinfo(summary),
            "frames": summary["frames"],
            "protocols": {name: frames for name, frames in protocols.items() if name not in _OWN_NAMES},
            "encaps": summary["encapsulations"],
            "max_vlan_tags": summary["max_vlan_tags"],
            "interfaces_seen": summary["interfaces_seen"],
            "truncated_frames": summary["truncated_frames"],
            "time_goes_back": summary["time_goes_back"],
            "malformed_frames": summary["malformed_frames"],
            "tcp": self._tcp_result(),
            "modbus": self._modbus.result(summary),
            "opcua": self._opcua.result(summary),
            "mqtt": self._mqtt.result(summary),
            "flow_list": self._flows.rows(),
        }

    def _tcp_result(self) -> dict[str, Any]:
        retransmissions = self._tcp["retransmitted_segments"] + self._tcp["filled_holes"]
        return {
            "flows": self._tcp["flows"],
            "flows_with_syn": self._tcp["flows_with_syn"],
            "udp_flows": self._tcp["udp_flows"],
            "analysis": {
                "retransmission": retransmissions,
                "out_of_order": self._tcp["out_of_order_segments"],
                "reused_ports": self._tcp["reused_ports"],
            },
            "retransmissions": retransmissions,
            **{counter: self._tcp[counter] for counter in _TCP_COUNTERS},
            "ack_rtt_s": self._all_rtt.seconds(),
            "ack_rtt_data_server_s": self._rtt["ack_server"].seconds(),
            "ack_rtt_data_client_s": self._rtt["ack_client"].seconds(),
            "handshake_rtt_s": self._handshakes.seconds(),
        }


class _ModbusTally:
    """Modbus messages: a transaction is a request, a response, or both."""

    def __init__(self) -> None:
        self._by_function: Counter[str] = Counter()
        self._exceptions: Counter[str] = Counter()
        self._units: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self.latency = Distribution()

    def feed(self, rows: pl.DataFrame) -> None:
        """Add the transactions of one call."""
        outcome = pl.col("outcome").cast(pl.String)
        requests = rows.filter(pl.col("request_frame").is_not_null()).select(
            pl.format("{} request", "function").alias("message"), "unit"
        )
        is_exception = pl.col("exception_code").is_not_null()
        responses = rows.filter(pl.col("response_frame").is_not_null()).select(
            pl.format(
                "{} {}",
                "function",
                pl.when(is_exception).then(pl.lit("exception")).otherwise(pl.lit("response")),
            ).alias("message"),
            "unit",
        )
        messages = pl.concat([requests, responses])
        self._by_function.update(_counted(messages["message"]))
        self._units.update(_counted(messages["unit"].cast(pl.String)))
        exceptions = rows.filter(is_exception).select(pl.format("fc{} code{}", "function", "exception_code"))
        self._exceptions.update(_counted(exceptions.to_series()))
        self._outcomes.update(_counted(rows.select(outcome).to_series()))
        self.latency.add(rows["latency_ns"].drop_nulls())

    def result(self, summary: Summary) -> dict[str, Any] | None:
        """The Modbus section; None where there was no Modbus."""
        if not self._by_function:
            return None
        return {
            "messages": self._by_function.total(),
            "by_fc": ordered(self._by_function),
            "exceptions": ordered(self._exceptions),
            "units": dict(list(ordered(self._units).items())[:UNITS_LISTED]),
            "frames_multi_pdu": summary["modbus_frames_multi_pdu"],
            "bad_prot_id": summary["modbus_bad_protocol_id"],
            "response_time_s": {"own": self.latency.seconds()},
            "responses_matched": self._outcomes["answered"] + self._outcomes["exception"],
            "responses_unmatched": self._outcomes["orphan"],
            "requests_unanswered": self._outcomes["unanswered"] + self._outcomes["pending"],
        }


def _flaws(summary: Summary) -> list[str]:
    """What of the capture could not be read."""
    flaws = []
    if summary["cut_at_byte"] is not None:
        flaws.append(f"the capture ends early, at byte {summary['cut_at_byte']}: what is before it was read")
    if summary["unread_frames"]:
        flaws.append(f"{summary['unread_frames']} frames of layers that are not decoded")
    return flaws


def _capinfo(summary: Summary) -> dict[str, str]:
    """What the capture says of itself, in the words of capinfos; what it does not say is left out."""
    pcap = summary["format"] == "pcap"
    about = {
        "type": f"{summary['format']}{' (gzip compressed)' if summary['compressed'] else ''}",
        "packets": str(summary["frames"]),
        "snaplen": f"file hdr: {summary['snaplen']} bytes" if pcap else "file hdr: (not set)",
        "in_order": str(summary["time_goes_back"] == 0),
        "interfaces": str(summary["interfaces"]),
    }
    links = list(cast(dict[str, int], summary["link_types"]))
    if links:
        about["encap"] = _LINK_NAMES.get(links[0], links[0]) if len(links) == 1 else "per packet"
    if precision := _PRECISIONS.get(cast(str, summary["ts_resolution"])):
        about["precision"] = precision
        if summary["first_ts_ns"] is not None and summary["time_goes_back"] == 0:
            digits = int(precision[-2])
            duration_ns = cast(int, summary["last_ts_ns"]) - cast(int, summary["first_ts_ns"])
            whole, part = divmod(duration_ns, 10**9)
            about["duration"] = f"{whole}.{part:09d}"[: len(str(whole)) + 1 + digits].rstrip(".") + " seconds"
    return about


def _counted(values: pl.Series) -> dict[str, int]:
    """How often each value comes up."""
    counts = values.alias("value").value_counts(name="times")
    return dict(zip(counts["value"], counts["times"], strict=True))
