"""Rings number their flows anew together, so that no row of one numbering comes among those of another."""

from __future__ import annotations

import threading

from sensors.renumbering import Renumbering

_PATIENCE_S = 30


class Rings:
    """Rings that have all ended what they numbered, each on a thread of its own."""

    def __init__(self, count: int) -> None:
        self.went_on: list[int] = []
        self.announced: list[list[int]] = []
        self.renumbering = Renumbering(count, lambda: self.announced.append(list(self.went_on)))

    def meet(self, ring: int) -> threading.Thread:
        """One of them has come, and waits for the others."""
        thread = threading.Thread(target=self._meet, args=(ring,), daemon=True)
        thread.start()
        return thread

    def _meet(self, ring: int) -> None:
        self.renumbering.meet()
        self.went_on.append(ring)


def test_none_goes_on_before_all_have_come_and_it_was_announced() -> None:
    rings = Rings(3)
    rings.renumbering.ask()
    first, second = rings.meet(1), rings.meet(2)
    # What waits for ever is not proved by waiting: the two had nobody to let them go on.
    first.join(0.05)
    assert not rings.went_on
    assert not rings.announced
    third = rings.meet(3)
    for thread in (first, second, third):
        thread.join(_PATIENCE_S)
    assert rings.announced == [[]]
    assert sorted(rings.went_on) == [1, 2, 3]
    assert rings.renumbering.times == 1
    assert not rings.renumbering.is_due


def test_a_ring_that_has_come_to_its_end_is_not_waited_for() -> None:
    rings = Rings(2)
    rings.renumbering.ask()
    waiting = rings.meet(1)
    rings.renumbering.leave()
    waiting.join(_PATIENCE_S)
    assert (rings.went_on, len(rings.announced)) == ([1], 1)


def test_rings_that_end_announce_nothing() -> None:
    rings = Rings(2)
    rings.renumbering.leave()
    rings.renumbering.leave()
    assert (rings.announced, rings.renumbering.times) == ([], 0)


def test_a_ring_alone_waits_for_nobody() -> None:
    rings = Rings(1)
    for times in (1, 2, 3):
        rings.renumbering.ask()
        rings.renumbering.meet()
        assert (rings.renumbering.times, len(rings.announced)) == (times, times)
