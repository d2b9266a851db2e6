"""Rows as they come in; the same rows out as they happened, however they were cut into batches.

The decoder writes a transaction when it is over: one that waits for its answer comes after others that began later,
by as long as the engine lets it wait. So rows are held until nothing earlier can come any more.
"""

from __future__ import annotations

from typing import Final

import polars as pl

#: Rows are held for so long: twice what the engine lets a Modbus request or an MQTT delivery wait for its answer
#: (`modbus_pending_s`, `mqtt_pending_s`).
HELD_NS: Final = 120_000_000_000


class InOrder:
    """Holds rows with `ts_ns` and `frame`, in bounds.

    Of one time the earlier frame is first, and in one frame what the decoder wrote first: it writes the same order
    however it is cut.
    """

    def __init__(self, limit: int, frame: str = "frame") -> None:
        """At most `limit` rows wait; of more, the earliest are let go before their time. `frame`: its column."""
        self._by = ["ts_ns", frame]
        self._limit = limit
        self._held: list[pl.DataFrame] = []
        self._newest_ns = 0
        self._let_go_ns = 0
        #: Rows that came after later ones had been let go: they are in no order, and left out.
        self.late = 0

    def add(self, rows: pl.DataFrame, newest_ns: int | None) -> None:
        """Take rows; `newest_ns` is when the latest row of their table was, these or others; None without any."""
        self._newest_ns = max(self._newest_ns, newest_ns or 0)
        in_time = rows.filter(pl.col("ts_ns") >= self._let_go_ns)
        self.late += rows.height - in_time.height
        if in_time.height:
            self._held.append(in_time)

    def take(self) -> pl.DataFrame | None:
        """Rows before which nothing can come any more, in order, each once; None where there are none."""
        waiting = self.waiting()
        if waiting is None:
            return None
        is_over = waiting["ts_ns"] < self._newest_ns - HELD_NS
        count = max(int(is_over.sum()), waiting.height - self._limit)
        if count <= 0:
            return None
        over, left = waiting[:count], waiting[count:]
        self._held = [left] if left.height else []
        self._let_go_ns = int(over["ts_ns"][-1])
        return over

    def waiting(self) -> pl.DataFrame | None:
        """Rows that are held, in order; None where there are none."""
        if not self._held:
            return None
        self._held = [pl.concat(self._held).sort(self._by, nulls_last=True, maintain_order=True)]
        return self._held[0]
