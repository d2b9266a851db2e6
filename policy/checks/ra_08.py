"""RA-08: the target of remote access opens sessions of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from policy.checks.base import AccessCheck
from policy.hours import local_text
from policy.violations import address_texts
from policy.zoning import CompiledSite


class OnFromTheTarget(AccessCheck):
    """A session that the target of remote access opens to another machine while it is visited.

    Reports
        A session of Remote Desktop, SSH, VNC, SMB and the like that begins on a machine while somebody works on
        it by remote access, to any other machine, where no rule of a conduit allows it. An attempt counts too.

    Why it matters
        A visitor is let in to one machine. From there on nothing but the policy of the plant's own networks
        stands between the visitor and the next one.

    Example
        The vendor works on the engineering station; from there an SSH session goes on to the thickener's server.

    Do not be fooled by
        Servers of files, updates and virus patterns that the machine asks by itself: give them a rule.
    """

    id = "RA-08"
    title = "a session that the target of remote access opens"
    base_severity = 4
    references = ("SR 5.1",)
    techniques = ("T0867", "T0886")
    of_onward = True

    def broken(self, site: CompiledSite, visits: pl.DataFrame) -> pl.DataFrame:
        """All of them."""
        zone = ZoneInfo(site.site.tz)
        begun = [None if at is None else local_text(at, zone) for at in visits["jump_first_ns"]]
        text = pl.format(
            "opened while somebody is on it from {}, since {}",
            address_texts(visits["jump_client_ip"]),
            pl.Series(begun, dtype=pl.String),
        )
        return visits.select("visit", what=pl.lit(""), text=text)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The rule by which somebody was let in, and where it went on to."""
        rule = self.rule_of(site, violation)
        return (
            f"Rule {rule.id} lets a visitor in to one machine; this machine went on to another, and no rule allows it: "
            f"{self.seen(violation)}."
        )
