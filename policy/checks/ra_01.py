"""RA-01: A session of remote access that skips the jump host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import AccessCheck
from policy.zoning import CompiledSite

#: Where a visit came from -> in words.
_CAME: Final = {
    "gateway": "it comes straight from the gateway",
    "source": "it comes straight from the visitor's own network",
    "outside": "it comes from outside the plant, and from nowhere that the rule names",
}


class PastTheJumpHost(AccessCheck):
    """A session of remote access that skips the jump host.

    Reports
        A session of Remote Desktop, SSH, VNC and the like, to a machine of the plant, by somebody who is not on
        a jump host of the remote access rule: from the vendor's addresses, from the gateway, or, where the
        machine is a target of a rule, from the office or from no zone at all. An attempt counts too. Rules
        without `intermediate` demand no jump host.

    Why it matters
        The jump host is where a visitor is recorded, where files are looked at, and where a session can be cut.
        Whoever goes past it does what nobody sees.

    Example
        The vendor's engineer opens Remote Desktop from the VPN gateway straight to the engineering station.

    Do not be fooled by
        Engineering inside the plant, which is not remote and not reported. A scanner of the office that looks
        which ports are open.
    """

    id = "RA-01"
    title = "a session of remote access that skips the jump host"
    base_severity = 4
    references = ("SR 1.13", "CIP-005 R2.1")
    techniques = ("T0822", "T0886")

    def broken(self, site: CompiledSite, visits: pl.DataFrame) -> pl.DataFrame:
        """Visits that came from anywhere but a jump host, where the rule wants one."""
        wanting = [rule.id for rule in site.site.remote_access if rule.intermediate]
        past = visits.filter(pl.col("rule").is_in(wanting) & (pl.col("came") != "jump"))
        return past.select(
            "visit",
            what=pl.lit(""),
            text=pl.col("came").replace_strict(_CAME, return_dtype=pl.String),
        )

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Where it came from, and the jump host that it should have."""
        rule = self.rule_of(site, violation)
        return (
            f"Remote access by rule {rule.id} goes through {', '.join(rule.intermediate)}; this session did not: "
            f"{self.seen(violation)}."
        )
