"""RA-03: A session of remote access that no approval covers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from policy.checks.base import AccessCheck
from policy.hours import local_text
from policy.zoning import CompiledSite

#: Approvals that are told.
_SHOWN: Final = 4


class Unapproved(AccessCheck):
    """A session of remote access that no approval covers.

    Reports
        A session by a remote access rule with `approval: required` for which the policy has no approval of that
        rule that holds from the session's first packet to its last payload.

    Why it matters
        An approval is how somebody who runs the plant knows that a stranger works on it now. Without one
        nobody watches, and nobody can say afterwards whether it was wanted.

    Example
        The vendor comes in on Thursday morning, within the window; the approval was for Wednesday.

    Do not be fooled by
        Tickets that reach the policy late: replay the capture under the policy that has them, or import them
        (`geophone approvals import`). A visit that
        outlasts its approval by minutes.
    """

    id = "RA-03"
    title = "a session of remote access that nobody approved"
    base_severity = 4
    references = ("SR 1.13 RE1", "CIP-005 R2.4")

    def broken(self, site: CompiledSite, visits: pl.DataFrame) -> pl.DataFrame:
        """Visits without an approval, where the rule requires one."""
        wanting = [rule.id for rule in site.site.remote_access if rule.approval == "required"]
        alone = visits.filter(pl.col("rule").is_in(wanting) & (pl.col("approval") == ""))
        return alone.select("visit", what=pl.lit(""), text=pl.lit("no approval covers all of it"))

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The rule that wants an approval, and those that there are."""
        rule = self.rule_of(site, violation)
        zone = ZoneInfo(site.site.tz)
        near = [
            f"{one.ref} from {local_text(one.start_ns, zone)} to {local_text(one.end_ns, zone)}"
            for one in site.site.approvals
            if one.rule == rule.id
        ][:_SHOWN]
        known = f"The policy has {', '.join(near)}" if near else "The policy has none for this rule"
        if imported := site.evidence.count_of(rule.id):
            known += f", and {imported:,} imported ones do not cover it"
        first = local_text(violation["first_ns"], zone)
        return (
            f"Every session by rule {rule.id} needs an approval, and none covers this one, which began at {first}: "
            f"{self.seen(violation)}. {known}."
        )
