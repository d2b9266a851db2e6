"""Measured minutes in; what an SLA report needs of them out: totals of each conversation, and each minute's slots.

Both are sums: of parts in any order, or of roll-ups, they are the same. The store makes them in SQL
(`store.queries.reported`), a capture on the command line makes them here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from analyzers.periods import Period

#: What makes rows one conversation.
CONVERSATION: Final = (
    "from_zone",
    "to_zone",
    "conduit",
    "client_ip",
    "server_ip",
    "server_port",
    "ip_proto",
    "service",
)
#: Durations with a histogram each: `…_buckets` and `…_counts`.
HISTOGRAMS: Final = ("rtt", "transaction", "server_time")
#: Counts that are added up over the minutes that count.
COUNTS: Final = (
    "data_segments",
    "lost_segments",
    "lost_before_tap",
    "lost_after_tap",
    "lost_client_side",
    "lost_server_side",
    "transactions",
    "good",
    "late",
    "exceptions",
    "unanswered",
    "missed",
    "not_measurable_encrypted",
    "not_measurable_unmatched",
    "not_measurable_clock",
)
#: What a minute is told apart by.
MINUTE: Final = ("minute", "from_zone", "to_zone", "conduit", "valid", "exclusion")

_TEXT: Final = pl.String()
_COUNT: Final = pl.UInt64()
TOTALS_SCHEMA: Final[dict[str, pl.DataType]] = {
    "from_zone": _TEXT,
    "to_zone": _TEXT,
    "conduit": _TEXT,
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "server_port": pl.UInt16(),
    "ip_proto": pl.UInt8(),
    "service": _TEXT,
    **dict.fromkeys(COUNTS, _COUNT),
    **{f"{name}_buckets": pl.List(pl.Int16()) for name in HISTOGRAMS},
    **{f"{name}_counts": pl.List(pl.UInt64()) for name in HISTOGRAMS},
}
MINUTES_SCHEMA: Final[dict[str, pl.DataType]] = {
    "minute": pl.Datetime("ns", "UTC"),
    "from_zone": _TEXT,
    "to_zone": _TEXT,
    "conduit": _TEXT,
    "valid": pl.Boolean(),
    "exclusion": _TEXT,
    "conversations": _COUNT,
    "packets": _COUNT,
    "slots": _COUNT,
    "good": _COUNT,
    "run": _COUNT,
    "one_sided": _COUNT,
}


@dataclass(frozen=True, slots=True)
class CaptureSums:
    """What the captures read and missed in the period; times are ns since the epoch, None where nothing was seen."""

    packets: int = 0
    dropped_packets: int = 0
    unseen_segments: int = 0
    duplicate_packets: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    #: minutes in which they read a packet
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured in a period."""

    totals: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TOTALS_SCHEMA))
    minutes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MINUTES_SCHEMA))
    capture: CaptureSums = field(default_factory=CaptureSums)


def measured(rows: pl.DataFrame, coverage: pl.DataFrame, period: Period) -> Measured:
    """Rows of `sla_minutes` and of `coverage` in, of any time; what was measured in the period out."""
    inside = (pl.col("minute") >= period.start) & (pl.col("minute") < period.end)
    part, read = rows.filter(inside), coverage.filter(inside)
    first, last = part.select(
        pl.col("first_ts").dt.epoch("ns").min(), pl.col("last_ts").dt.epoch("ns").max()
    ).row(0)
    return Measured(
        conversation_totals(part),
        minute_slots(part),
        CaptureSums(
            packets=int(read["packets"].sum()) - int(read["duplicate_packets"].sum()),
            dropped_packets=int(read["dropped_packets"].sum()),
            unseen_segments=int(read["unseen_segments"].sum()),
            duplicate_packets=int(read["duplicate_packets"].sum()),
            first_ns=first,
            last_ns=last,
            minutes=read.filter(pl.col("packets") > 0)["minute"].n_unique(),
        ),
    )


def counted() -> pl.Expr:
    """Of a measured minute: it is in the figures. It may be judged, and no planned change excludes it."""
    return pl.col("valid") & (pl.col("exclusion") == "")


def slots() -> pl.Expr:
    """Of a measured minute: requests that were made or due, and of which it can be told how they ended."""
    return pl.col("transactions") + pl.col("missed")


def conversation_totals(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `sla_minutes` in; one row a conversation out, the sum of its minutes that count: TOTALS_SCHEMA."""
    part = rows.filter(counted())
    totals = part.group_by(CONVERSATION).agg(pl.col(name).cast(_COUNT).sum() for name in COUNTS)
    for name in HISTOGRAMS:
        totals = totals.join(_added(part, name), on=list(CONVERSATION), how="left")
    empty = [pl.col(f"{name}_{what}").fill_null([]) for name in HISTOGRAMS for what in ("buckets", "counts")]
    return totals.with_columns(empty).select(pl.col(n).cast(t) for n, t in TOTALS_SCHEMA.items())


def minute_slots(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `sla_minutes` in; the slots of each minute by zones, conduit and whether they count: MINUTES_SCHEMA.

    `run`: bad slots in a row that one conversation's counts prove (`burn.least_run`); of minutes that count only.
    """
    proven = (slots() // (pl.col("good") + 1)).max()
    return (
        rows.group_by(MINUTE)
        .agg(
            pl.len().alias("conversations"),
            pl.col("packets").sum(),
            slots().sum().alias("slots"),
            pl.col("good").sum(),
            proven.alias("run"),
            pl.col("not_measurable_one_sided").sum().alias("one_sided"),
        )
        .select(pl.col(n).cast(t) for n, t in MINUTES_SCHEMA.items())
    )


def _added(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    buckets, counts = f"{name}_buckets", f"{name}_counts"
    return (
        rows.select(*CONVERSATION, buckets, counts)
        # an empty list would explode into a null
        .filter(pl.col(buckets).list.len() > 0)
        .explode(buckets, counts)
        .group_by(*CONVERSATION, buckets)
        .agg(pl.col(counts).cast(_COUNT).sum())
        .sort(buckets)
        .group_by(CONVERSATION)
        .agg(buckets, counts)
    )
