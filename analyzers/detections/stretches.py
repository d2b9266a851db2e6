"""Readings poll by poll in; how long each stood still out.

A stretch is a row of readings of one poll that are all the same. What comes over and over is counted in whole numbers;
the decoded row is kept of the first reading of a stretch alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

_Numbers = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]

#: What is known of a stretch beside its first reading: how often the readings had changed, how many were equal in
#: a row at most before, how many are in it, and the time of its last.
COUNTS: Final = ("changes", "longest", "readings", "until_ns")


@dataclass(frozen=True, slots=True)
class _Runs:
    """Equal readings in a row within one batch, poll by poll: an entry each."""

    #: The number of the poll.
    place: _Numbers
    #: The row of the first reading.
    row: _Numbers
    #: It goes on with the stretch that was open before the batch.
    goes_on: _Flags
    #: It is the first of a known poll, and differs from what was open.
    ends_open: _Flags
    is_last: _Flags
    #: COUNTS, what was open included.
    counts: pl.DataFrame


class Stretches:
    """The last stretch of each poll; those before are handed out as they end."""

    def __init__(self, wanted: pl.Expr) -> None:
        """`wanted`: of COUNTS, which stretches are handed out at all."""
        self._wanted = wanted
        #: The first reading of each poll's last stretch, by the poll's number; None as long as there was none.
        self._first: pl.DataFrame | None = None
        self._counts = pl.DataFrame(schema=dict.fromkeys(COUNTS, pl.Int64()))

    def add(self, rows: pl.DataFrame, at: _Numbers, place: _Numbers) -> list[pl.DataFrame]:
        """Take readings; the stretches that ended with them out: the first reading of each, with COUNTS.

        `rows` have `ts` and `values_read`; `at` says which of them to take, `place` the number of the poll of each of
        these. Places ascend, readings of a poll are in order, and new polls go on from those that are known.
        """
        if not len(place):
            return []
        if self._first is None:
            self._first = rows.clear()
        runs = self._runs(self._first, rows, at, place)
        over = self._over(self._first, rows, runs)
        self._go_on(self._first, rows, runs)
        return over

    def open(self) -> list[pl.DataFrame]:
        """The stretches that may go on."""
        return [] if self._first is None else [self._told(self._first, self._counts)]

    def _told(self, first: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
        wanted = counts.select(self._wanted).to_series()
        return first.filter(wanted).hstack(counts.filter(wanted))

    def _runs(self, first: pl.DataFrame, rows: pl.DataFrame, at: _Numbers, place: _Numbers) -> _Runs:
        begins_poll = np.diff(place, prepend=-1) != 0
        begins = np.flatnonzero(begins_poll | _changed(rows, at))
        ends = np.append(begins[1:], len(place))
        of_run = place[begins]
        is_first = begins_poll[begins]
        known = of_run < first.height
        ends_open = is_first & known
        ends_open[ends_open] = ~_equal(first, of_run[ends_open], rows, at[begins[ends_open]])
        before = {name: _padded(self._counts[name].to_numpy(), int(place[-1]) + 1)[of_run] for name in COUNTS}
        goes_on = is_first & known & ~ends_open
        # A run begins with a change, but the first of its poll only where it differs from what was open.
        changes = _within(~is_first | ends_open, is_first)
        readings = ends - begins + np.where(goes_on, before["readings"], 0)
        earlier = _highest_before(readings, is_first)
        open_over = np.where(goes_on, 0, before["readings"])
        counts = pl.DataFrame(
            {
                "changes": before["changes"] + changes,
                "longest": np.maximum.reduce([before["longest"], earlier, open_over]),
                "readings": readings,
                "until_ns": rows["ts"].to_physical().to_numpy()[at[ends - 1]],
            }
        )
        is_last = np.append(is_first[1:], True)
        return _Runs(of_run, at[begins], goes_on, ends_open, is_last, counts)

    def _over(self, first: pl.DataFrame, rows: pl.DataFrame, runs: _Runs) -> list[pl.DataFrame]:
        """Stretches that ended: open ones at once, open ones after some more, and those that began and ended here."""
        over = []
        if runs.ends_open.any():
            at_once = runs.place[runs.ends_open]
            over.append(self._told(first[at_once], self._counts[at_once]))
        inner = ~runs.is_last
        if inner.any():
            went_on, new = np.flatnonzero(inner & runs.goes_on), np.flatnonzero(inner & ~runs.goes_on)
            over.append(self._told(first[runs.place[went_on]], runs.counts[went_on]))
            over.append(self._told(rows[runs.row[new]], runs.counts[new]))
        return [stretches for stretches in over if stretches.height]

    def _go_on(self, first: pl.DataFrame, rows: pl.DataFrame, runs: _Runs) -> None:
        """The last run of each poll is open now."""
        places = runs.place[runs.is_last]
        size = max(first.height, int(places[-1]) + 1)
        counts = {}
        for name in COUNTS:
            counts[name] = _padded(self._counts[name].to_numpy(), size)
            counts[name][places] = runs.counts[name].to_numpy()[runs.is_last]
        self._counts = pl.DataFrame(counts)
        began = runs.is_last & ~runs.goes_on
        of_began = runs.place[began]
        if not len(of_began):
            return
        row_of = np.arange(size)
        row_of[of_began] = first.height + np.arange(len(of_began))
        both = pl.concat([first, rows[runs.row[began]]], rechunk=True)
        # Where all are new polls they are in their places already.
        self._first = both if of_began[0] >= first.height else both[row_of]


def _changed(rows: pl.DataFrame, at: _Numbers) -> _Flags:
    """Whether each reading differs from the one before it."""
    readings = rows["values_read"].gather(at)
    changed: _Flags = (readings != readings.shift()).fill_null(value=True).to_numpy()
    return changed


def _equal(first: pl.DataFrame, places: _Numbers, rows: pl.DataFrame, at: _Numbers) -> _Flags:
    """Whether the reading of each row is that of the stretch that is open."""
    equal: _Flags = (first["values_read"].gather(places) == rows["values_read"].gather(at)).to_numpy()
    return equal


def _padded(numbers: _Numbers, size: int) -> _Numbers:
    """A copy of that length at least, with noughts for what is new."""
    return np.append(numbers, np.zeros(max(0, size - len(numbers)), dtype=np.int64))


def _within(counted: _Flags, is_first: _Flags) -> _Numbers:
    """How many are counted up to each entry since the first one of its group."""
    total = np.cumsum(counted)
    start = np.flatnonzero(is_first)
    return total - (total[start] - counted[start])[np.cumsum(is_first) - 1]


def _highest_before(numbers: _Numbers, is_first: _Flags) -> _Numbers:
    """The highest number before each entry in its group, 0 for the first one. Numbers are not below 0."""
    before = np.where(is_first, 0, np.roll(numbers, 1))
    if is_first.all():
        return before
    # Groups one above the other: what is the highest up to here is then of this group.
    floor = (np.cumsum(is_first) - 1) * (int(before.max()) + 1)
    highest: _Numbers = np.maximum.accumulate(before + floor) - floor
    return highest
