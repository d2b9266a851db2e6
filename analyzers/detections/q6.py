"""Q6: connections refused, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.mqtt_rows import CONNECTS, connect_text, mqtt
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_SLOTS: Final = 6


class MqttRefusedLogins(Detection):
    """Refused MQTT logins, one after another.

    Reports
        Within a minute, many connections that the broker refused.

    Why it matters
        Names and passwords are being tried, defaults first.

    Benign causes
        A fleet of devices with an old password; a broker whose list of users was lost.

    Evidence
        The refused connections with the broker's reasons and their frames.

    How to tune
        `detections.Q6.per_minute`.
    """

    id = "Q6"
    title = "refused MQTT logins, one after another"
    base_severity = 4
    reads = ("mqtt",)
    techniques = ("T0812",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._refused = Bursts(self.settings.Q6.per_minute, slots=_SLOTS)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = traffic.mqtt.filter(CONNECTS & (pl.col("outcome") == "refused"))
        self._refused.add(mqtt(rows, "connect"), connect_text())

    def violations(self) -> pl.DataFrame:
        """Minutes that reached the threshold."""
        return self._refused.violations()

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many, and the threshold."""
        return (
            f"The broker refused {violation['count']} connections of this client, at least "
            f"{self.settings.Q6.per_minute} of them within a minute."
        )
