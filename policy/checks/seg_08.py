"""SEG-08: traffic across a conduit that its access point did not carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import BatchCheck
from policy.flow_violations import violating_conversations
from policy.judged import AGAINST, DECLARED, Judged
from policy.violations import mac_texts, zone_text
from policy.zoning import CompiledSite

#: No tunnel, or one in which a frame keeps its own MAC addresses.
_WITH_FRAMES: Final = ("none", "erspan", "vxlan", "geneve")


class AroundTheAccessPoint(BatchCheck):
    """A conversation across a conduit that did not go through the conduit's access point.

    Reports
        A conversation between the two zones of a conduit that names its access point in `eap`, in either
        direction, whose frames neither came from one of the access point's MAC addresses nor went to one. On
        any link beside a router one of the two ends of a frame is the router. Links without MAC addresses are
        left out, and so is what came in a tunnel that carries packets and no frames.

    Why it matters
        The access point is where the conduit's rules are held. Traffic that crosses without it went by a second
        network card, a cable between two switches, or a router that nobody declared: no rule was asked.

    Example
        An engineering station has a second network card in the plant's network, and reads a controller through
        it instead of through the firewall.

    Do not be fooled by
        A SPAN port on the far side of a layer-3 switch, which shows that switch's MAC addresses; a firewall
        that was exchanged, or a pair of them with a shared MAC address: name all of them.
    """

    id = "SEG-08"
    title = "a conversation that the conduit's access point did not carry"
    base_severity = 4
    references = ("CIP-005 R1.2",)

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Crossings along a conduit or against it, with MAC addresses, none of which is the access point's."""
        points = pl.DataFrame(
            [
                (conduit.id, int(mac.replace(":", ""), 16))
                for conduit in site.conduits.values()
                for mac in (conduit.eap.macs if conduit.eap else ())
            ],
            schema={"crossed": pl.String, "mac": pl.UInt64},
            orient="row",
        )
        crossed = pl.when(pl.col("conduit") != "").then("conduit").otherwise("reverse_conduit")
        flows = judged.flow_minutes.filter(
            pl.col("relation").is_in([DECLARED, AGAINST])
            & (pl.col("client_mac") != 0)
            & (pl.col("server_mac") != 0)
            & pl.col("tunnel").is_in(_WITH_FRAMES)
        ).with_columns(crossed=crossed)
        flows = flows.filter(pl.col("crossed").is_in(points["crossed"].unique().implode()))
        for side in ("client_mac", "server_mac"):
            flows = flows.join(
                points,
                left_on=["crossed", side],
                right_on=["crossed", "mac"],
                how="anti",
                maintain_order="left",
            )
        note = pl.format(", sent by {} to {}", mac_texts(flows["client_mac"]), mac_texts(flows["server_mac"]))
        return violating_conversations(site, flows, nearest=pl.lit(""), note=note)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The conduit, its access point, and who carried it instead."""
        conduit = site.conduits[violation["conduit"] or violation["reverse_conduit"]]
        point = conduit.eap
        carriers = f"{point.id} ({', '.join(point.macs)})" if point else "its access point"
        _, _, seen = violation["examples"][0]["text"].rpartition(", sent by ")
        return (
            f"Between {zone_text(site, violation['client_zone'])} and {zone_text(site, violation['server_zone'])} only "
            f"{carriers} may carry traffic, as conduit {conduit.id} has it. These frames were sent by {seen}."
        )
