"""MQTT rows in; the numbers that an oracle made with tshark gives for a capture's MQTT, out."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, cast

import polars as pl

from sensors.distribution import Distribution
from sensors.engine import Summary

#: Topics that are told apart: beyond, `topics_distinct` is a lower bound.
TOPICS_KEPT: Final = 100_000

#: Topics shown, first by name.
_TOPICS_SHOWN: Final = 10

#: The oracle gives versions as the protocol level of the CONNECT packet.
_LEVELS: Final = {"3.1": "3", "3.1.1": "4", "5": "5"}


class MqttTally:
    """MQTT packets: a row is a packet, its repetitions, and what answered it."""

    def __init__(self) -> None:
        self._versions: Counter[str] = Counter()
        self._codes: Counter[str] = Counter()
        self._qos: Counter[str] = Counter()
        self._flags: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._sparkplug: Counter[str] = Counter()
        self._topics: set[str] = set()
        self._latency = Distribution()

    def feed(self, rows: pl.DataFrame) -> None:
        """Add the transactions of one call."""
        rows = rows.with_columns(
            pl.col("packet_type", "version", "outcome", "sparkplug_type").cast(pl.String),
            times=pl.col("retries").cast(pl.Int64) + 1,
        )
        connects = rows.filter(pl.col("packet_type") == "connect")
        self._versions.update(_LEVELS.get(version, version) for version in connects["version"])
        codes = rows.filter(pl.col("packet_type").is_in(["connect", "connack"]))["reason_code"].drop_nulls()
        self._codes.update(str(code) for code in codes)
        publications = rows.filter(pl.col("packet_type") == "publish")
        for qos, times in publications.group_by("qos").agg(pl.col("times").sum()).rows():
            self._qos[str(qos)] += times
        flags = publications.select(
            retain=pl.col("times").filter("retain").sum(),
            dup=(pl.col("times") - 1 + pl.col("dup").cast(pl.Int64)).sum(),
        )
        self._flags.update(flags.row(0, named=True))
        room = TOPICS_KEPT - len(self._topics)
        self._topics.update(publications["topic"].unique(maintain_order=True).to_list()[:room])
        self._sparkplug.update(kind for kind in publications["sparkplug_type"] if kind)
        self._outcomes.update(rows["outcome"])
        self._latency.add(rows["latency_ns"].drop_nulls())

    def result(self, summary: Summary) -> dict[str, Any] | None:
        """The MQTT section; None where there was no MQTT."""
        packets = cast(dict[str, int], summary["mqtt_packets"])
        if not packets:
            return None
        by_type = Counter({word.upper(): count for word, count in packets.items()})
        topics = self._topics - {""}
        return {
            "messages": by_type.total(),
            "by_type": ordered(by_type),
            "publish_qos": ordered(self._qos),
            "publish_retain": self._flags["retain"],
            "publish_dup": self._flags["dup"],
            "versions_in_connect": ordered(self._versions),
            "connack_codes": ordered(self._codes),
            "topics_distinct": len(topics),
            "frames_multi_pdu": summary["mqtt_frames_multi_packet"],
            "sparkplug_topics": self._sparkplug.total() - self._sparkplug["state"],
            "sparkplug_types": ordered(self._sparkplug),
            "topics_sample": sorted(topics)[:_TOPICS_SHOWN],
            "answer_time_s": self._latency.seconds(),
            "outcomes": ordered(self._outcomes),
        }


def ordered(counts: Counter[str]) -> dict[str, int]:
    """Most frequent first, ties by name: the oracle's order."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
