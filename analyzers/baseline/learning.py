"""Traffic in; facts with how often, when and from whom, out.

What is learned depends on the rows, not on how they are cut into batches. What the policy forbids is counted apart and
widens no bound: it is there to be seen, and does not become known. A kind has a bounded number of facts: the first
ones; the rows that there was no room for are counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import polars as pl

from analyzers.baseline.facts import KEY, KINDS, facts_of
from analyzers.baseline.permitted import tables_with_verdict
from policy.baseline_settings import BaselineSettings
from policy.traffic import Traffic
from policy.zoning import CompiledSite

HOUR_NS: Final = 3_600_000_000_000
#: The least and the greatest values that are kept of a fact: as many as it takes to tell one that stands alone.
EXTREMES: Final = 8

FACT: Final[dict[str, pl.DataType]] = {
    **KEY,
    #: How often it was seen, as the policy permits.
    "count": pl.UInt64(),
    #: How often it was seen although the policy forbids it.
    "forbidden": pl.UInt64(),
    "first_ns": pl.Int64(),
    "last_ns": pl.Int64(),
    #: Hours (since the epoch, UTC) in which it was seen as permitted.
    "hours": pl.List(pl.Int64()),
    #: The least values that were written, ascending, and the greatest, descending; EXTREMES of each at most.
    "lows": pl.List(pl.Int64()),
    "highs": pl.List(pl.Int64()),
    #: The largest difference of two values written one after the other.
    "step": pl.Int64(),
}

_KEYS: Final = list(KEY)
_PENDING_LIMIT: Final = 50_000


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned."""

    #: Columns of FACT, in the order of KEY.
    facts: pl.DataFrame
    #: Kind -> rows that there was no room for.
    left_out: dict[str, int]


class Learner:
    """Learns from the batches of a capture, or of several one after the other."""

    def __init__(self, site: CompiledSite, settings: BaselineSettings) -> None:
        self._site = site
        self._limit = settings.facts
        self._facts = pl.DataFrame(schema=FACT)
        self._known = pl.DataFrame(schema=KEY)
        self._last = pl.DataFrame(schema={**KEY, "before": pl.Int64()})
        self._pending: list[pl.DataFrame] = []
        self._rows = 0
        self._left_out = Counter[str]()

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        tables = tables_with_verdict(self._site, traffic)
        for kind in KINDS:
            rows = tables[kind.table]
            if rows.is_empty():
                continue
            seen = self._with_room(facts_of(kind, rows), kind.name)
            if seen.height:
                self._add(seen)

    def learned(self) -> Learned:
        """What was learned up to now."""
        return Learned(self._merged().sort(_KEYS), dict(sorted(self._left_out.items())))

    def _with_room(self, seen: pl.DataFrame, kind: str) -> pl.DataFrame:
        """The rows of facts that are known, or that there is room for, in the order in which they came."""
        new = seen.select(_KEYS).unique(keep="first", maintain_order=True)
        new = new.join(self._known, on=_KEYS, how="anti", maintain_order="left")
        if new.is_empty():
            return seen
        room = max(self._limit - self._known.filter(pl.col("kind") == kind).height, 0)
        admitted, refused = new.head(room), new.slice(room)
        self._known = pl.concat([self._known, admitted])
        if refused.is_empty():
            return seen
        kept = seen.join(refused, on=_KEYS, how="anti", maintain_order="left")
        self._left_out[kind] += seen.height - kept.height
        return kept

    def _add(self, seen: pl.DataFrame) -> None:
        permitted = ~pl.col("forbidden")
        hour = pl.col("ts_ns") // HOUR_NS
        value = pl.col("value").filter(permitted).drop_nulls().sort()
        facts = seen.group_by(_KEYS).agg(
            count=permitted.sum().cast(pl.UInt64),
            forbidden=pl.col("forbidden").sum().cast(pl.UInt64),
            first_ns=pl.col("ts_ns").min(),
            last_ns=pl.col("ts_ns").max(),
            hours=hour.filter(permitted).unique().sort(),
            lows=value.head(EXTREMES),
            highs=value.reverse().head(EXTREMES),
        )
        facts = facts.join(self._steps(seen), on=_KEYS, how="left").select(
            pl.col(name).cast(type_) for name, type_ in FACT.items()
        )
        self._pending.append(facts)
        self._rows += facts.height
        if self._rows > max(_PENDING_LIMIT, self._facts.height):
            self._merged()

    def _steps(self, seen: pl.DataFrame) -> pl.DataFrame:
        """The largest step of each fact within these rows and from what was written last before them."""
        values = seen.filter(pl.col("value").is_not_null() & ~pl.col("forbidden"))
        if values.is_empty():
            return pl.DataFrame(schema={**KEY, "step": pl.Int64()})
        values = values.join(self._last, on=_KEYS, how="left", maintain_order="left")
        before = pl.col("value").shift().over(_KEYS)
        steps = (
            values.with_columns(step=(pl.col("value") - pl.coalesce(before, "before")).abs())
            .group_by(_KEYS)
            .agg(pl.col("step").max())
        )
        last = values.group_by(_KEYS, maintain_order=True).agg(before=pl.col("value").last())
        self._last = pl.concat([self._last.join(last, on=_KEYS, how="anti"), last])
        return steps

    def _merged(self) -> pl.DataFrame:
        if self._pending:
            self._facts = merged(pl.concat([self._facts, *self._pending]))
            self._pending, self._rows = [], 0
        return self._facts


def merged(facts: pl.DataFrame) -> pl.DataFrame:
    """Facts added up, one row a key, in whatever order they come."""
    extremes = pl.col("lows").explode().drop_nulls().sort(), pl.col("highs").explode().drop_nulls().sort()
    return (
        facts.group_by(_KEYS)
        .agg(
            pl.col("count", "forbidden").sum(),
            pl.col("first_ns").min(),
            pl.col("last_ns").max(),
            pl.col("hours").explode().drop_nulls().unique().sort(),
            lows=extremes[0].head(EXTREMES),
            highs=extremes[1].reverse().head(EXTREMES),
            step=pl.col("step").max(),
        )
        .select(*FACT)
    )
