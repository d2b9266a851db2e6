"""Traffic in; what the detections see in it out, as findings."""

from __future__ import annotations

from collections.abc import Mapping

from analyzers.baseline.comparing import Baseline
from analyzers.baseline.memory import Memory
from analyzers.detections import DETECTIONS
from analyzers.detections.learned import LearnedDetection
from analyzers.findings import Finding, canonical_order
from analyzers.held import held_rows
from analyzers.reporting import Reporter, hours_before
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class Behaviour:
    """Runs every detection that is not switched off on the batches of one capture."""

    def __init__(
        self, site: CompiledSite, policy_sha256: str, version: str, baseline: Baseline | None = None
    ) -> None:
        off = site.site.detections.switched_off
        #: What the detections of something new compare with.
        self.memory = Memory(site, policy_sha256, version, baseline)
        self.running = tuple(
            kind(site, self.memory) if issubclass(kind, LearnedDetection) else kind(site)
            for kind in DETECTIONS
            if kind.id not in off
        )
        self._reporter = Reporter(site, policy_sha256, version)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        compared = self.memory.take(traffic)
        for detection in self.running:
            rows = compared if isinstance(detection, LearnedDetection) else traffic
            # A call on no rows costs as much as one on a thousand, and most networks speak few of the protocols.
            if any(getattr(rows, table).height for table in detection.reads):
                detection.feed(rows)

    @property
    def evicted(self) -> Mapping[str, int]:
        """Sources and servers forgotten for lack of room, by detection; of those alone that forgot any."""
        return {one.id: one.evicted for one in self.running if one.evicted}

    @property
    def kept(self) -> dict[str, int]:
        """Rows that each detection holds in memory."""
        return {detection.id: held_rows(detection) for detection in self.running} | {
            "findings of detections": self._reporter.kept
        }

    def settle(self, now_ns: int) -> None:
        """Of an interface: forget what no later row can change, or what no detection remembers for so long."""
        for detection in self.running:
            before_ns = hours_before(now_ns, detection.remembered_h)
            if detection.settles:
                self._reporter.settle(detection, detection.violations(), before_ns)
            detection.settle(before_ns)

    def finish(self, capture_sha256: str) -> list[Finding]:
        """Every finding of the capture, in canonical order."""
        findings = [
            finding
            for detection in self.running
            for finding in self._reporter.findings(detection, detection.violations(), capture_sha256)
        ]
        return sorted(findings, key=canonical_order)
