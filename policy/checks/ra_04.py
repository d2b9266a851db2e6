"""RA-04: A session of remote access that lasts too long, or stays open while nobody uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import AccessCheck
from policy.hours import length_text, span_ns
from policy.visits import broken_visits
from policy.zoning import CompiledSite

LONG: Final = "long"
IDLE: Final = "idle"


class TooLongOrIdle(AccessCheck):
    """A session of remote access that lasts too long, or stays open while nobody uses it.

    Reports
        A session that lasts longer than `max_session` of its rule, from its first packet to its last payload;
        and one in which the visitor sends nothing for longer than `idle`. Acknowledgements and what the machine
        sends by itself are no use. A session that the flow table cut in two is one.

    Why it matters
        A desktop that was left open is a door that was left open: whoever comes by is already inside, with the
        rights of somebody else.

    Example
        A shell on the SCADA server is silent for forty minutes; the rule allows fifteen.

    Do not be fooled by
        Silence is measured by minutes with traffic and reads low, by two minutes at most. A visitor who only
        watches sends nothing.
    """

    id = "RA-04"
    title = "a session of remote access that is too long or idle for too long"
    base_severity = 3
    references = ("SR 2.5", "SR 2.6")

    def broken(self, site: CompiledSite, visits: pl.DataFrame) -> pl.DataFrame:
        """Visits that are longer than their rule has it, or whose visitor was silent for longer."""
        rules = {rule.id: rule for rule in site.site.remote_access}
        rows = []
        columns = visits.select("visit", "rule", "first_ns", "last_ns", "idle_ns")
        for visit, name, first_ns, last_ns, idle_ns in columns.iter_rows():
            longest, idle = rules[name].max_session, rules[name].idle
            if longest is not None and last_ns - first_ns > span_ns(longest):
                rows.append((visit, LONG, f"it lasts {length_text(last_ns - first_ns)}"))
            if idle is not None and idle_ns > span_ns(idle):
                rows.append((visit, IDLE, f"the visitor is silent for {length_text(idle_ns)}"))
        return broken_visits(rows)

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says which of the two it is."""
        kind = "too long" if violation["what"] == LONG else "idle for too long"
        return f"a session of remote access that is {kind}"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How long the rule allows, and how long it was."""
        rule = self.rule_of(site, violation)
        limit = rule.max_session if violation["what"] == LONG else rule.idle
        allowed = length_text(span_ns(limit)) if limit is not None else "less"
        kind = "last" if violation["what"] == LONG else "be idle for"
        return f"A session by rule {rule.id} may {kind} {allowed} at most: {self.seen(violation)}."
