"""RA-05: More sessions of remote access at once than their rule allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import AccessCheck
from policy.zoning import CompiledSite


class TooManyAtOnce(AccessCheck):
    """More sessions of remote access at once than their rule allows.

    Reports
        A session that begins while as many others of the same rule are live as the rule's `concurrent` allows.
        The one that comes too many is reported, not those that were there. Remote Desktop's datagrams beside
        its connection are the same session.

    Why it matters
        Who lets one visitor in watches one visitor. A second session by the same way is somebody else, or
        somebody who does two things of which one is looked at.

    Example
        One session is allowed; while the first is open on the SCADA server, another begins on the engineering
        station.

    Do not be fooled by
        A session that broke off and was taken up again: until the first one's last packet there are two.
    """

    id = "RA-05"
    title = "a session of remote access beside more than its rule allows"
    base_severity = 3
    references = ("SR 2.7",)

    def broken(self, site: CompiledSite, visits: pl.DataFrame) -> pl.DataFrame:
        """Visits that begin beside as many as the rule allows."""
        allowed = pl.DataFrame(
            [(rule.id, rule.concurrent) for rule in site.site.remote_access if rule.concurrent is not None],
            schema={"rule": pl.String, "concurrent": pl.UInt32},
            orient="row",
        )
        beyond = visits.join(allowed, on="rule", maintain_order="left").filter(
            pl.col("at_once") > pl.col("concurrent")
        )
        return beyond.select(
            "visit",
            what=pl.lit(""),
            text=pl.format("with it there are {} at once, {} allowed", "at_once", "concurrent"),
        )

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many the rule allows, and how many there were."""
        rule = self.rule_of(site, violation)
        return f"Rule {rule.id} allows {rule.concurrent} at once: {self.seen(violation)}."
