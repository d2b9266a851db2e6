"""Q1: a password in clear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.detections.base import RowDetection
from analyzers.detections.mqtt_rows import CONNECTS, connect_text, mqtt
from analyzers.detections.rows import violations_of
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class MqttClearPassword(RowDetection):
    """An MQTT password in clear.

    Reports
        A CONNECT with a password in a connection without TLS. The password itself is never kept, shown or stored,
        nor is the user name in the finding.

    Why it matters
        Whoever sees the network has the password from now on, and may publish in its owner's name.

    Benign causes
        None: even where it is meant, the password is lost.

    Evidence
        The frames of the connections, and whether the broker let the client in.

    How to tune
        It has no threshold. Use TLS, and change the password.
    """

    id = "Q1"
    title = "an MQTT password in clear"
    base_severity = 4
    reads = ("mqtt",)
    techniques = ("T0859",)

    def found(self, traffic: Traffic) -> pl.DataFrame:
        """Connections with a password, in clear."""
        return violations_of(
            mqtt(traffic.mqtt.filter(CONNECTS & pl.col("has_password")), "connect"), connect_text()
        )

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often; the password is not told."""
        return (
            f"A password crossed the network in clear {violation['count']} ×. It is not kept here; whoever could see "
            "these frames has it."
        )
