"""O6: an address space walked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.opcua_rows import call_text, opcua
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_SLOTS: Final = 6
_BROWSES: Final = ("Browse", "BrowseNext")


class OpcUaBrowsing(Detection):
    """An OPC UA server's address space walked.

    Reports
        Within 60 seconds one client browses many nodes of a server.

    Why it matters
        The address space is the plant's drawing: names, limits, what can be written and called.

    Benign causes
        An engineer with a browser; a client that reads the address space whenever it starts.

    Evidence
        The calls with their nodes and frames.

    How to tune
        `detections.O6.nodes`; declare a change window for engineering work.
    """

    id = "O6"
    title = "an OPC UA server's address space walked"
    base_severity = 3
    reads = ("opcua",)
    techniques = ("T0861",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._browsed = Bursts(self.settings.O6.nodes, slots=_SLOTS)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = traffic.opcua.filter(pl.col("service").is_in(_BROWSES))
        by_node = opcua(rows, "browse").with_columns(node=pl.col("nodes")).explode("node")
        self._browsed.add(by_node, call_text(), pl.col("node").fill_null(""))

    def violations(self) -> pl.DataFrame:
        """Walks that reached the threshold."""
        return self._browsed.violations()

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many nodes, and the threshold."""
        return (
            f"The client browsed {violation['count']} nodes, at least {self.settings.O6.nodes} different ones within "
            "60 seconds."
        )
