"""Where a query reads measured minutes: whole hours and days from the roll-ups, the edges of its range by the minute.

Rows of both have the columns of `sla_minutes` under the same names, sums where a row stands for several minutes, and
beside them `minutes` (how many), `hour` and, of scopes, `seen` (which minutes of it, a bit each).
"""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

from store.queries.measured import Range
from store.rollups import SLA_HOURS, Rollup

_NS_PER_S = 1_000_000_000


def scopes(rows: Range, condition: str, step_ns: int = 0) -> str:
    """A table expression: rows of the range by zones and conduit. With a step, no row is in more than one of these."""
    return measurements(rows, condition, SLA_HOURS, step_ns)


def measurements(rows: Range, condition: str, rollup: Rollup, step_ns: int = 0) -> str:
    """The same by what the roll-up tells apart. The condition is on its key."""
    minute = SLA_HOURS.start("m.minute")
    raw = _select(rollup, 2, f"m.minute AS minute, {minute} AS hour", "sla_minutes AS m")
    whole = whole_steps(rows, rollup, step_ns)
    if whole is None:
        return f"({raw} WHERE {condition} AND {rows.where()})"
    first, end = (f"fromUnixTimestamp64Nano(toInt64({at}), 'UTC')" for at in whole)
    rolled = _select(rollup, 1, "r.start AS minute, r.start AS hour", f"{rollup.name} AS r")
    return (
        f"({raw} WHERE {condition} AND {rows.where()} AND (minute < {first} OR minute >= {end}) UNION ALL "
        f"{rolled} WHERE {condition} AND r.start >= {first} AND r.start < {end} AND {rows.whose()})"
    )


def whole_steps(rows: Range, rollup: Rollup, step_ns: int) -> tuple[int, int] | None:
    """The part of the range that is whole hours or days, [first, end) in ns; None where the minutes must be read."""
    size = rollup.step_s * _NS_PER_S
    first, end = -(-rows.start_ns // size) * size, rows.end_ns // size * size
    return (first, end) if first < end and step_ns % size == 0 else None


def _select(rollup: Rollup, which: int, times: str, table: str) -> str:
    names = ", ".join(f"{read[which]} AS {read[0]}" for column in rollup.columns for read in column.read)
    return f"SELECT {times}, {names} FROM {table}"
