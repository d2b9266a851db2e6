"""Q3: an MQTT command from a new client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.baseline.facts import mqtt_published
from analyzers.detections.learned import NewDetection
from analyzers.detections.mqtt_rows import CONFIRMED, mqtt, publish_text
from policy.topics import within
from policy.traffic import Traffic
from policy.zoning import CompiledSite

#: Commands to an edge node and to a device of it (Sparkplug 3.0, 6.4).
_COMMANDS: Final = ("ncmd", "dcmd")


class MqttNewCommander(NewDetection):
    """An MQTT command from a client that never gave it.

    Reports
        Publications on command topics, Sparkplug's NCMD and DCMD and those that the policy declares, of a client that
        the baseline does not know to have published on that topic of that broker, whether it was accepted or not.
        Without a baseline it finds nothing, and the report says so.

    Why it matters
        An edge node does what arrives on its command topic and does not see who sent it: whoever the broker lets
        publish there moves the plant.

    Benign causes
        A new or exchanged host application; a device that is commanded for the first time; an engineer who commissions.

    Evidence
        The publications with topic, names of the metrics and frames, and whether the broker confirmed them; no values.

    How to tune
        `detections.Q3.topics` declares command topics beside Sparkplug's. Accept the fact with who and why (`geophone
        baseline accept`), or learn for longer (`baseline.learn_for`). A rule's `publish` says who may.
    """

    id = "Q3"
    title = "an MQTT command from a client that never gave it"
    base_severity = 4
    reads = ("mqtt",)
    techniques = ("T0855",)
    fact = "mqtt.publish"
    by = ("client_ip", "server_ip", "server_port", "what")

    def seen(self, traffic: Traffic) -> tuple[pl.DataFrame, pl.Expr]:
        """Commands that clients sent."""
        commands = self._commands(mqtt_published(traffic.mqtt))
        return mqtt(commands, "publish", what=pl.col("what"), confirmed=CONFIRMED), publish_text()

    def _commands(self, sent: pl.DataFrame) -> pl.DataFrame:
        of_sparkplug = pl.col("sparkplug_type").is_in(_COMMANDS)
        filters = self.settings.Q3.topics
        if not filters or sent.is_empty():
            return sent.filter(of_sparkplug)
        pairs = sent.select(asked="topic").unique().join(pl.DataFrame({"filter": filters}), how="cross")
        declared = pairs.filter(within(pairs))["asked"].unique()
        return sent.filter(of_sparkplug | pl.col("topic").is_in(declared.implode()))

    def because(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often, and the first of it."""
        return (
            f"The client gave {violation['count']} × a command that it is not known to give, first: "
            f"{violation['examples'][0]['text']}."
        )
