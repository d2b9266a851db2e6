"""What this version judges: the ids of its policy checks, and of its detections once it has some."""

from __future__ import annotations

from policy.checks import CHECKS


def judged_ids() -> frozenset[str]:
    """The ids that a finding of this version can have."""
    return frozenset(check.id for check in CHECKS)
