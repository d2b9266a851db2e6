"""M15: readings that stand still."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.modbus_rows import PAIR, modbus
from analyzers.detections.poll_numbers import ASKED, READS, PollNumbers
from analyzers.detections.rows import violations_of
from analyzers.detections.stretches import Stretches
from policy.traffic import Traffic
from policy.violations import MINUTE_NS, NO_VIOLATIONS, VIOLATION
from policy.zoning import CompiledSite

#: Readings of different values that are watched; what comes later finds no room.
_POLLS_LIMIT: Final = 20_000

#: What is kept of the first reading of a stretch: enough to tell of it.
_KEPT: Final = (
    *("ts", *PAIR, "unit", "function", "address", "quantity", "values_read", "ip_proto"),
    *("client_zone", "server_zone", "conduit", "role_source", "request_frame", "response_frame", "after_gap"),
)


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
    reads = ("modbus",)
    possible_techniques = ("T0832",)
    remembered_h = 24
    #: A stretch that goes on began long ago.
    settles = False

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        least = self.settings.M15
        self._numbers = PollNumbers(_POLLS_LIMIT)
        self._stretches = Stretches(
            (pl.col("changes") >= least.changes)
            & (pl.col("readings") >= least.readings)
            & (pl.col("readings") > least.times * pl.col("longest"))
        )
        self._over: list[pl.DataFrame] = []

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = traffic.modbus
        if rows.is_empty():
            return
        reads = pl.col("function").is_between(READS[0], READS[-1]) & (pl.col("outcome") == "answered")
        at = rows.select(pl.arg_where(reads & (pl.col("values_read").list.len() > 0))).to_series()
        place = self._numbers.of(rows.select(ASKED)[at])
        watched = np.flatnonzero(place >= 0)
        # Poll by poll, and in their order within each.
        order = watched[np.argsort(place[watched], kind="stable")]
        self._over += self._stretches.add(
            rows.select(_KEPT), at.to_numpy()[order].astype(np.int64), place[order]
        )

    def settle(self, before_ns: int) -> None:
        """Forget the stretches of hosts whose last one was over before."""
        if self._over:
            over, ends = pl.concat(self._over), list(PAIR)
            late = over.filter(pl.col("until_ns") >= before_ns)
            self._over = [over.join(late, on=ends, how="semi", maintain_order="left")]

    def violations(self) -> pl.DataFrame:
        """Stretches that were too long, the one that goes on too."""
        told = [*self._over, *self._stretches.open()]
        rows = pl.concat(told) if told else pl.DataFrame()
        if rows.is_empty():
            return NO_VIOLATIONS
        stretches = modbus(rows, "read", what=pl.format("unit {}", "unit")).with_columns(last_ns="until_ns")
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
        counts = stretches.group_by(
            "client_ip", "server_ip", "server_port", "what", minute=pl.col("ts_ns") // MINUTE_NS * MINUTE_NS
        ).agg(readings=pl.col("readings").sum().cast(pl.UInt64))
        keys = ["client_ip", "server_ip", "server_port", "what", "minute"]
        return found.join(counts, on=keys, how="left").with_columns(count="readings").select(*VIOLATION)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many readings, and what was usual before."""
        return (
            f"Values that used to change from reading to reading were the same {violation['count']} × in a row: "
            f"{violation['examples'][0]['text']}. The answers may be played back, or what makes them hangs."
        )
