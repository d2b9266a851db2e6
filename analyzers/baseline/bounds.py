"""Facts about written values in; the bounds within which values usually lie, out.

A bound is believed when it does not stand alone: fewer values than it takes to be known, farther from the next one
than all others are from each other, are taken for what they most likely are, mistakes or somebody's try.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from analyzers.baseline.comparing import Baseline, spread
from analyzers.baseline.learning import EXTREMES

#: What a bound is of: a register of a server, whoever writes it.
PLACE: Final[dict[str, pl.DataType]] = {
    "server_ip": pl.Binary(),
    "server_port": pl.UInt16(),
    "what": pl.String(),
}

BOUNDS: Final[dict[str, pl.DataType]] = {
    **PLACE,
    #: How many values it rests on.
    "count": pl.UInt64(),
    "least": pl.Int64(),
    "greatest": pl.Int64(),
    #: The largest change from one value to the next.
    "step": pl.Int64(),
}

#: The count of bounds that somebody declared: they rest on a name, not on a number of writes.
DECLARED: Final = 1_000_000


def bounds_of(baseline: Baseline, kind: str) -> pl.DataFrame:
    """Bounds by place (columns of BOUNDS): learned ones, and those that were accepted with values.

    Accepted values widen what was learned, and bound what nobody had learned; a place that was accepted without values
    has no bounds.
    """
    facts = baseline.facts.filter((pl.col("kind") == kind) & (pl.col("lows").list.len() > 0))
    places = facts.group_by(list(PLACE)).agg(
        pl.col("count").sum(),
        lows=pl.col("lows").explode().sort().head(EXTREMES),
        highs=pl.col("highs").explode().sort(descending=True).head(EXTREMES),
        step=pl.col("step").max(),
    )
    rows = []
    for row in places.iter_rows(named=True):
        least, greatest = believed(row["lows"], row["highs"], baseline.min_count - 1)
        # A step beyond all that is believed belongs to a value that is not.
        step = min(row["step"] or 0, greatest - least)
        rows.append((*(row[name] for name in PLACE), row["count"], least, greatest, step))
    learned = pl.DataFrame(rows, schema=BOUNDS, orient="row")
    return _with_accepted(learned, baseline, kind)


def believed(lows: Sequence[int], highs: Sequence[int], odd: int) -> tuple[int, int]:
    """The least and the greatest value, without up to `odd` of them on either side that stand alone."""
    inner_high = highs[min(odd, len(highs) - 1)]
    inner_low = lows[min(odd, len(lows) - 1)]
    least, greatest = lows[0], highs[0]
    for at in range(1, min(odd, len(lows) - 1) + 1):
        if lows[at] - lows[at - 1] > max(inner_high - lows[at], 0):
            least = lows[at]
    for at in range(1, min(odd, len(highs) - 1) + 1):
        if highs[at - 1] - highs[at] > max(highs[at] - inner_low, 0):
            greatest = highs[at]
    return least, max(least, greatest)


def _with_accepted(learned: pl.DataFrame, baseline: Baseline, kind: str) -> pl.DataFrame:
    accepted = [one for one in baseline.accepted if one.kind == kind]
    if not accepted:
        return learned
    rows = [(one.server_ip, one.server_port, one.what, one.least, one.greatest) for one in accepted]
    schema = {**PLACE, "from_value": pl.Int64(), "to_value": pl.Int64()}
    wider = spread(pl.DataFrame(rows, schema=schema, orient="row"))
    wider = wider.group_by(list(PLACE)).agg(
        pl.col("from_value").min(), pl.col("to_value").max(), free=pl.col("from_value").is_null().any()
    )
    joined = learned.join(wider, on=list(PLACE), how="full", coalesce=True)
    joined = joined.filter(~pl.col("free").fill_null(value=False))
    least, greatest = pl.min_horizontal("least", "from_value"), pl.max_horizontal("greatest", "to_value")
    declared = pl.col("from_value").is_not_null()
    return joined.with_columns(
        count=pl.when(declared).then(pl.lit(DECLARED, pl.UInt64)).otherwise("count"),
        least=least,
        greatest=greatest,
        step=pl.when(declared).then(greatest - least).otherwise("step"),
    ).select(*BOUNDS)
