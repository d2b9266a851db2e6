"""Batches of a capture in; its part that is to be compared out, and what it is compared with.

With a baseline from a file all of a capture is compared. Without one the first part of it teaches, for as long as the
policy says, and the rest is compared with that. Where neither is, nothing is compared, and that is said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from analyzers.baseline.comparing import Baseline, empty
from analyzers.baseline.learning import Learner
from policy.traffic import TRAFFIC_TABLES, Traffic
from policy.zoning import CompiledSite
from sensors.records import FLOW_MINUTES

#: The moment of a row, where it is not `ts`.
_MOMENT: Final = {FLOW_MINUTES.name: "first_ts"}


class Memory:
    """What the detections compare with."""

    def __init__(
        self, site: CompiledSite, policy_sha256: str, version: str, baseline: Baseline | None = None
    ) -> None:
        self._baseline = baseline
        self._learner: Learner | None = None
        self._learn_for_ns = 0
        settings = site.site.baseline
        if baseline is None and settings is not None:
            self._learner = Learner(site, settings)
            self._learn_for_ns = settings.learn_for_ns
            self._nothing = empty(site.site.id, policy_sha256, version, settings)
        #: The last moment that was looked at, ns; the end of learning, where something is learned.
        self._last_ns = self._until_ns = 0

    @property
    def compares(self) -> bool:
        """There is something to compare with, now or later."""
        return self._baseline is not None or self._learner is not None

    @property
    def settled(self) -> bool:
        """What is compared with will not change: it was given, not learned here."""
        return self._learner is None

    @property
    def baseline(self) -> Baseline | None:
        """What is compared with; None where there is nothing."""
        if self._baseline is None and self._learner is not None:
            learned = self._learner.learned()
            self._baseline = replace(self._nothing, facts=learned.facts, left_out=learned.left_out)
        return self._baseline

    @property
    def taught(self) -> Baseline | None:
        """What the first part taught, once it is over; None before, and where a baseline was given."""
        over = self._learner is not None and self._until_ns and self._last_ns >= self._until_ns
        return self.baseline if over else None

    def take(self, traffic: Traffic) -> Traffic:
        """One batch; learns what is early, and gives what is to be compared: nothing, where there is no baseline."""
        if not self.compares:
            return Traffic.empty()
        self._look(traffic)
        if self._learner is None or traffic.began_ns is None:
            return traffic
        self._until_ns = traffic.began_ns + self._learn_for_ns
        early, late = _split(traffic, self._until_ns)
        if early is not None:
            self._learner.feed(early)
            self._baseline = None
        return late

    def words(self) -> str:
        """What was compared with what, in a sentence."""
        if not self.compares:
            return (
                "No baseline: what is new on the network was not looked for. Learn one (geophone baseline learn) or "
                "give the policy a section `baseline`."
            )
        baseline = self.baseline
        learning = self._learner is not None and (not self._until_ns or self._last_ns < self._until_ns)
        if baseline is None or learning:
            return (
                "Still learning: what is new on the network was not looked for; the policy says for how long."
            )
        left_out = sum(baseline.left_out.values())
        room = f" {left_out:,} rows had no room in it (baseline.facts)." if left_out else ""
        return f"Compared with {baseline.name}: {baseline.facts.height:,} facts.{room}"

    def _look(self, traffic: Traffic) -> None:
        if traffic.began_ns is not None and not self._until_ns:
            self._until_ns = traffic.began_ns + self._learn_for_ns
        for name in TRAFFIC_TABLES:
            rows: pl.DataFrame = getattr(traffic, name)
            if rows.height:
                moment = _MOMENT.get(name, "ts")
                self._last_ns = max(self._last_ns, int(rows[moment].dt.epoch("ns").max() or 0))  # type: ignore[arg-type]


def _split(traffic: Traffic, until_ns: int) -> tuple[Traffic | None, Traffic]:
    """The rows before a moment, None where there are none, and those from it on."""
    early, late = {}, {}
    for name in TRAFFIC_TABLES:
        rows: pl.DataFrame = getattr(traffic, name)
        before = pl.col(_MOMENT.get(name, "ts")).dt.epoch("ns") < until_ns
        early[name], late[name] = rows.filter(before), rows.filter(~before)
    nothing = all(rows.is_empty() for rows in early.values())
    return (
        None if nothing else replace(Traffic.of(**early), began_ns=traffic.began_ns),
        replace(Traffic.of(**late), began_ns=traffic.began_ns),
    )
