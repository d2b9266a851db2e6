"""M15: readings that stand still."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.modbus_rows import modbus
from analyzers.detections.rows import violations_of
from policy.traffic import Traffic
from policy.violations import VIOLATION
from policy.zoning import CompiledSite

#: What makes two readings ones of the same values.
_POLL: Final = ["client_ip", "server_ip", "server_port", "unit", "function", "address", "quantity"]
_READS: Final = (1, 2, 3, 4)
#: Readings of different values that are watched; what comes later finds no room.
_POLLS_LIMIT: Final = 20_000

#: A stretch of readings that are all the same.
_STRETCH: Final = ["readings", "since_ns", "until_ns", "frame"]


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
        told = told.with_columns(reading=pl.col("values_read").cast(pl.List(pl.String)).list.join(","))
        runs = self._runs(self._with_room(told))
        if self._open is not None:
            ended = runs.group_by(_POLL).agg(pl.col("is_first").any())
            ended = ended.filter(~pl.col("is_first")).select(_POLL)
            self._keep(self._open.join(ended, on=_POLL, how="semi"))
        runs = runs.drop("is_first")
        self._keep(runs.filter(~pl.col("is_last")))
        fresh = runs.filter("is_last").drop("is_last")
        if self._open is None:
            self._open = fresh
        else:
            still = self._open.join(fresh, on=_POLL, how="anti")
            self._open = pl.concat([still, fresh.select(still.columns)])

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
        """Rows of polls that are watched, or that there is room for."""
        if self._open is None:
            new = rows.select(_POLL).unique(keep="first", maintain_order=True)
            room = _POLLS_LIMIT
        else:
            new = rows.select(_POLL).unique(keep="first", maintain_order=True)
            new = new.join(self._open, on=_POLL, how="anti", maintain_order="left")
            room = max(_POLLS_LIMIT - self._open.height, 0)
        if new.height <= room:
            return rows
        return rows.join(new.slice(room), on=_POLL, how="anti", maintain_order="left")

    def _runs(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Stretches of equal readings, a row each; the first of a poll goes on with the one that is open."""
        before = self._open
        if before is not None:
            known = before.select(
                *_POLL,
                "changes",
                "longest",
                *(pl.col(name).alias(f"open_{name}") for name in ("reading", *_STRETCH)),
            )
            rows = rows.join(known, on=_POLL, how="left", maintain_order="left")
        else:
            nothing = {"changes": pl.Int64, "longest": pl.Int64, "open_reading": pl.String}
            nothing |= {f"open_{name}": pl.Int64 for name in _STRETCH}
            rows = rows.with_columns(pl.lit(None, kind).alias(name) for name, kind in nothing.items())
        previous = pl.coalesce(pl.col("reading").shift().over(_POLL), "open_reading")
        rows = rows.with_columns(changed=(pl.col("reading") != previous).fill_null(value=False))
        rows = rows.with_columns(run=pl.col("changed").cast(pl.Int64).cum_sum().over(_POLL))
        kept = [name for name in rows.columns if name not in (*_POLL, "run", "ts_ns", "frame", "changed")]
        runs = rows.group_by(*_POLL, "run", maintain_order=True).agg(
            *(pl.col(name).first() for name in kept),
            readings=pl.len().cast(pl.Int64),
            since_ns=pl.col("ts_ns").first(),
            until_ns=pl.col("ts_ns").last(),
            frame=pl.col("frame").first().cast(pl.Int64),
        )
        goes_on = (pl.col("run") == 0) & pl.col("open_reading").is_not_null()
        runs = runs.with_columns(
            readings=pl.col("readings") + pl.when(goes_on).then("open_readings").otherwise(0),
            since_ns=pl.when(goes_on).then("open_since_ns").otherwise("since_ns"),
            frame=pl.when(goes_on).then("open_frame").otherwise("frame"),
        ).sort(*_POLL, "run")
        earlier = pl.col("readings").cum_max().shift().over(_POLL)
        runs = runs.with_columns(
            changes=pl.col("changes").fill_null(0) + pl.col("run"),
            # The stretch that was open is over, unless the first row of this batch goes on with it.
            longest=pl.max_horizontal(
                pl.col("longest").fill_null(0),
                earlier.fill_null(0),
                pl.when(pl.col("run") > 0).then(pl.col("open_readings").fill_null(0)).otherwise(0),
            ),
            is_first=pl.col("run") == 0,
            is_last=pl.col("run") == pl.col("run").max().over(_POLL),
        )
        return runs.drop("run", *(f"open_{name}" for name in ("reading", *_STRETCH)))

    def _frozen(self, runs: pl.DataFrame) -> pl.DataFrame:
        """The stretches that are too long."""
        settings = self.settings.M15
        found = runs.filter(
            (pl.col("changes") >= settings.changes)
            & (pl.col("readings") >= settings.readings)
            & (pl.col("readings") > settings.times * pl.col("longest"))
        )
        return found.drop("is_last", strict=False).with_columns(pl.col("frame").cast(pl.UInt64))


def _minute() -> pl.Expr:
    minute_ns = 60_000_000_000
    return pl.col("since_ns") // minute_ns * minute_ns
