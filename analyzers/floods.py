"""A flood of one kind must not hide another: too many subjects of one source are folded into one."""

from __future__ import annotations

from typing import Final

import polars as pl

from policy.violations import SUBJECT

#: Subjects of one check that one client has in one zone, each a finding of its own; the rest is one finding.
SUBJECTS_PER_CLIENT: Final = 64
#: Subjects of one check between two zones: addresses can be forged, one for each packet.
SUBJECTS_PER_ZONES: Final = 1_000


#: A subject that was told apart from others: when it was first seen decides whether the next one is.
HEAD: Final[dict[str, pl.DataType]] = {
    **SUBJECT,
    "change": pl.String(),
    "client_zone": pl.String(),
    "server_zone": pl.String(),
    "first": pl.Int64(),
}
_KEYS: Final = [*SUBJECT, "change"]


def fold_floods(violations: pl.DataFrame, known: pl.DataFrame | None = None) -> pl.DataFrame:
    """Violations of one check in, with `change`; the same rows out, those beyond the limits with one subject.

    Adds `subject`, a number for what each row was about, and `folded`: "", "client" or "zones". Which subjects are
    kept depends on when they were first seen, not on the order of the rows. `known`: the heads of rows that are gone.
    """
    subjects = _subjects(violations, known)
    new = subjects.select(*_KEYS, "subject", "folded", *(pl.col(f"as_{name}") for name in SUBJECT))
    joined = violations.join(new, on=_KEYS, how="left")
    return joined.with_columns(*(pl.col(f"as_{name}").alias(name) for name in SUBJECT)).drop(
        f"as_{name}" for name in SUBJECT
    )


def heads(violations: pl.DataFrame, known: pl.DataFrame | None = None) -> pl.DataFrame:
    """What is enough to fold later rows as if these were still there: columns of HEAD, bounded by the limits.

    Each subject that is told apart, and of each flood the first that was folded: whatever comes later comes after
    them.
    """
    subjects = _subjects(violations, known)
    is_head = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"as_{name}")) for name in SUBJECT)
    return subjects.filter(is_head).select(*HEAD)


def _subjects(violations: pl.DataFrame, known: pl.DataFrame | None) -> pl.DataFrame:
    """Every subject with `subject`, `folded` and the subject that it is folded into (`as_…`)."""
    zones = (pl.col("client_zone").min(), pl.col("server_zone").min())
    seen = violations.group_by(_KEYS).agg(*zones, first=pl.col("first_ns").min())
    if known is not None:
        both = pl.concat([known, seen.select(*HEAD)])
        seen = both.group_by(_KEYS).agg(*zones, pl.col("first").min())
    subjects = seen.sort("first", *_KEYS).with_columns(
        # The same number whatever else there is: rows that are gone may have been of the same subject.
        subject=pl.struct(_KEYS).hash(),
        folded=pl.lit(""),
    )
    subjects = _folded(subjects, ["client_ip", "server_zone", "change"], SUBJECTS_PER_CLIENT, "client")
    return _folded(subjects, ["client_zone", "server_zone", "change"], SUBJECTS_PER_ZONES, "zones")


def _folded(subjects: pl.DataFrame, scope: list[str], limit: int, word: str) -> pl.DataFrame:
    """Give all subjects of a scope beyond the limit the columns of the first of them."""
    if f"as_{next(iter(SUBJECT))}" not in subjects.columns:
        subjects = subjects.with_columns(*(pl.col(name).alias(f"as_{name}") for name in SUBJECT))
    as_columns = [f"as_{name}" for name in SUBJECT]
    # A subject that is folded already counts once, with the others that it is folded with.
    heads = subjects.unique([*as_columns, *scope, "folded"], keep="first", maintain_order=True)
    beyond = heads.with_columns(place=pl.int_range(pl.len()).over(scope)).filter(pl.col("place") >= limit)
    if beyond.is_empty():
        return subjects
    first = beyond.unique(scope, keep="first", maintain_order=True)
    marks = beyond.select(*as_columns, *scope, "folded", over=pl.lit(value=True))
    joined = subjects.join(marks, on=[*as_columns, *scope, "folded"], how="left", maintain_order="left").join(
        first.select(*scope, *(pl.col(name).alias(f"head_{name}") for name in as_columns)),
        on=scope,
        how="left",
        maintain_order="left",
    )
    over = pl.col("over").fill_null(value=False)
    return joined.with_columns(
        *(pl.when(over).then(f"head_{name}").otherwise(name).alias(name) for name in as_columns),
        folded=pl.when(over).then(pl.lit(word)).otherwise("folded"),
    ).select(subjects.columns)
