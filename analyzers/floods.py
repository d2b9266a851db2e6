"""A flood of one kind must not hide another: too many subjects of one source are folded into one."""

from __future__ import annotations

from typing import Final

import polars as pl

from policy.violations import SUBJECT

#: Subjects of one check that one client has in one zone, each a finding of its own; the rest is one finding.
SUBJECTS_PER_CLIENT: Final = 64
#: Subjects of one check between two zones: addresses can be forged, one for each packet.
SUBJECTS_PER_ZONES: Final = 1_000


def fold_floods(violations: pl.DataFrame) -> pl.DataFrame:
    """Violations of one check in, with `change`; the same rows out, those beyond the limits with one subject.

    Adds `subject`, a number for what each row was about, and `folded`: "", "client" or "zones". Which subjects are
    kept depends on when they were first seen, not on the order of the rows.
    """
    keys = [*SUBJECT, "change"]
    subjects = (
        violations.group_by(keys)
        .agg(pl.col("client_zone").min(), pl.col("server_zone").min(), first=pl.col("first_ns").min())
        .sort("first", *keys)
        .with_row_index("subject")
        .with_columns(folded=pl.lit(""))
    )
    subjects = _folded(subjects, ["client_ip", "server_zone", "change"], SUBJECTS_PER_CLIENT, "client")
    subjects = _folded(subjects, ["client_zone", "server_zone", "change"], SUBJECTS_PER_ZONES, "zones")
    new = subjects.select(*keys, "subject", "folded", *(pl.col(f"as_{name}") for name in SUBJECT))
    joined = violations.join(new, on=keys, how="left")
    return joined.with_columns(*(pl.col(f"as_{name}").alias(name) for name in SUBJECT)).drop(
        f"as_{name}" for name in SUBJECT
    )


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
