"""Rings that decode at the same time in; one moment at which all of them number their flows anew out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class NumberedAnew:
    """From here on rows name other flows than before, by the same numbers: none joins with a row before."""


#: What stands between the rows of two numberings.
NUMBERED_ANEW: Final = NumberedAnew()


class Renumbering:
    """Brings the rings of one interface together: none goes on before all have ended what they had numbered.

    While one waits, at most about a second, its ring fills; what finds no room is counted by the kernel.
    """

    def __init__(self, rings: int, announce: Callable[[], None]) -> None:
        self._changed = threading.Condition()
        self._rings, self._announce = rings, announce
        self._waiting = self._times = 0
        self._is_due = False

    @property
    def times(self) -> int:
        """How often flows were numbered anew."""
        return self._times

    @property
    def is_due(self) -> bool:
        """Whether a ring has used up its numbers."""
        return self._is_due

    def ask(self) -> None:
        """A ring has used up its numbers: all are to come together."""
        self._is_due = True

    def meet(self) -> None:
        """A ring has ended what it had numbered: returns when all have, and that was announced."""
        with self._changed:
            times = self._times
            self._waiting += 1
            self._go_on_if_all_wait()
            self._changed.wait_for(lambda: self._times > times)

    def leave(self) -> None:
        """A ring has come to its end: the others need not wait for it."""
        with self._changed:
            self._rings -= 1
            self._go_on_if_all_wait()

    def _go_on_if_all_wait(self) -> None:
        if 0 < self._rings <= self._waiting:
            self._announce()
            self._waiting, self._is_due = 0, False
            self._times += 1
            self._changed.notify_all()
