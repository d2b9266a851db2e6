"""Q4: a retained message overwritten or cleared by a new client."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import polars as pl

from analyzers.baseline.facts import mqtt_left
from analyzers.detections.learned import NewDetection
from analyzers.detections.mqtt_rows import CONFIRMED, mqtt, outcome_text, shown
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class MqttRetainedMessageChanged(NewDetection):
    """A retained message overwritten or cleared by a client that never did so.

    Reports
        Publications that the broker is to keep, those without payload that clear what it keeps, and retained wills; on
        a topic where the baseline does not know the client to have left a message with that broker. A topic has one
        retained message, so each of them takes the place of what was there, if anything was. Without a baseline it
        finds nothing, and the report says so.

    Why it matters
        What is retained is handed to everyone who subscribes, for as long as nobody overwrites it: a state or setpoint
        left there once is believed by every station that starts later, and one that was cleared is missed by them.

    Benign causes
        A new device that leaves its state; a station exchanged for a spare; an engineer who tidies the broker up.

    Evidence
        The messages with topic, length and frames, and whether the broker confirmed them; no payload.

    How to tune
        Accept the fact with who and why (`geophone baseline accept`), or learn for longer (`baseline.learn_for`): what
        is left once at each start is seldom seen. A rule's `publish` says who may.
    """

    id = "Q4"
    title = "a retained MQTT message overwritten or cleared by a client that never did so"
    base_severity = 3
    reads = ("mqtt",)
    possible_techniques = ("T0856",)
    fact = "mqtt.retain"
    by = ("client_ip", "server_ip", "server_port", "what")

    def seen(self, traffic: Traffic) -> tuple[pl.DataFrame, pl.Expr]:
        """What clients leave with the broker."""
        left = mqtt(mqtt_left(traffic.mqtt), "publish", what=pl.col("what"), confirmed=CONFIRMED)
        return left, _text()

    def because(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often, and the first of it."""
        return (
            f"The client left or cleared a retained message {violation['count']} × where it is not known to, first: "
            f"{violation['examples'][0]['text']}."
        )


@cache
def _text() -> pl.Expr:
    """What was left in words: `mine-a/setpoint set to 13 bytes, answered`; never the payload."""
    will = pl.col("packet_type") == "connect"
    length = pl.when(will).then("will_bytes").otherwise("payload_bytes").fill_null(0)
    deed = pl.when(length == 0).then(pl.lit("cleared")).otherwise(pl.format("set to {} bytes", length))
    later = pl.when(will).then(pl.lit(" once the client is lost (its will)")).otherwise(pl.lit(""))
    return pl.concat_str(pl.format("{} {}{}", shown("what"), deed, later), outcome_text(), separator=", ")
