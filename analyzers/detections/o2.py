"""O2: a password in clear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.detections.base import RowDetection
from analyzers.detections.opcua_rows import ACTIVATES, call_text, opcua
from analyzers.detections.rows import violations_of
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class OpcUaClearPassword(RowDetection):
    """An OPC UA password or token in clear.

    Reports
        ActivateSession with a password or token that is not encrypted, on a channel that is not either. The secret
        itself is never kept, shown or stored.

    Why it matters
        Whoever sees the network has the password from now on, and with it the user's rights.

    Benign causes
        None: even where it is meant, the password is lost.

    Evidence
        The frames of the calls, and whether the server let the user in.

    How to tune
        It has no threshold. Give the endpoint a security policy, or its user token one; change the password.
    """

    id = "O2"
    title = "an OPC UA password in clear"
    base_severity = 4
    reads = ("opcua",)
    techniques = ("T0859",)

    def found(self, traffic: Traffic) -> pl.DataFrame:
        """Activations with a secret in clear."""
        rows = traffic.opcua.filter(ACTIVATES & (pl.col("secret") == "clear"))
        return violations_of(opcua(rows, "session"), call_text())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often; the secret is not told."""
        return (
            f"A password or token crossed the network in clear {violation['count']} ×. It is not kept here; whoever "
            "could see these frames has it."
        )
