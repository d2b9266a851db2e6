"""Traffic in; every finding of it out: what the policy forbids, and what behaves as it should not."""

from __future__ import annotations

from collections.abc import Mapping

from analyzers.baseline.comparing import Baseline
from analyzers.behaviour import Behaviour
from analyzers.conformance import Conformance
from analyzers.findings import Finding, canonical_order
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class Judging:
    """Runs the policy's checks and the detections on the batches of one capture."""

    def __init__(
        self, site: CompiledSite, policy_sha256: str, version: str, baseline: Baseline | None = None
    ) -> None:
        self._behaviour = Behaviour(site, policy_sha256, version, baseline)
        #: What was compared with what usually happens.
        self.memory = self._behaviour.memory
        self._parts = (Conformance(site, policy_sha256, version), self._behaviour)

    @property
    def evicted(self) -> Mapping[str, int]:
        """Who was forgotten for lack of room (`detections.kept`), by detection."""
        return self._behaviour.evicted

    @property
    def kept(self) -> dict[str, int]:
        """Rows held in memory, by who holds them."""
        return {name: rows for part in self._parts for name, rows in part.kept.items()}

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        for part in self._parts:
            part.feed(traffic)

    def settle(self, now_ns: int) -> None:
        """Of an interface that goes on: forget what no later row can change. `now_ns`: up to when rows have come."""
        for part in self._parts:
            part.settle(now_ns)

    def finish(self, capture_sha256: str) -> list[Finding]:
        """Every finding of the capture, in canonical order."""
        findings = [finding for part in self._parts for finding in part.finish(capture_sha256)]
        return sorted(findings, key=canonical_order)
