"""The synthetic captures: one file a story, SCENARIOS names them all."""

from __future__ import annotations

from typing import Final

from pcaps.lab.scenarios import conduit_misuse, degraded_link, gap_and_duplicates, normal_shift, shift
from pcaps.lab.scenarios.base import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (
    normal_shift.SCENARIO,
    conduit_misuse.SCENARIO,
    degraded_link.SCENARIO,
    gap_and_duplicates.SCENARIO,
    shift.SCENARIO,
    shift.TWIN,
)
