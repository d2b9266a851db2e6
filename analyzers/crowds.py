"""Violations of more subjects than are told apart in; those that are, and sums of all others, out.

What floods fold at the end (`analyzers.floods`) is folded while it comes: a scan of a million conversations costs
memory for those that findings are made of, and eight bytes for each of the others, by which it is known again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from analyzers.floods import SUBJECTS_PER_CLIENT, SUBJECTS_PER_ZONES
from analyzers.grading import changes, points
from policy.devices import NOBODY
from policy.violations import SUBJECT, VIOLATION, merged
from policy.zoning import CompiledSite

#: Rows of one kind of violations, each a subject and minute, from which on crowds are made.
TOLD_APART: Final = 20_000
#: So many times as many subjects as findings tell apart stay as they are: rows come minutes late at most, and what
#: comes late may be the first of all.
_MARGIN: Final = 2

#: Who is folded: all that one client did in one zone, or all that is between two zones.
CLIENT: Final = "client"
ZONES: Final = "zones"

_KEYS: Final = (*SUBJECT, "change")
_OF_CLIENT: Final = ("client_ip", "server_zone", "change")
_OF_ZONES: Final = ("client_zone", "server_zone", "change")

#: A crowd: violations of one minute, of as many subjects as there are numbers in `subjects`. Of SUBJECT it has the
#: client alone, and that only where the crowd is its own.
CROWD: Final[dict[str, pl.DataType]] = {
    **VIOLATION,
    "change": pl.String(),
    "scope": pl.String(),
    "points": pl.Int64(),
    "subjects": pl.List(pl.UInt64()),
}
NO_CROWDS: Final = pl.DataFrame(schema=CROWD)
_CROWD_KEYS: Final = (*SUBJECT, "client_zone", "server_zone", "minute", "change", "scope")


@dataclass(frozen=True, slots=True)
class Told:
    """Violations told apart, columns of VIOLATION; and the others, columns of CROWD."""

    apart: pl.DataFrame
    crowds: pl.DataFrame


def told_apart(site: CompiledSite, told: Told) -> Told:
    """The same with no more subjects told apart than any finding can need: the first of each client and each two zones.

    Which these are depends on when they were first seen. A subject that became part of a crowd stays part of it.
    """
    marked = told.apart.with_columns(
        points(site, told.apart).alias("points"), changes(site, told.apart).alias("change")
    )
    scopes = _scopes(marked)
    beyond = scopes.filter(pl.col("scope") != "")
    if beyond.is_empty():
        return told
    joined = marked.join(beyond, on=list(_KEYS), how="left")
    gone = joined.filter(pl.col("scope").is_not_null()).select(
        pl.when(pl.col("scope") == CLIENT).then("client_ip").otherwise(pl.lit(NOBODY)).alias("client_ip"),
        pl.lit(NOBODY).alias("server_ip"),
        pl.lit(0, pl.UInt8).alias("ip_proto"),
        pl.lit(0, pl.UInt16).alias("server_port"),
        pl.lit("").alias("what"),
        *(name for name in CROWD if name not in (*SUBJECT, "subjects")),
        pl.concat_list(subject_number()).alias("subjects"),
    )
    return Told(
        joined.filter(pl.col("scope").is_null()).select(*VIOLATION),
        added(pl.concat([told.crowds, gone.select(*CROWD)])),
    )


def subject_number() -> pl.Expr:
    """A number for the subject of a row with `change`: the same whatever else there is."""
    return pl.struct(_KEYS).hash()


def added(crowds: pl.DataFrame) -> pl.DataFrame:
    """Crowds added up: one row a scope and minute."""
    return merged(crowds, _CROWD_KEYS, extra=CROWD_EXTRA).select(*CROWD)


def distinct(subjects: str) -> pl.Expr:
    """Of rows that are added up: the numbers of all their subjects, each once."""
    return pl.col(subjects).explode().unique().sort()


#: What crowds have beside violations, added up.
CROWD_EXTRA: Final = (pl.col("points").max(), distinct("subjects"))


def _scopes(marked: pl.DataFrame) -> pl.DataFrame:
    """Every subject with the `scope` that it is folded into, "" where it stays as it is."""
    subjects = (
        marked.group_by(_KEYS)
        .agg(pl.col("client_zone").min(), pl.col("server_zone").min(), first=pl.col("first_ns").min())
        .sort("first", *_KEYS)
        .with_columns(of_client=pl.int_range(pl.len()).over(_OF_CLIENT))
    )
    # A client's first subject that is not told apart stands for all that follow.
    heads = subjects.filter(pl.col("of_client") <= SUBJECTS_PER_CLIENT).with_columns(
        of_zones=pl.int_range(pl.len()).over(_OF_ZONES)
    )
    stands = heads.filter(pl.col("of_client") == SUBJECTS_PER_CLIENT).select(*_OF_CLIENT, stands="of_zones")
    placed = subjects.join(
        heads.select(*_KEYS, "of_zones"), on=list(_KEYS), how="left", maintain_order="left"
    ).join(stands, on=list(_OF_CLIENT), how="left", maintain_order="left")
    far = pl.coalesce("of_zones", "stands") > _MARGIN * SUBJECTS_PER_ZONES
    return placed.select(
        *_KEYS,
        scope=pl.when(far)
        .then(pl.lit(ZONES))
        .when(pl.col("of_client") > _MARGIN * SUBJECTS_PER_CLIENT)
        .then(pl.lit(CLIENT))
        .otherwise(pl.lit("")),
    )
