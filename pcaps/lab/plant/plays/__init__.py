"""What can be played on the plant, by name."""

from __future__ import annotations

from typing import Final

from pcaps.lab.plant.plays.base import Scenario
from pcaps.lab.plant.plays.faults import FAULTS
from pcaps.lab.plant.plays.people import PEOPLE
from pcaps.lab.plant.plays.tools import TOOLS
from pcaps.lab.problems import LabError

SCENARIOS: Final = (*FAULTS, *PEOPLE, *TOOLS)


def scenario(name: str) -> Scenario:
    """The scenario of that name. LabError where there is none."""
    for one in SCENARIOS:
        if one.name == name:
            return one
    raise LabError(f"there is no scenario {name!r}; there are: {', '.join(one.name for one in SCENARIOS)}")
