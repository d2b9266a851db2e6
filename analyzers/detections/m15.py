"""M15: readings that stand still."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.modbus_rows import modbus
from analyzers.detections.rows import violations_of
from policy.traffic import Traffic
from policy.violations import ROW, VIOLATION
from policy.zoning import CompiledSite

#: What makes two readings ones of the same values.
_POLL: Final = ["client_ip", "server_ip", "server_port", "unit", "function", "address", "quantity"]
_READS: Final = (1, 2, 3, 4)
#: Readings of different values that are watched; what comes later finds no room.
_POLLS_LIMIT: Final = 20_000

#: What is kept of a stretch of readings that are all the same, beside whose they are.
_STRETCH: Final = ["changes", "longest", "readings", "since_ns", "until_ns"]
_KEPT: Final = list(dict.fromkeys([*_POLL, *ROW]))
_OPEN: Final = [*_KEPT, "reading", *_STRETCH]
_OF_OPEN: Final = ["reading", "changes", "longest", "readings", "since_ns", "frame"]
_NO_STRETCH: Final = dict.fromkeys(_STRETCH, pl.lit(None, pl.Int64))


class ModbusFrozenReadings(Detection):
    """Readings that used to vary stand still.

    Reports
        A client's reading of a range of coils or registers whose values used to change, and then are the same, all of
        them, for many readings, and for longer than they ever were within what was seen. It needs no baseline: what
        is usual is learned from the same readings. One value that stands still among others that move is not seen.

    Why it matters
        Who plays back old answers makes operators see a calm process while it is not; a sensor or a program that hangs
        does the same.

    Benign causes
        A process that stops, where values have no noise; a device in simulation; a value that changes rarely.

    Evidence
        The first reading of the stretch with its frame, how many followed, and the longest stretch before.

    How to tune
        `detections.M15.changes`, `detections.M15.readings` and `detections.M15.times`.
    """

    id = "M15"
    title = "readings that used to vary, standing still"
    base_severity = 2
    possible_techniques = ("T0832",)
    remembered_h = 24
    #: A stretch that goes on began long ago.
    settles = False

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        #: A poll's last stretch, with what is needed to tell of it; None before the first reading.
        self._open: pl.DataFrame | None = None
        self._closed: list[pl.DataFrame] = []

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = traffic.modbus.filter(
            pl.col("function").is_in(_READS)
            & (pl.col("outcome") == "answered")
            & (pl.col("values_read").list.len() > 0)
        )
        if rows.is_empty():
            return
        told = modbus(rows, "read", what=pl.format("unit {}", "unit"))
        watched = self._with_room(told.select(*_KEPT, reading="values_read"))
        if watched.is_empty():
            return
        runs = self._runs(watched)
        known = runs.filter(pl.col("place").is_not_null())
        ended = known.filter(pl.col("begins_poll") & (pl.col("run") > 0))
        if self._open is not None:
            self._keep(self._open[ended["place"]])
        self._keep(runs.filter(~pl.col("is_last")).select(_OPEN))
        fresh = runs.filter("is_last").select(_OPEN)
        if self._open is None:
            self._open = fresh
            return
        still = np.ones(self._open.height, dtype=np.bool_)
        still[known["place"].to_numpy()] = False
        self._open = pl.concat([self._open.filter(still), fresh], rechunk=True)

    def settle(self, before_ns: int) -> None:
        """Forget the stretches of hosts whose last one was over before."""
        if self._closed:
            closed, ends = pl.concat(self._closed), ["client_ip", "server_ip", "server_port"]
            late = closed.filter(pl.col("until_ns") >= before_ns)
            self._closed = [closed.join(late, on=ends, how="semi", maintain_order="left")]

    def violations(self) -> pl.DataFrame:
        """Stretches that were too long, the one that goes on too."""
        if self._open is None:
            return pl.DataFrame(schema=VIOLATION)
        stretches = pl.concat([*self._closed, self._frozen(self._open)])
        stretches = stretches.with_columns(ts_ns="since_ns", last_ns="until_ns")
        text = pl.format(
            "function {} unit {}, address {}, quantity {}: {} readings with the same values, {} at most before",
            "function",
            "unit",
            "address",
            "quantity",
            "readings",
            "longest",
        )
        found = violations_of(stretches, text)
        counts = stretches.group_by("client_ip", "server_ip", "server_port", "what", minute=_minute()).agg(
            readings=pl.col("readings").sum().cast(pl.UInt64)
        )
        keys = ["client_ip", "server_ip", "server_port", "what", "minute"]
        return found.join(counts, on=keys, how="left").with_columns(count="readings").select(*VIOLATION)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many readings, and what was usual before."""
        return (
            f"Values that used to change from reading to reading were the same {violation['count']} × in a row: "
            f"{violation['examples'][0]['text']}. The answers may be played back, or what makes them hangs."
        )

    def _keep(self, over: pl.DataFrame) -> None:
        """Of stretches that are over, those that were too long."""
        frozen = self._frozen(over)
        if frozen.height:
            self._closed.append(frozen)

    def _with_room(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of polls that are watched, or that there is room for: poll by poll, with a number for each poll.

        `place` is where the poll is among those that are open; null for a new one.
        """
        polls = rows.select(_POLL).unique(keep="first", maintain_order=True).with_row_index("poll")
        if self._open is None:
            polls = polls.with_columns(place=pl.lit(None, pl.UInt32))
        else:
            known = self._open.select(_POLL).with_row_index("place")
            polls = polls.join(known, on=_POLL, how="left", nulls_equal=True, maintain_order="left")
        room = _POLLS_LIMIT - (self._open.height if self._open is not None else 0)
        new = pl.col("place").is_null()
        polls = polls.filter(~new | (new.cum_sum() <= room))
        numbered = rows.join(polls, on=_POLL, how="inner", nulls_equal=True, maintain_order="left")
        return numbered.sort("poll", maintain_order=True)

    def _runs(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Stretches of equal readings, a row each; `run` is 0 for the one that goes on with what is open, or is new."""
        before = (
            self._open if self._open is not None else rows.clear().select(*_KEPT, "reading", **_NO_STRETCH)
        )
        rows = rows.with_columns(
            before[name].gather(rows["place"]).alias(f"open_{name}") for name in _OF_OPEN
        )
        begins_poll = (pl.col("poll") != pl.col("poll").shift()).fill_null(value=True)
        previous = pl.when(begins_poll).then("open_reading").otherwise(pl.col("reading").shift())
        rows = rows.with_columns(
            begins_poll=begins_poll, changed=(pl.col("reading") != previous).fill_null(value=False)
        )
        changed = rows["changed"].to_numpy()
        begins = np.flatnonzero(changed | rows["begins_poll"].to_numpy())
        ends = np.append(begins[1:], rows.height)
        # Changes of a poll are counted from its first row on.
        poll = rows["poll"].to_numpy()
        of_poll = np.cumsum(changed) - np.maximum.accumulate(
            np.where(rows["begins_poll"].to_numpy(), np.cumsum(changed) - changed, 0)
        )
        runs = rows[begins].with_columns(
            pl.Series("run", of_poll[begins], dtype=pl.Int64),
            pl.Series("readings", ends - begins, dtype=pl.Int64),
            pl.Series("until_ns", rows["ts_ns"].to_numpy()[ends - 1]),
            pl.Series("is_last", np.append(np.diff(poll[begins]) != 0, True)),
            since_ns="ts_ns",
        )
        goes_on = (pl.col("run") == 0) & pl.col("place").is_not_null()
        runs = runs.with_columns(
            readings=pl.col("readings") + pl.when(goes_on).then("open_readings").otherwise(0),
            since_ns=pl.when(goes_on).then("open_since_ns").otherwise("since_ns"),
            frame=pl.when(goes_on).then("open_frame").otherwise("frame"),
        )
        earlier = pl.col("readings").cum_max().shift().over("poll")
        return runs.with_columns(
            changes=pl.col("open_changes").fill_null(0) + pl.col("run"),
            # The stretch that was open is over, unless the first row of this batch goes on with it.
            longest=pl.max_horizontal(
                pl.col("open_longest").fill_null(0),
                earlier.fill_null(0) if len(begins) > runs["poll"].n_unique() else pl.lit(0),
                pl.when(pl.col("run") > 0).then(pl.col("open_readings").fill_null(0)).otherwise(0),
            ),
        )

    def _frozen(self, runs: pl.DataFrame) -> pl.DataFrame:
        """The stretches that are too long."""
        settings = self.settings.M15
        return runs.filter(
            (pl.col("changes") >= settings.changes)
            & (pl.col("readings") >= settings.readings)
            & (pl.col("readings") > settings.times * pl.col("longest"))
        )


def _minute() -> pl.Expr:
    minute_ns = 60_000_000_000
    return pl.col("since_ns") // minute_ns * minute_ns
