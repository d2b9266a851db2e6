"""SEG-12: an expired or ownerless rule in use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from policy.checks.base import BatchCheck
from policy.flow_violations import violating_conversations
from policy.judged import Judged
from policy.model import AllowRule, epoch_ns
from policy.zoning import CompiledSite

EXPIRED: Final = "expired"
OWNERLESS: Final = "ownerless"


class ExpiredRuleInUse(BatchCheck):
    """A conversation that only rules allow which have expired, or which nobody owns.

    Reports
        A conversation that is allowed, but only by rules whose `expires` had come (the day begins at midnight
        in the site's time zone), or only by rules without an `owner`. One rule that still holds and has an
        owner is enough for silence.

    Why it matters
        A rule is a decision with an end. A path that stays open after it is one that nobody looks at any more,
        and whoever uses it will not be missed until something breaks.

    Example
        A rule for a commissioning engineer expired on 30 June; in July the conversation is still there.

    Do not be fooled by
        A renewal that is late: the rule is wanted and its date is not.
    """

    id = "SEG-12"
    title = "a rule in use that has expired or that nobody owns"
    base_severity = 2
    references = ("CIP-005 R1.3",)

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Allowed crossings whose rules have all expired, or all have no owner."""
        flows = judged.flow_minutes.filter("allowed")
        terms = _terms(site, flows["verdict"].unique().drop_nulls())
        flows = flows.join(terms, on="verdict", how="left", maintain_order="left")
        expired = pl.col("first_ts").dt.epoch("ns") >= pl.col("last_expiry_ns")
        parts = [
            violating_conversations(
                site, flows.filter(expired), what=EXPIRED, nearest=pl.col("expired_rule")
            ),
            violating_conversations(
                site, flows.filter("ownerless"), what=OWNERLESS, nearest=pl.col("ownerless_rule")
            ),
        ]
        return pl.concat(parts)

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says which of the two it is."""
        if violation["what"] == OWNERLESS:
            return "a rule in use that nobody owns"
        return "a rule in use that has expired"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The rule, and since when it is no longer wanted."""
        rule, _, term = violation["examples"][0]["nearest"].partition(": ")
        text = f"Conduit {violation['conduit']} allows this conversation by rule {rule}, "
        if violation["what"] == OWNERLESS:
            return text + "for which nobody answers: it has no `owner`. No other rule allows it."
        return text + f"which was {term}. No other rule allows it."


def _terms(site: CompiledSite, verdicts: pl.Series) -> pl.DataFrame:
    """Of each verdict: when the last of its rules expires (null for never), and whether all are ownerless."""
    rows = []
    for number in verdicts:
        rules = [rule.rule for rule in site.rules.verdicts[number].rules]
        last = max(rules, key=lambda rule: _expiry_ns(site, rule) or 0)
        lasting = any(rule.expires is None for rule in rules)
        rows.append(
            (
                number,
                None if lasting else _expiry_ns(site, last),
                f"{last.id}: wanted until {last.expires}",
                not any(rule.owner for rule in rules),
                f"{rules[0].id}: without an owner",
            )
        )
    return pl.DataFrame(
        rows,
        schema={
            "verdict": pl.UInt32,
            "last_expiry_ns": pl.Int64,
            "expired_rule": pl.String,
            "ownerless": pl.Boolean,
            "ownerless_rule": pl.String,
        },
        orient="row",
    )


def _expiry_ns(site: CompiledSite, rule: AllowRule) -> int | None:
    if rule.expires is None:
        return None
    return epoch_ns(datetime.combine(rule.expires, time(), ZoneInfo(site.site.tz)))
