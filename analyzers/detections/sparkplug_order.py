"""Sparkplug messages of one edge node in, in their order; what each should have been out.

Source: Sparkplug 3.0, 6.4 (sequence numbers, bdSeq) and 5 (births and deaths).
"""

from __future__ import annotations

from typing import Final

#: Devices that are remembered of a node: those that came first.
_DEVICES_LIMIT: Final = 4_096
_NUMBERS: Final = 256


class EdgeNode:
    """One edge node at its broker. What it did before the capture is not known, and not held against it."""

    def __init__(self) -> None:
        #: Born or dead; None while neither was seen.
        self._alive: bool | None = None
        #: The number of its latest message, and of its latest birth.
        self._seq: int | None = None
        self._life: int | None = None
        #: Device -> born or dead, since the node's birth.
        self._devices: dict[str, bool] = {}

    def forget(self) -> None:
        """Messages may be missing: what follows is a beginning."""
        self._alive = self._seq = None
        self._devices = {}

    def lost(self, life: int | None) -> None:
        """The broker published the node's death. That of an earlier life is late, not wrong."""
        if life is not None and life == self._life:
            self._alive = False

    def heard(self, kind: str, device: str, seq: int | None, life: int | None) -> str:
        """What is wrong with a message of the node, "" for nothing."""
        if kind == "nbirth":
            return self._born(seq, life)
        if kind == "ndeath":
            return self._died(life)
        wrong = [self._of_number(seq), self._of_life(kind, device)]
        if kind in ("dbirth", "ddeath") and (device in self._devices or len(self._devices) < _DEVICES_LIMIT):
            self._devices[device] = kind == "dbirth"
        return ", ".join(filter(None, wrong))

    def _born(self, seq: int | None, life: int | None) -> str:
        wrong = [] if seq == 0 else [f"a birth with sequence number {seq} instead of 0"]
        if life is None:
            wrong.append("a birth without bdSeq")
        else:
            self._life = life
        self._alive, self._seq, self._devices = True, seq, {}
        return ", ".join(wrong)

    def _died(self, life: int | None) -> str:
        if None not in (life, self._life) and life != self._life:
            return f"the death of life {life}, while the node is in life {self._life}"
        self._alive = False
        return ""

    def _of_number(self, seq: int | None) -> str:
        before, self._seq = self._seq, seq
        if before is None or seq is None or seq == (before + 1) % _NUMBERS:
            return ""
        due = (before + 1) % _NUMBERS
        return f"sequence number {seq} {'again' if seq == before else f'where {due} was due'}"

    def _of_life(self, kind: str, device: str) -> str:
        if self._alive is False:
            return "from a node that is dead"
        if kind != "ddata":
            return ""
        born = self._devices.get(device)
        if born is False:
            return f"data of device {device}, which is dead"
        # Before the node's own birth is seen nobody knows which devices were born.
        return f"data of device {device}, which was not born" if born is None and self._alive else ""
