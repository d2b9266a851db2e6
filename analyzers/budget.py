"""Error budgets: slots judged in; what was allowed, spent and is left out, in slots and in minutes.

A slot is one thing that can be good or bad: a request for availability, an answer for transaction time. A target of
99.9 % allows one bad slot of a thousand. Everything is exact: counts are whole, shares are fractions, and nothing is
rounded before it is shown. Budgets of parts add up: in any order, the sum of the parts is the budget of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

#: The objective of transaction time: so large a share of the answers is to be within the target.
WITHIN_TARGET: Final = Fraction(99, 100)


def exact(share: float) -> Fraction:
    """A share as it was written, 0.999 as 999/1000, not as the nearest binary number."""
    return Fraction(repr(share))


@dataclass(frozen=True, slots=True)
class Slots:
    """How many slots may be judged, and how many of these were bad. Sums of slots are slots."""

    valid: int = 0
    bad: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.bad <= self.valid:
            raise ValueError(f"{self.bad} bad of {self.valid} slots")

    def __add__(self, other: Slots) -> Slots:
        return Slots(self.valid + other.valid, self.bad + other.bad)

    @property
    def good(self) -> int:
        """How many were good."""
        return self.valid - self.bad

    @property
    def good_share(self) -> Fraction | None:
        """Share of good slots, 0 to 1; None where there was nothing to judge."""
        return Fraction(self.good, self.valid) if self.valid else None


def burn_rate(slots: Slots, target: Fraction) -> Fraction | None:
    """(bad / valid) / (1 - target): 1 spends exactly the budget, 2 twice as fast. None without slots.

    ValueError where the target is not above 0 and below 1: a target of 1 allows nothing, so that no rate spends it.
    """
    if not 0 < target < 1:
        raise ValueError(f"a target of {float(target):.10g}; it is above 0 and below 1")
    return Fraction(slots.bad, slots.valid) / (1 - target) if slots.valid else None


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of one objective over one period.

    In slots it is a share of what was seen so far; in minutes a share of the whole period, of which the minutes
    that were measured spend some. Both are below zero when overspent.
    """

    target: Fraction  #: share of the slots that is to be good
    slots: Slots
    #: minutes of the period; those that were excluded whole are not among them
    period_minutes: int
    #: minutes that were seen, may be judged, and count
    measured_minutes: int

    def __post_init__(self) -> None:
        burn_rate(self.slots, self.target)  # refuses an impossible target

    @property
    def allowed(self) -> Fraction:
        """Slots that may be bad, of those seen."""
        return self.slots.valid * (1 - self.target)

    @property
    def spent(self) -> int:
        """Slots that were bad."""
        return self.slots.bad

    @property
    def left(self) -> Fraction:
        """Slots that may still be bad, of those seen."""
        return self.allowed - self.spent

    @property
    def burn(self) -> Fraction | None:
        """The burn rate over the whole of what was seen: above 1 the target is missed."""
        return burn_rate(self.slots, self.target)

    @property
    def allowed_minutes(self) -> Fraction:
        """Minutes of the period that may be bad."""
        return self.period_minutes * (1 - self.target)

    @property
    def spent_minutes(self) -> Fraction:
        """Minutes lost: of every measured minute, the share of its slots that was bad, taken over all of them."""
        return self.measured_minutes * Fraction(self.slots.bad, max(1, self.slots.valid))

    @property
    def left_minutes(self) -> Fraction:
        """Minutes that may still be bad, to the end of the period."""
        return self.allowed_minutes - self.spent_minutes

    @property
    def left_share(self) -> Fraction | None:
        """Share of the period's budget that is left, at most 1; None where there was nothing to judge."""
        if not self.slots.valid or not self.period_minutes:
            return None
        return self.left_minutes / self.allowed_minutes

    @property
    def lasts_minutes(self) -> Fraction | None:
        """How long what is left lasts at the rate so far; 0 when overspent, None where nothing is being spent."""
        if not self.spent_minutes:
            return None
        return max(Fraction(0), self.left_minutes) / (self.spent_minutes / self.measured_minutes)
