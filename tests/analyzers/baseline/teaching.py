"""Rows as the decoder writes them in, a baseline of them out."""

from __future__ import annotations

from analyzers.baseline.comparing import Baseline
from analyzers.baseline.learning import Learner
from policy.baseline_settings import BaselineSettings
from policy.zoning import CompiledSite
from tests.policy.factories import Wire, compiled

MINE = compiled()


def taught(*wires: Wire, site: CompiledSite = MINE, min_count: int = 3, facts: int = 20_000) -> Baseline:
    """What these batches of captures teach."""
    learner = Learner(site, BaselineSettings(facts=facts))
    for wire in wires:
        learner.feed(wire.traffic(site))
    learned = learner.learned()
    return Baseline(
        site="mine-a",
        policy_sha256="p" * 64,
        version="0.0",
        min_count=min_count,
        captures=("c" * 64,),
        facts=learned.facts,
        left_out=learned.left_out,
    )
