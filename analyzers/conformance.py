"""Traffic in; what violates the policy out, as findings.

The findings depend on the rows only, not on how they are cut into batches: violations are kept by subject and minute,
which can be added in any order, and everything else happens once, at the end.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers.access.visitors import Visitors
from analyzers.crowds import Told
from analyzers.findings import Finding, canonical_order
from analyzers.gathered import Gathered
from analyzers.held import held_rows
from analyzers.reporting import REMEMBERED_H, Reporter, hours_before
from policy.checks import CHECKS
from policy.checks.base import AccessCheck, BatchCheck, CaptureCheck, Check
from policy.judged import judge
from policy.traffic import Traffic
from policy.zoning import CompiledSite

#: A week of visits.
VISITS_REMEMBERED_H: Final = 7 * 24


_OF_VISITS: Final = tuple(check for check in CHECKS if isinstance(check, AccessCheck))


class Conformance:
    """Runs every policy check on the batches of one capture; grows with subjects and minutes, not with rows."""

    def __init__(self, site: CompiledSite, policy_sha256: str, version: str) -> None:
        self._site = site
        self._reporter = Reporter(site, policy_sha256, version)
        self._gathered = {check: Gathered(site) for check in CHECKS if isinstance(check, BatchCheck)}
        self._watches = {check: check.watch(site) for check in CHECKS if isinstance(check, CaptureCheck)}
        self._visitors = Visitors(site)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        for piece in traffic.pieces():
            judged = judge(self._site, piece)
            for check, gathered in self._gathered.items():
                gathered.add(check.violations(self._site, judged))
            for watch in self._watches.values():
                watch.feed(judged)
        self._visitors.feed(traffic)

    @property
    def kept(self) -> dict[str, int]:
        """Rows that each check holds in memory."""
        return {
            **{check.id: held_rows(gathered) for check, gathered in self._gathered.items()},
            **{check.id: held_rows(watch) for check, watch in self._watches.items()},
            "visits": held_rows(self._visitors),
            "findings of checks": self._reporter.kept,
        }

    def settle(self, now_ns: int) -> None:
        """Of an interface: forget what no later row can change."""
        before_ns = hours_before(now_ns, REMEMBERED_H)
        for check, gathered in self._gathered.items():
            self._reporter.settle(check, gathered.told(), before_ns)
            gathered.settle(before_ns)
        for watched, watch in self._watches.items():
            if watch.settles:
                self._reporter.settle(watched, watch.violations(), before_ns)
            watch.settle(before_ns)
        # A visit is told where it begins, and may break its limits days later.
        began_ns = hours_before(now_ns, VISITS_REMEMBERED_H)
        visits = self._visitors.visits()
        for of_visits in _OF_VISITS:
            self._reporter.settle(of_visits, of_visits.violations(self._site, visits), began_ns)
        self._visitors.settle(began_ns)

    def finish(self, capture_sha256: str) -> list[Finding]:
        """Every finding of the capture up to now, in canonical order."""
        visits = self._visitors.visits()
        violations: dict[Check, pl.DataFrame | Told] = {
            **{check: gathered.told() for check, gathered in self._gathered.items()},
            **{check: watch.violations() for check, watch in self._watches.items()},
            **{check: check.violations(self._site, visits) for check in _OF_VISITS},
        }
        findings = [
            finding
            for check, found in violations.items()
            for finding in self._reporter.findings(check, found, capture_sha256)
        ]
        return sorted(findings, key=canonical_order)
