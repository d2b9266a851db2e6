"""Where a query reads measured minutes: whole hours and days from the roll-ups, the edges of its range by the minute.

Rows of both have the columns of `sla_minutes` under the same names, sums where a row stands for several minutes, and
beside them `minutes` (how many), `hour` and, of scopes, `seen` (which minutes of it, a bit each).
"""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from store.queries.measured import Range
from store.rollups import SLA_HOURS, Rollup

_NS_PER_S: Final = 1_000_000_000
_WORD: Final = re.compile(r"\w+")


def scopes(what: str, rows: Range, condition: str, step_ns: int = 0) -> str:
    """`SELECT what FROM` the rows of the range by zones and conduit. No row is in more than one of the steps."""
    return measurements(what, rows, condition, SLA_HOURS, step_ns)


def measurements(what: str, rows: Range, condition: str, rollup: Rollup, step_ns: int = 0) -> str:
    """The same by what the roll-up tells apart. The condition is on its key."""
    hour = SLA_HOURS.start("m.minute")
    raw = _columns(what, rollup, 2, {"minute": "m.minute", "hour": hour})
    raw = f"SELECT {raw} FROM sla_minutes AS m WHERE {condition} AND {rows.where('m.minute')}"
    whole = whole_steps(rows, rollup, step_ns)
    if whole is None:
        return f"SELECT {what} FROM ({raw})"
    first, end = (f"fromUnixTimestamp64Nano(toInt64({at}), 'UTC')" for at in whole)
    edges = f"{raw} AND (m.minute < {first} OR m.minute >= {end})"
    summed = _columns(what, rollup, 1, {"minute": "r.start", "hour": "r.start"})
    summed = (
        f"SELECT {summed} FROM {rollup.name} AS r "
        f"WHERE {condition} AND r.start >= {first} AND r.start < {end} AND {rows.whose()}"
    )
    return f"SELECT {what} FROM ({summed} UNION ALL {edges})"


def whole_steps(rows: Range, rollup: Rollup, step_ns: int) -> tuple[int, int] | None:
    """The part of the range that is whole hours or days, [first, end) in ns; None where the minutes must be read."""
    size = rollup.step_s * _NS_PER_S
    first, end = -(-rows.start_ns // size) * size, rows.end_ns // size * size
    return (first, end) if first < end and step_ns % size == 0 else None


def _columns(what: str, rollup: Rollup, which: int, times: Mapping[str, str]) -> str:
    """The columns that the text names: to plan a query over all of them takes longer than to run it."""
    named = set(_WORD.findall(what))
    read = {**times, **{names[0]: names[which] for column in rollup.columns for names in column.read}}
    return ", ".join(f"{expression} AS {name}" for name, expression in read.items() if name in named)
