"""RA-02: A session of remote access outside its window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from policy.checks.base import AccessCheck
from policy.hours import local_text, open_until_ns, window_text
from policy.visits import broken_visits
from policy.zoning import CompiledSite


class OutOfHours(AccessCheck):
    """A session of remote access outside its window.

    Reports
        A session that begins outside the windows of its remote access rule, or that still carries payload after
        the end of the window in which it began. Windows are in the site's time zone, on the site's own days,
        daylight saving included; those that touch are one. A rule without windows is open at any time.

    Why it matters
        Hours are when somebody is there who knows of the visit, sees what it does and can end it.

    Example
        The window ends at noon; the vendor's session begins at half past eleven and goes on until two.

    Do not be fooled by
        The days on which the clocks change. A capture whose clock is off. A desktop that was left open and
        says no more than that it is there: that is payload too.
    """

    id = "RA-02"
    title = "a session of remote access outside its window"
    base_severity = 4
    references = ("SR 2.1",)

    def broken(self, site: CompiledSite, visits: pl.DataFrame) -> pl.DataFrame:
        """Visits that begin in no window, or outlast theirs."""
        zone = ZoneInfo(site.site.tz)
        windows = {rule.id: rule.windows for rule in site.site.remote_access if rule.windows}
        rows = []
        for visit, rule, first_ns, last_ns in visits.select(
            "visit", "rule", "first_ns", "last_ns"
        ).iter_rows():
            if rule not in windows:
                continue
            end_ns = open_until_ns(windows[rule], zone, first_ns)
            begins = f"it begins at {local_text(first_ns, zone)}"
            if end_ns is None:
                rows.append((visit, "", f"{begins}, in no window"))
            elif last_ns >= end_ns:
                late, end = local_text(last_ns, zone), local_text(end_ns, zone)
                rows.append((visit, "", f"{begins} and goes on until {late}; the window ended at {end}"))
        return broken_visits(rows)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The windows, and when it was."""
        rule = self.rule_of(site, violation)
        windows = "; ".join(window_text(window) for window in rule.windows)
        return (
            f"Remote access by rule {rule.id} is allowed {windows} ({site.site.tz}); this session is outside of that: "
            f"{self.seen(violation)}."
        )
