"""Purdue levels: which pairs of zones must not talk without a stop in between."""

from __future__ import annotations

from typing import Final

from policy.model import Zone

#: From here up is the office.
OFFICE: Final = 4.0
#: From here down is control.
CONTROL: Final = 2.0


def skips_level(one: Zone, other: Zone) -> bool:
    """One zone is at level 4 or above, the other at 2 or below: between them belongs a DMZ."""
    low, high = sorted((one.purdue, other.purdue))
    return high >= OFFICE and low <= CONTROL
