"""Q7: Sparkplug out of order."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any, Final, cast

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.in_order import InOrder
from analyzers.detections.mqtt_rows import mqtt
from analyzers.detections.rows import violations_of
from analyzers.detections.sparkplug_order import EdgeNode
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.violations import ROW, added_up
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
        It has no threshold. Switch it off where a node's program is known to count wrongly. Messages wait two minutes
        for earlier ones that are still under way, `detections.kept` of them at most; those that come later still are
        left out, and counted.
    """

    id = "Q7"
    title = "Sparkplug messages out of order"
    base_severity = 3
    reads = ("mqtt",)
    possible_techniques = ("T0856",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._nodes: dict[tuple[Any, ...], EdgeNode] = {}
        self._messages = InOrder(self.settings.kept)
        self._gathered = Gathered()
        self._without_room = 0

    @property
    def evicted(self) -> int:
        """Messages that came too late to be put in order, or of nodes that there was no room for."""
        return self._messages.late + self._without_room

    def feed(self, traffic: Traffic) -> None:
        """Take one batch: what can have nothing before it any more is judged."""
        by_node = pl.col("direction") == "client_to_broker"
        # What the broker publishes is a copy, but for the death of a client that it lost: the will.
        of_broker = ~by_node & (pl.col("sparkplug_type") == "ndeath")
        rows = traffic.mqtt.filter(
            pl.col("sparkplug_type").is_in(_TYPES) & (by_node | of_broker) & ~pl.col("dup")
        )
        made = mqtt(rows, "publish", what=pl.col("sparkplug_node")).select(*_KEPT)
        newest = traffic.mqtt["ts"].dt.epoch("ns").max()
        self._messages.add(made, cast("int | None", newest))
        if (over := self._messages.take()) is not None:
            self._without_room += over.height - self._with_room(over).height
            self._gathered.add(self._broken(self._with_room(over), self._nodes))

    def violations(self) -> pl.DataFrame:
        """Messages that are not what was due, each judged by those that were sent before it, as it looks now."""
        if (waiting := self._messages.waiting()) is None:
            return self._gathered.all()
        waiting = self._with_room(waiting)
        told_of = waiting.select(_NODE).unique().iter_rows()
        nodes = {key: deepcopy(self._nodes[key]) for key in told_of if key in self._nodes}
        return added_up(self._gathered.all(), self._broken(waiting, nodes))

    def _with_room(self, messages: pl.DataFrame) -> pl.DataFrame:
        """Messages, in order, of nodes that are followed or that there is room for."""
        keys = messages.select(_NODE).unique(maintain_order=True)
        fresh = [key for key in keys.iter_rows() if key not in self._nodes]
        beyond = fresh[max(_NODES_LIMIT - len(self._nodes), 0) :]
        if not beyond:
            return messages
        unknown = pl.DataFrame(beyond, schema={name: keys.schema[name] for name in _NODE}, orient="row")
        return messages.join(unknown, on=_NODE, how="anti", maintain_order="left")

    @staticmethod
    def _broken(messages: pl.DataFrame, nodes: dict[tuple[Any, ...], EdgeNode]) -> pl.DataFrame:
        """Follow the messages, in order, with these nodes; those that are not what was due: VIOLATION."""
        told = [_follow(row, nodes) for row in messages.select(*_NODE, *_READ).iter_rows(named=True)]
        broken = messages.with_columns(broken=pl.Series(told, dtype=pl.String)).filter(pl.col("broken") != "")
        return violations_of(broken, _text())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Which node, how often, and the first of it."""
        return (
            f"Edge node {violation['what']} sent {violation['count']} messages that were not what was due, first: "
            f"{violation['examples'][0]['text']} (Sparkplug 3.0, 5 and 6.4)."
        )


def _follow(row: Mapping[str, Any], nodes: dict[tuple[Any, ...], EdgeNode]) -> str:
    node = nodes.setdefault(tuple(row[name] for name in _NODE), EdgeNode())
    if row["direction"] != "client_to_broker":
        node.lost(row["sparkplug_bd_seq"])
        return ""
    if row["after_gap"]:
        node.forget()
    return node.heard(
        row["sparkplug_type"], row["sparkplug_device"], row["sparkplug_seq"], row["sparkplug_bd_seq"]
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


@cache
def _text() -> pl.Expr:
    return pl.format("{}: {}", "topic", "broken")
