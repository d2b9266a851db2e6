"""RA-06: A session from a jump host to a machine of the plant while nobody is on the jump host by the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import AccessCheck
from policy.prefixes import address_bytes
from policy.zoning import CompiledSite


class BrokenChain(AccessCheck):
    """A session from a jump host to a machine of the plant while nobody is on the jump host by the gateway.

    Reports
        A session from a jump host to a target of a remote access rule whose beginning was seen, while no
        session is live from the rule's gateway (or, where the rule has none, from its sources) to that jump
        host. A session that was last heard two minutes before still counts as live.

    Why it matters
        Then somebody else is on the jump host: at its console, by a way in that is not watched, or a program
        that stayed there.

    Example
        A desktop opens from the jump host to the engineering station; the gateway has no session to the jump
        host at that time.

    Do not be fooled by
        Somebody who sits at the jump host's console. A sensor that does not see the way from the gateway to the
        jump host: then every visit looks so.
    """

    id = "RA-06"
    title = "a session of remote access whose chain is broken"
    base_severity = 4
    references = ("CIP-005 R2.1",)

    def broken(self, site: CompiledSite, visits: pl.DataFrame) -> pl.DataFrame:
        """Visits from a jump host to which no live session leads from where the rule has it."""
        wanting = {
            rule.id: bool(rule.gateway) for rule in site.site.remote_access if rule.gateway or rule.sources
        }
        gateways = pl.Series(
            [
                address_bytes(asset.ip)
                for asset in (site.assets[rule.gateway] for rule in site.site.remote_access if rule.gateway)
                if asset.ip is not None
            ],
            dtype=pl.Binary,
        )
        by_gateway = pl.col("rule").is_in([name for name, has_gateway in wanting.items() if has_gateway])
        led = (
            pl.when(by_gateway)
            .then(pl.col("jump_client_ip").is_in(gateways.implode()).fill_null(value=False))
            .otherwise(pl.col("origin_ip").is_not_null())
        )
        alone = visits.filter(
            pl.col("rule").is_in(list(wanting))
            & (pl.col("came") == "jump")
            & pl.col("is_target")
            & pl.col("opened")
            & ~led
        )
        return alone.select(
            "visit", what=pl.lit(""), text=pl.lit("as it begins, nobody is on the jump host by that way")
        )

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The way that the rule has, and what is missing of it."""
        rule = self.rule_of(site, violation)
        way = f"the gateway {rule.gateway}" if rule.gateway else "the visitor's own network"
        return f"Rule {rule.id} has visitors come to the jump host from {way}: {self.seen(violation)}."
