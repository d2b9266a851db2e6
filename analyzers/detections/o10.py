"""O10: a server's nodes or history changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import RowDetection
from analyzers.detections.opcua_rows import ANSWERED, call_text, opcua
from analyzers.detections.rows import violations_of
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_CHANGING: Final = ("AddNodes", "DeleteNodes", "AddReferences", "DeleteReferences", "HistoryUpdate")


class OpcUaNodesChanged(RowDetection):
    """OPC UA nodes added or deleted, or history rewritten.

    Reports
        The services AddNodes, DeleteNodes, AddReferences, DeleteReferences and HistoryUpdate, whatever became of
        them. In encrypted channels they cannot be seen.

    Why it matters
        Nodes that come can hide among the plant's; nodes and history that go are evidence, or the plant's memory.

    Benign causes
        Engineering; historians that correct or import values.

    Evidence
        The calls with their nodes and frames.

    How to tune
        It has no threshold. Declare a change window for engineering, or switch it off where a historian writes.
    """

    id = "O10"
    title = "OPC UA nodes added or deleted, or history rewritten"
    base_severity = 4
    reads = ("opcua",)
    possible_techniques = ("T0809",)

    def found(self, traffic: Traffic) -> pl.DataFrame:
        """Calls of the changing services."""
        rows = traffic.opcua.filter(pl.col("service").is_in(_CHANGING))
        confirmed = ANSWERED & (pl.col("operations_failed") == 0)
        return violations_of(opcua(rows, "configure", what=pl.col("call"), confirmed=confirmed), call_text())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Which service, and how often."""
        return f"The client called {violation['what']} {violation['count']} ×."
