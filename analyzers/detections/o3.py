"""O3: a session of nobody in particular."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.detections.base import RowDetection
from analyzers.detections.opcua_rows import ACTIVATES, ANSWERED, call_text, opcua
from analyzers.detections.rows import violations_of
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class OpcUaAnonymousSession(RowDetection):
    """An anonymous OPC UA session.

    Reports
        ActivateSession without a user that the server accepted. In encrypted channels it cannot be seen.

    Why it matters
        The server does not know who reads and writes; neither does anybody who asks afterwards.

    Benign causes
        Servers that give readings to everybody on purpose.

    Evidence
        The frames of the calls.

    How to tune
        It has no threshold. Switch it off where anonymous reading is meant, or turn it off at the servers.
    """

    id = "O3"
    title = "an anonymous OPC UA session"
    base_severity = 2
    reads = ("opcua",)
    possible_techniques = ("T0886",)

    def found(self, traffic: Traffic) -> pl.DataFrame:
        """Activations without a user, accepted."""
        rows = traffic.opcua.filter(ACTIVATES & (pl.col("user_kind") == "anonymous") & ANSWERED)
        return violations_of(opcua(rows, "session"), call_text())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often."""
        return f"The server accepted {violation['count']} × a session without any user."
