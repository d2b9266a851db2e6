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
_AS: Final = [f"as_{name}" for name in SUBJECT]
_OF_CLIENT: Final = ["client_ip", "server_zone", "change"]
_OF_ZONES: Final = ["client_zone", "server_zone", "change"]


def fold_floods(
    violations: pl.DataFrame, crowds: pl.DataFrame, known: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Violations of one check in, with `change`; the same rows out, those beyond the limits with one subject.

    Adds `subjects`, a number for what each row was about, and `folded`: "", "client" or "zones". Which subjects are
    kept depends on when they were first seen, not on the order of the rows. `crowds`: sums of subjects that are far
    beyond the limits (`analyzers.crowds`); they join what stands for them. `known`: the heads of rows that are gone.
    """
    subjects = _subjects(violations, known)
    new = subjects.select(*_KEYS, "folded", *_AS, subjects=pl.concat_list("subject"))
    folded = _renamed(violations.join(new, on=_KEYS, how="left"))
    if crowds.is_empty():
        return folded
    return pl.concat([folded, _renamed(_with_heads(crowds, subjects)).select(folded.columns)])


def _with_heads(crowds: pl.DataFrame, subjects: pl.DataFrame) -> pl.DataFrame:
    """Crowds with the subject that stands for each, and how it is `folded`."""
    of_client = (
        subjects.with_columns(place=pl.int_range(pl.len()).over(_OF_CLIENT))
        .filter(pl.col("place") == SUBJECTS_PER_CLIENT)
        .select(*_OF_CLIENT, "folded", *_AS, scope=pl.lit("client"))
    )
    of_zones = (
        subjects.filter(pl.col("folded") == "zones")
        .unique(_OF_ZONES, keep="first", maintain_order=True)
        .select(*_OF_ZONES, "folded", *_AS)
    )
    clients = crowds.join(of_client, on=[*_OF_CLIENT, "scope"], how="left")
    # Where a client's own head is itself one of those that are folded, it stands for the client no more.
    stood = clients.filter(pl.col("folded").is_not_null())
    others = clients.filter(pl.col("folded").is_null()).select(crowds.columns)
    return pl.concat([stood, others.join(of_zones, on=_OF_ZONES, how="inner").select(stood.columns)])


def _renamed(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(*(pl.col(f"as_{name}").alias(name) for name in SUBJECT)).drop(_AS)


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
    subjects = _folded(subjects, _OF_CLIENT, SUBJECTS_PER_CLIENT, "client")
    return _folded(subjects, _OF_ZONES, SUBJECTS_PER_ZONES, "zones")


def _folded(subjects: pl.DataFrame, scope: list[str], limit: int, word: str) -> pl.DataFrame:
    """Give all subjects of a scope beyond the limit the columns of the first of them."""
    if f"as_{next(iter(SUBJECT))}" not in subjects.columns:
        subjects = subjects.with_columns(*(pl.col(name).alias(f"as_{name}") for name in SUBJECT))
    as_columns = _AS
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
