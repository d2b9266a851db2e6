"""A capture in; what the product measures of it, by conversation, out. The same analyzers as a replay's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from analyzers import latency, loss, sketch
from analyzers.conversations import Conversations
from analyzers.frames import frame_of
from policy.loader import load
from policy.zoning import compile_site
from sensors.addresses import address_text
from sensors.capture import open_capture
from sensors.engine import Batches, decode
from sensors.records import MODBUS, MQTT, OPCUA

#: Server's address and port.
Service = tuple[str, int]
#: Server's address, protocol and operation, in the words of the lab's clients.
Operation = tuple[str, str, str]

_ANSWERED: Final = ("answered", "exception")
#: Services of OPC UA that the lab's clients ask for, in their words. A subscription is created once.
_OPCUA_WORDS: Final = {
    "Read": "read",
    "Write": "write",
    "Call": "call",
    "Browse": "browse",
    "CreateSubscription": "subscribe",
}


@dataclass(frozen=True, slots=True)
class OneWay:
    """One direction of a service's conversations."""

    data_segments: int
    lost_after_tap: int
    lost_before_tap: int
    packets: int
    duplicates: int


@dataclass(slots=True)
class Measured:
    """What the product says of one capture."""

    #: Median of the path samples, in ns, and how many there were; by service.
    round_trips: dict[Service, tuple[int, int]] = field(default_factory=dict)
    #: By service and direction (`analyzers.loss.DIRECTIONS`).
    ways: dict[tuple[Service, str], OneWay] = field(default_factory=dict)
    asked: Counter[Operation] = field(default_factory=Counter)
    answered: Counter[Operation] = field(default_factory=Counter)
    data_segments: int = 0
    unseen_segments: int = 0
    duplicates: int = 0
    packets: int = 0

    @property
    def capture_loss(self) -> float:
        """Share of the segments that the capture missed, 0 to 1."""
        there = self.data_segments + self.unseen_segments
        return self.unseen_segments / there if there else 0.0


def measure(capture: Path, policy: Path) -> Measured:
    """Decode a capture and measure it. Raises CaptureUnreadable, EngineFault."""
    conversations = Conversations(compile_site(load(policy).site))
    rows: list[pl.DataFrame] = []
    samples: list[pl.DataFrame] = []
    measured = Measured()
    with decode(open_capture(capture)) as run:
        for batches in run:
            traffic = conversations.enrich(batches)
            rows.append(traffic.flow_minutes)
            samples.append(latency.round_trips(traffic.rtt).select("server_ip", "server_port", "rtt_ns"))
            _count_operations(measured, batches)
            _add_coverage(measured, batches)
    if rows:
        measured.ways = _ways(pl.concat(rows))
        measured.round_trips = _round_trips(pl.concat(samples))
    return measured


def _ways(flow_minutes: pl.DataFrame) -> dict[tuple[Service, str], OneWay]:
    found = {}
    for direction in loss.DIRECTIONS:
        sums = flow_minutes.group_by("server_ip", "server_port").agg(
            pl.col(f"data_segments_{direction}").cast(pl.UInt64).sum().alias("data_segments"),
            loss.lost_after_tap(direction).sum().alias("after"),
            loss.lost_before_tap(direction).sum().alias("before"),
            pl.col(f"packets_{direction}").cast(pl.UInt64).sum().alias("packets"),
            pl.col(f"duplicate_packets_{direction}").cast(pl.UInt64).sum().alias("duplicates"),
        )
        for ip, port, *figures in sums.iter_rows():
            found[(address_text(ip), port), direction] = OneWay(*figures)
    return found


def _round_trips(samples: pl.DataFrame) -> dict[Service, tuple[int, int]]:
    found = {}
    by_service = (
        samples.with_columns(sketch.buckets(samples["rtt_ns"]).alias("bucket"))
        .group_by("server_ip", "server_port", "bucket")
        .agg(pl.len().alias("count"))
        .sort("bucket")
        .group_by("server_ip", "server_port", maintain_order=True)
        .agg("bucket", "count")
    )
    for ip, port, buckets, numbers in by_service.iter_rows():
        middle = sketch.percentile(buckets, numbers, 0.5)
        if middle is not None:
            found[address_text(ip), port] = middle, sketch.samples_in(numbers)
    return found


def _count_operations(measured: Measured, batches: Batches) -> None:
    modbus = frame_of(batches, MODBUS).filter(pl.col("outcome") != "orphan")
    _count(measured, "modbus", modbus, pl.col("function").cast(pl.String))
    mqtt = frame_of(batches, MQTT)
    publishes = mqtt.filter(
        (pl.col("packet_type") == "publish") & (pl.col("direction") == "client_to_broker")
    )
    _count(measured, "mqtt", publishes, pl.format("publish qos {}", "qos"))
    for kind in ("connect", "subscribe"):
        _count(measured, "mqtt", mqtt.filter(pl.col("packet_type") == kind), pl.lit(kind))
    opcua = frame_of(batches, OPCUA).filter(
        (pl.col("message_type") == "MSG") & pl.col("service").is_in(list(_OPCUA_WORDS))
    )
    _count(measured, "opcua", opcua, pl.col("service").replace_strict(_OPCUA_WORDS, default=""))


def _count(measured: Measured, protocol: str, rows: pl.DataFrame, operation: pl.Expr) -> None:
    sums = rows.group_by("server_ip", operation.alias("operation")).agg(
        pl.len(), pl.col("outcome").is_in(_ANSWERED).sum().alias("answered")
    )
    for ip, name, asked, answered in sums.iter_rows():
        measured.asked[address_text(ip), protocol, name] += asked
        measured.answered[address_text(ip), protocol, name] += answered


def _add_coverage(measured: Measured, batches: Batches) -> None:
    if (coverage := batches.get("coverage")) is None:
        return
    sums: Mapping[str, int] = pl.DataFrame(coverage).select(pl.col(pl.UInt64).sum()).row(0, named=True)
    measured.data_segments += sums["data_segments"]
    measured.unseen_segments += sums["unseen_segments"]
    measured.duplicates += sums["duplicate_packets"]
    measured.packets += sums["packets"]
