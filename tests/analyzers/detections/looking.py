"""Rows as the decoder writes them in, the findings of one detection out."""

from __future__ import annotations

from analyzers.behaviour import Behaviour
from analyzers.findings import Finding
from policy.zoning import CompiledSite
from tests.policy.factories import Wire, compiled

MINE = compiled()


def findings(wire: Wire, site: CompiledSite = MINE) -> list[Finding]:
    """Every finding of the detections."""
    behaviour = Behaviour(site, "p" * 64, "0.1.0")
    behaviour.feed(wire.traffic(site))
    return behaviour.finish("c" * 64)


def of(kind: str, wire: Wire, site: CompiledSite = MINE) -> list[Finding]:
    """Those of one detection."""
    return [finding for finding in findings(wire, site) if finding.kind == kind]


def only(kind: str, wire: Wire, site: CompiledSite = MINE) -> Finding:
    """The one finding of a detection."""
    found = of(kind, wire, site)
    assert len(found) == 1, found
    return found[0]
