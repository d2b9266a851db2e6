"""O8: an OPC UA method that was not called before."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import polars as pl

from analyzers.detections.learned import NewDetection
from analyzers.detections.opcua_rows import call_text, opcua_nodes
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_OBJECTS_SHOWN: Final = 4


class OpcUaNewCall(NewDetection):
    """An OPC UA call of a method not seen before.

    Reports
        Methods that a client calls (service Call) and that the baseline does not know it to call on that server,
        whatever became of the call and whoever else calls them; one finding a conversation, counted by methods. In
        encrypted channels it sees nothing. Without a baseline it finds nothing, and the report says so.

    Why it matters
        A method does something: it starts, stops, loads, resets. What nobody called in weeks of work is either a rare
        duty or somebody trying what there is.

    Benign causes
        Duties of once a year; alarms acknowledged from another station; a new version of the client.

    Evidence
        The calls with method, object, frame and answer.

    How to tune
        Accept the method with who and why (`geophone baseline accept`), or learn for longer (`baseline.learn_for`). A
        change window lowers the severity and tags it.
    """

    id = "O8"
    title = "an OPC UA call of a method not seen before"
    base_severity = 4
    reads = ("opcua",)
    techniques = ("T0871",)
    fact = "opcua.call"
    by = ("client_ip", "server_ip", "server_port", "what")

    def seen(self, traffic: Traffic) -> tuple[pl.DataFrame, pl.Expr]:
        """Calls, a row a method."""
        return opcua_nodes(traffic.opcua, "Call", "call"), _text()

    def because(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often, and the first of it."""
        return (
            f"The client called methods {violation['count']} × that it is not known to call, first: "
            f"{violation['examples'][0]['text']}."
        )


@cache
def _text() -> pl.Expr:
    objects = pl.col("objects").list.head(_OBJECTS_SHOWN).list.join(", ")
    return pl.format("{}, objects {}", call_text(), objects)
