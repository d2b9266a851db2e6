"""What this version judges: the ids of its policy checks and of its detections."""

from __future__ import annotations

from typing import Final

from analyzers.detections import DETECTIONS
from analyzers.detections.learned import LearnedDetection
from analyzers.sla_kinds import SLA_KINDS
from policy.checks import CHECKS
from policy.operations import OPERATIONS
from policy.services import NAMED_OPERATIONS

#: The check that looks inside a protocol; it has to know the protocol's operations.
_OF_OPERATIONS: Final = "SEG-05"


def judged_ids() -> frozenset[str]:
    """The ids that a finding of this version can have."""
    return frozenset(kind.id for kinds in (CHECKS, DETECTIONS, SLA_KINDS) for kind in kinds)


def judges(id: str, service: str) -> bool:  # noqa: A002 - the catalogue's own word
    """Whether this version can find that, when it is done over this service (the policy's name of it)."""
    if id == _OF_OPERATIONS:
        return service in NAMED_OPERATIONS or any(one.service == service for one in OPERATIONS)
    return id in judged_ids()


def compares(id: str) -> bool:  # noqa: A002 - the catalogue's own word
    """Whether that is found beside a baseline alone."""
    return any(kind.id == id and issubclass(kind, LearnedDetection) for kind in DETECTIONS)
