"""Q5: a client id in two places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.mqtt_rows import CONNECTS, connect_text, mqtt
from analyzers.detections.rows import violations_of
from analyzers.detections.seen import FirstTimes
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.zoning import CompiledSite

#: A broker and a client id; `what` is the id.
_BROKER: Final = {"server_ip": pl.Binary(), "server_port": pl.UInt16(), "what": pl.String()}


class MqttClientIdTwice(Detection):
    """One MQTT client id used from two addresses.

    Reports
        Connections under a client id that another address connected with before, to the same broker; or that the
        policy's rules give to other addresses only.

    Why it matters
        The broker closes the first connection and takes the second for it: its subscriptions, its queued messages, its
        name. Whoever publishes so is believed.

    Benign causes
        A station that got another address; a client id left at its default in two devices; a network address
        translator in between.

    Evidence
        The connections with their frames.

    How to tune
        It has no threshold. Give each client its own id; name it in the rule's `client_ids`.
    """

    id = "Q5"
    title = "one MQTT client id used from two addresses"
    base_severity = 3
    reads = ("mqtt",)
    techniques = ("T0849",)
    remembered_h = 24

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._connections = Gathered()
        self._users = FirstTimes({**_BROKER, "client_ip": pl.Binary()})
        self._owners = _owners(site)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = mqtt(
            traffic.mqtt.filter(CONNECTS & (pl.col("client_id") != "")), "connect", what=pl.col("client_id")
        )
        self._users.add(rows, pl.col("ts_ns"))
        self._connections.add(violations_of(rows, connect_text()))

    def violations(self) -> pl.DataFrame:
        """Connections of all but the owners, and where no rule names one of all but the first."""
        users = self._users.all()
        first = users.sort("seen_ns", "client_ip").group_by(*_BROKER, maintain_order=True).first()
        later = users.join(first, on=[*_BROKER, "client_ip"], how="anti").join(
            self._owners, on="what", how="anti"
        )
        owned = users.join(self._owners, on="what", how="semi")
        strange = owned.join(self._owners, on=["what", "client_ip"], how="anti")
        wrong = pl.concat([later, strange]).select(*_BROKER, "client_ip").unique()
        return self._connections.all().join(wrong, on=[*_BROKER, "client_ip"], how="semi")

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Which id, and whose it is."""
        return (
            f"This address connected {violation['count']} × as {violation['what']!r}, which is another address's: "
            "by the policy's rules, or because that one connected so before."
        )


def _owners(site: CompiledSite) -> pl.DataFrame:
    """Client ids that rules give to assets with addresses: `what`, `client_ip`."""
    rows = [
        (client_id, address)
        for conduit in site.site.conduits
        for rule in conduit.allow
        for client_id in rule.client_ids or ()
        for address, asset in site.assets_by_address.items()
        if asset.id in (rule.src or ())
    ]
    return pl.DataFrame(rows, schema={"what": pl.String, "client_ip": pl.Binary}, orient="row")
