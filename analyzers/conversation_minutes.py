"""Traffic of conversations' minutes in; their sums out, of a bounded number of conversations in each minute.

A conversation costs its forger one packet. In a minute that has more of them than are kept, those that did least are
measured together, as one row of many for every two zones: what the figures of zones and conduits add up stays whole.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers import loss
from analyzers.compact import compact
from analyzers.heaps import Sum
from policy.devices import NOBODY

_OF_MANY: Final = ("minute", "from_zone", "to_zone", "conduit", "ip_proto")
#: Who did most comes first: what was said both ways, then packets; of equals who was first.
_MOST: Final = (
    pl.when((pl.col("_packets_c2s") > 0) & (pl.col("_packets_s2c") > 0))
    .then("data_segments")
    .otherwise(0)
    .alias("said"),
    pl.col("packets"),
)
_ENDS: Final = [name for name in loss.CONVERSATION_KEY if name != "minute"]


class ConversationMinutes:
    """Adds rows of `loss.traffic_rows` up; grows with minutes, and in each with no more conversations than are kept."""

    def __init__(self, kept: int) -> None:
        """`kept`: conversations of a minute that are measured each on its own."""
        self._kept = kept
        self._sum = Sum(loss.summed)
        self._many: pl.DataFrame | None = None
        #: Rows from which on it is looked whether a minute has too many.
        self._looked_at = kept
        #: Conversations of a minute that were measured together with others.
        self.together = 0

    def add(self, rows: pl.DataFrame) -> None:
        """One batch's rows."""
        self._sum.add(rows)
        if self._sum.rows > self._looked_at:
            self._put_together()

    def total(self) -> pl.DataFrame | None:
        """All of them, one row a conversation and minute, and one of many; None where none came."""
        self._put_together()
        total = self._sum.total()
        if total is None or self._many is None:
            return total
        return pl.concat([total, self._many.sort("minute", *_OF_MANY[1:])])

    def _put_together(self) -> None:
        total = self._sum.total()
        if total is None:
            return
        if total.height > self._kept:
            beyond = self._beyond(total)
            if not beyond.is_empty():
                self.together += beyond.len()
                self._many = compact(_added(total[beyond], self._many))
                left = pl.repeat(True, total.height, eager=True).scatter(beyond, False)
                total = compact(total.filter(left))
                self._sum.put(total)
        self._looked_at = max(self._kept, 2 * total.height)

    def _beyond(self, total: pl.DataFrame) -> pl.Series:
        """The places of those rows that there is no room for in their minute."""
        narrow = total.select(*_MOST, *loss.CONVERSATION_KEY, "first_ts", "first_frame").with_row_index("row")
        ordered = narrow.sort(
            "said", "packets", "first_ts", "first_frame", *_ENDS, descending=[True, True, *[False] * 6]
        )
        place = ordered.select(place=pl.int_range(pl.len()).over("minute"))["place"]
        return ordered["row"].filter(place >= self._kept)


def _added(rows: pl.DataFrame, many: pl.DataFrame | None) -> pl.DataFrame:
    """Rows of conversations in; for every minute and two zones one of many out."""
    columns = rows.columns
    together = rows.with_columns(
        client_ip=pl.lit(NOBODY),
        server_ip=pl.lit(NOBODY),
        server_port=pl.lit(0, pl.UInt16),
        service=pl.lit(""),
    ).select(columns)
    everything = together if many is None else pl.concat([many, together])
    return loss.summed(everything, _OF_MANY).select(columns)
