"""What the user gave to look for beside the policy, rules and indicators: traffic in, their findings out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from analyzers.findings import Finding, canonical_order
from analyzers.frames import frame_of
from analyzers.indicators.indicator import IndicatorSet
from analyzers.indicators.matching import IndicatorRun
from analyzers.reporting import REMEMBERED_H, hours_before
from analyzers.rules.rule import RuleSet
from analyzers.rules.running import RuleRun
from policy.named_files import NamedFile
from policy.traffic import Traffic
from policy.zoning import CompiledSite


@dataclass(frozen=True, slots=True)
class Given:
    """Rules and indicators; both may be empty."""

    rules: RuleSet
    indicators: IndicatorSet
    #: Where they were read from.
    files: tuple[NamedFile, ...] = ()

    @property
    def sha256(self) -> str:
        """What a judgement rests on beside capture, policy and version."""
        return hashlib.sha256(f"{self.rules.sha256} {self.indicators.sha256}".encode()).hexdigest()

    def looking(self, site: CompiledSite, policy_sha256: str, version: str) -> Looking:
        """A look at one capture under one policy."""
        return Looking(self, site, policy_sha256, version)


class Looking:
    """Runs rules and indicators on the batches of one capture."""

    def __init__(self, given: Given, site: CompiledSite, policy_sha256: str, version: str) -> None:
        self._rules = RuleRun(given.rules, site, policy_sha256, version)
        self._indicators = IndicatorRun(given.indicators, site, policy_sha256, version)

    def feed(self, batches: Mapping[str, pa.RecordBatch], traffic: Traffic) -> None:
        """Take one batch, and its rows joined with their conversations."""
        for service in self._rules.services:
            self._rules.feed(service, frame_of(batches, service.table))
        self._indicators.feed(traffic)

    def settle(self, now_ns: int) -> None:
        """Of an interface: forget what no later row can change. `now_ns`: up to when rows have come."""
        before_ns = hours_before(now_ns, REMEMBERED_H)
        self._rules.settle(before_ns)
        self._indicators.settle(before_ns)

    def finish(self, capture_sha256: str) -> list[Finding]:
        """What was found up to now, in canonical order."""
        findings = [*self._rules.finish(capture_sha256), *self._indicators.finish(capture_sha256)]
        return sorted(findings, key=canonical_order)
