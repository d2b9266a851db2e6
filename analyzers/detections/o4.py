"""O4: logins refused, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.opcua_rows import ACTIVATES, call_text, opcua
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_SLOTS: Final = 6
#: BadUserAccessDenied, BadIdentityTokenRejected, BadSecurityChecksFailed, without their info bits.
_REFUSALS: Final = (0x801F, 0x8021, 0x8013)


class OpcUaRefusedLogins(Detection):
    """Refused OPC UA logins, one after another.

    Reports
        Within a minute, several activations of a session that the server refused for the user's sake: status
        0x801F, 0x8021 or 0x8013.

    Why it matters
        Passwords are being tried.

    Benign causes
        A client with an old password that tries again by itself, forever.

    Evidence
        The refused calls with their status and frames.

    How to tune
        `detections.O4.per_minute`.
    """

    id = "O4"
    title = "refused OPC UA logins, one after another"
    base_severity = 4
    reads = ("opcua",)
    techniques = ("T0859",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._refused = Bursts(self.settings.O4.per_minute, slots=_SLOTS)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        refused = (pl.col("status").fill_null(0) // 0x10000).is_in(_REFUSALS)
        self._refused.add(opcua(traffic.opcua.filter(ACTIVATES & refused), "session"), call_text())

    def violations(self) -> pl.DataFrame:
        """Minutes that reached the threshold."""
        return self._refused.violations()

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many, and the threshold."""
        return (
            f"The server refused {violation['count']} logins of this client, at least "
            f"{self.settings.O4.per_minute} of them within a minute."
        )
