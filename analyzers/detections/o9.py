"""O9: alarms turned off."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import polars as pl

from analyzers.detections.base import RowDetection
from analyzers.detections.opcua_rows import ANSWERED, call_text, opcua
from analyzers.detections.rows import violations_of
from policy.traffic import Traffic
from policy.zoning import CompiledSite

#: Methods of OPC 10000-9: Disable of a condition, Suppress of an alarm.
_METHODS: Final = {"i=9028": "disabled", "i=16403": "suppressed"}


class OpcUaAlarmOff(RowDetection):
    """An OPC UA alarm disabled or suppressed.

    Reports
        Calls of the standard's methods Disable (9028) and Suppress (16403), OPC 10000-9. A server may give its own
        objects methods with nodes of their own; those are not known here.

    Why it matters
        Operators are no longer told. It is what comes before doing something they would be told of.

    Benign causes
        Maintenance; alarms that are known to be wrong.

    Evidence
        The calls with their objects and frames.

    How to tune
        It has no threshold. Declare a change window for maintenance.
    """

    id = "O9"
    title = "an OPC UA alarm disabled or suppressed"
    base_severity = 4
    reads = ("opcua",)
    techniques = ("T0838", "T0878")

    def found(self, traffic: Traffic) -> pl.DataFrame:
        """Calls of one of the two methods."""
        named = pl.any_horizontal(pl.col("nodes").list.contains(method) for method in _METHODS)
        rows = traffic.opcua.filter((pl.col("service") == "Call") & named)
        calls = opcua(rows, "call", confirmed=ANSWERED & (pl.col("operations_failed") == 0))
        return violations_of(calls, _text())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What was done, and to which alarm."""
        return (
            f"The client called Disable or Suppress {violation['count']} ×, first: "
            f"{violation['examples'][0]['text']}."
        )


@cache
def _text() -> pl.Expr:
    return pl.format("{}, objects {}", call_text(), pl.col("objects").list.head(4).list.join(", "))
