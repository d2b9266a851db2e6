"""Checks, detections and kinds of indicators in; which techniques they cite, asserted or possible, out."""

from __future__ import annotations

from dataclasses import dataclass

from analyzers.detections import DETECTIONS
from analyzers.detections.base import Detection
from analyzers.indicators.kinds import IndicatorKind, kinds_of
from analyzers.techniques import TECHNIQUES
from policy.checks import CHECKS
from policy.checks.base import Check


@dataclass(frozen=True, slots=True)
class Cited:
    """The ids of the checks and detections whose findings name one technique."""

    asserted: tuple[str, ...]
    possible: tuple[str, ...]


def coverage() -> dict[str, Cited]:
    """Every technique that is cited, by id."""
    kinds: tuple[Check | type[Detection] | IndicatorKind, ...] = (
        *CHECKS,
        *DETECTIONS,
        *kinds_of({}).values(),
    )
    found = {
        one: Cited(
            asserted=tuple(kind.id for kind in kinds if one in kind.techniques),
            possible=tuple(kind.id for kind in kinds if one in kind.possible_techniques),
        )
        for one in TECHNIQUES
    }
    return {one: cited for one, cited in found.items() if cited.asserted or cited.possible}
