"""Q7: Sparkplug out of order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.mqtt_rows import mqtt
from analyzers.detections.rows import violations_of
from analyzers.detections.sparkplug_order import EdgeNode
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.violations import ROW
from policy.zoning import CompiledSite

_TYPES: Final = ("nbirth", "ndeath", "dbirth", "ddeath", "ndata", "ddata")
#: Edge nodes that are followed: those that came first.
_NODES_LIMIT: Final = 16_384
_NODE: Final = ("server_ip", "server_port", "sparkplug_group", "sparkplug_node")


class SparkplugOutOfOrder(Detection):
    """Sparkplug sequence numbers, births and deaths that do not follow each other.

    Reports
        An edge node whose sequence numbers leave some out or come twice; a birth that does not begin with 0 or has no
        bdSeq; a death that it publishes of another life than its own; data of a node that is dead, or of a device that
        was not born since its node was. What a gap in the capture touches is left out, as is what began before it.

    Why it matters
        Hosts trust the order: it is how they know that what they show is what the node knows. Who publishes in a
        node's name does not know its number.

    Benign causes
        A client library with a mistake; messages that the node lost while it was offline; two nodes with one name.

    Evidence
        The messages with what was due, and their frames.

    How to tune
        It has no threshold. Switch it off where a node's program is known to count wrongly.
    """

    id = "Q7"
    title = "Sparkplug messages out of order"
    base_severity = 3
    possible_techniques = ("T0856",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._nodes: dict[tuple[Any, ...], EdgeNode] = {}
        self._messages: pl.DataFrame | None = None
        self._gathered = Gathered()
        #: Messages that were followed, and when the last of them was sent.
        self._followed, self._last_ns = 0, 0

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        by_node = pl.col("direction") == "client_to_broker"
        # What the broker publishes is a copy, but for the death of a client that it lost: the will.
        of_broker = ~by_node & (pl.col("sparkplug_type") == "ndeath")
        rows = traffic.mqtt.filter(
            pl.col("sparkplug_type").is_in(_TYPES) & (by_node | of_broker) & ~pl.col("dup")
        )
        if rows.is_empty():
            return
        made = mqtt(rows, "publish", what=pl.col("sparkplug_node")).select(*_KEPT)
        self._messages = made if self._messages is None else pl.concat([self._messages, made])
        self._messages = self._messages.head(_MESSAGES_LIMIT)

    def violations(self) -> pl.DataFrame:
        """Messages that are not what was due, each judged by those that were sent before it."""
        if self._messages is None:
            return self._gathered.all()
        new = self._messages[self._followed :]
        if new.height and new["ts_ns"].min() <= self._last_ns:  # type: ignore[operator]
            # What was sent earlier came later: all over again.
            new, self._nodes, self._gathered = self._messages, {}, Gathered()
        new = new.sort("ts_ns", "frame")
        told = [self._follow(row) for row in new.select(*_NODE, *_READ).iter_rows(named=True)]
        broken = new.with_columns(broken=pl.Series(told, dtype=pl.String)).filter(pl.col("broken") != "")
        self._gathered.add(violations_of(broken, _text()))
        self._followed = self._messages.height
        if new.height:
            self._last_ns = int(new["ts_ns"][-1])
        return self._gathered.all()

    def _follow(self, row: Mapping[str, Any]) -> str:
        key = tuple(row[name] for name in _NODE)
        node = self._nodes.get(key)
        if node is None:
            if len(self._nodes) >= _NODES_LIMIT:
                return ""
            node = self._nodes[key] = EdgeNode()
        if row["direction"] != "client_to_broker":
            node.lost(row["sparkplug_bd_seq"])
            return ""
        if row["after_gap"]:
            node.forget()
        return node.heard(
            row["sparkplug_type"], row["sparkplug_device"], row["sparkplug_seq"], row["sparkplug_bd_seq"]
        )

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Which node, how often, and the first of it."""
        return (
            f"Edge node {violation['what']} sent {violation['count']} messages that were not what was due, first: "
            f"{violation['examples'][0]['text']} (Sparkplug 3.0, 5 and 6.4)."
        )


_READ: Final = (
    "direction",
    "sparkplug_type",
    "sparkplug_device",
    "sparkplug_seq",
    "sparkplug_bd_seq",
    "after_gap",
)

_KEPT: Final = (*ROW, "sparkplug_group", "sparkplug_node", "topic", *_READ)
#: Messages that are kept: those that came first.
_MESSAGES_LIMIT: Final = 1_000_000


def _text() -> pl.Expr:
    return pl.format("{}: {}", "topic", "broken")
