"""Captures in, what they teach out; what `geophone baseline` does with it."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.baseline.comparing import Baseline
from analyzers.baseline.learning import Learner
from analyzers.conversations import Conversations
from geophone import __version__
from policy.baseline_settings import BaselineSettings
from policy.loader import LoadedPolicy
from policy.zoning import compile_site
from sensors.capture import Capture
from sensors.engine import EngineLimits, decode


def learn(
    captures: Sequence[Capture],
    policy: LoadedPolicy,
    *,
    min_count: int | None = None,
    limits: EngineLimits | None = None,
) -> Baseline:
    """What whole captures teach, one after the other; `min_count` in place of the policy's."""
    site = compile_site(policy.site)
    settings = policy.site.baseline or BaselineSettings()
    learner = Learner(site, settings)
    for capture in captures:
        conversations = Conversations(site)
        with decode(capture, limits=limits) as run:
            for batches in run:
                learner.feed(conversations.enrich(batches))
        capture.refuse_changed()
    learned = learner.learned()
    return Baseline(
        site=policy.site.id,
        policy_sha256=policy.sha256,
        version=__version__,
        min_count=settings.min_count if min_count is None else min_count,
        captures=tuple(capture.sha256 for capture in captures),
        facts=learned.facts,
        left_out=learned.left_out,
    )
