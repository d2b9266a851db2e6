"""Q2: a subscription to everything by a new client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.baseline.facts import mqtt_asked_for
from analyzers.detections.learned import NewDetection
from analyzers.detections.mqtt_rows import mqtt, subscribe_text
from policy.traffic import Traffic
from policy.zoning import CompiledSite

#: Wildcards only, of all topics, of the broker's own or of Sparkplug's, as a shared subscription too (MQTT 5.0, 4.7
#: and 4.8.2).
_EVERYTHING: Final = r"^(?:\$share/[^/]*/)?(?:\$SYS/|spBv1\.0/)?/?(?:\+/)*[+#]$"


class MqttWideSubscription(NewDetection):
    """A subscription to everything by a client that never asked for it.

    Reports
        Topic filters without a name in them: `#`, `$SYS/#`, `spBv1.0/#`, and what is as wide, like `+/#` or a shared
        `#`; of a client that the baseline does not know to have had that filter with that broker, whether the broker
        granted it or not. Without a baseline it finds nothing, and the report says so.

    Why it matters
        One packet asks for all that a plant says from then on, what the broker kept of yesterday included: names,
        values, states. It is how somebody looks around who does not know the plant.

    Benign causes
        A new historian or bridge; an engineer with a browser of topics; monitoring of the broker.

    Evidence
        The subscriptions with their filters and frames, and what the broker answered.

    How to tune
        Accept the filter with who and why (`geophone baseline accept`), or learn for longer (`baseline.learn_for`):
        who connects once a week is seldom seen. A rule's `subscribe` says what a client may ask for.
    """

    id = "Q2"
    title = "an MQTT subscription to everything by a client that never asked for it"
    base_severity = 3
    reads = ("mqtt",)
    techniques = ("T0802",)
    fact = "mqtt.subscribe"
    by = ("client_ip", "server_ip", "server_port", "what")

    def seen(self, traffic: Traffic) -> tuple[pl.DataFrame, pl.Expr]:
        """Filters that name nothing, a row each."""
        wide = mqtt_asked_for(traffic.mqtt).filter(pl.col("what").str.contains(_EVERYTHING))
        return mqtt(wide, "subscribe", what=pl.col("what")), subscribe_text()

    def because(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often it asked, and first for what."""
        return (
            f"The client asked {violation['count']} × for everything, which it is not known to do, first: "
            f"{violation['examples'][0]['text']}."
        )
