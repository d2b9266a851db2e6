"""Rows of traffic that violate in; violations grouped by subject and minute out.

A violation is one row for each subject and minute, however many rows of traffic are behind it, with a bounded
number of examples. Violations of one subject and minute from different batches can be added, in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

import polars as pl

from policy.zoning import CompiledSite
from sensors.addresses import address_text, mac_text

MINUTE_NS: Final = 60_000_000_000
#: Examples kept of a subject and minute: a flood adds to the count, not to the evidence.
EXAMPLES_LIMIT: Final = 16

#: Ranks of confidence: a poor capture lowers it, never the severity.
HIGH: Final = 3
MEDIUM: Final = 2
LOW: Final = 1

#: What makes two violations of one check the same: the conversation, and `what` of it where that is not enough.
SUBJECT: Final[dict[str, pl.DataType]] = {
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "ip_proto": pl.UInt8(),
    "server_port": pl.UInt16(),
    "what": pl.String(),
}

#: What follows from the subject.
_PLACE: Final[dict[str, pl.DataType]] = {
    "client_zone": pl.String(),
    "server_zone": pl.String(),
    "conduit": pl.String(),
    "reverse_conduit": pl.String(),
    #: `service.operation` as change windows name it; "" where a whole conversation is meant.
    "operation": pl.String(),
}

_EXAMPLE: Final[dict[str, pl.DataType]] = {
    "confirmed": pl.Boolean(),
    "ts_ns": pl.Int64(),
    "frame": pl.UInt64(),
    "text": pl.String(),
    "nearest": pl.String(),
}

#: One row of traffic that violates, before its text is written.
ROW: Final[dict[str, pl.DataType]] = {
    **SUBJECT,
    **_PLACE,
    "ts_ns": pl.Int64(),
    "last_ns": pl.Int64(),
    "frame": pl.UInt64(),
    "confirmed": pl.Boolean(),
    "confidence_rank": pl.UInt8(),
    "service": pl.String(),
    "decoded": pl.Boolean(),
}

_KEYS: Final = (*SUBJECT, "minute")

#: What a check returns: one row a subject and minute.
VIOLATION: Final[dict[str, pl.DataType]] = {
    **SUBJECT,
    #: Start of the minute, ns since the epoch.
    "minute": pl.Int64(),
    **_PLACE,
    "count": pl.UInt64(),
    "first_ns": pl.Int64(),
    "last_ns": pl.Int64(),
    #: At least once it went through: payload both ways, or a write that was answered.
    "confirmed": pl.Boolean(),
    "confidence_rank": pl.UInt8(),
    #: The service recognised in the bytes, and the one the port suggests; "" where unknown.
    "decoded_service": pl.String(),
    "hinted_service": pl.String(),
    #: Confirmed ones first, then by time and frame; EXAMPLES_LIMIT at most.
    "examples": pl.List(pl.Struct(_EXAMPLE)),
}


#: Made once: most checks find nothing in most batches, and a frame of so many columns costs as much as judging a few
#: thousand rows.
NO_VIOLATIONS: Final = pl.DataFrame(schema=VIOLATION)


def grouped(
    rows: pl.DataFrame, describe: Callable[[pl.DataFrame], pl.DataFrame], *, slot_ns: int = MINUTE_NS
) -> pl.DataFrame:
    """Rows that violate in, violations by subject and minute out.

    `slot_ns`: finer than minutes, where the caller counts what happens within less; `minute` is then the slot's start.
    `rows` has the columns of ROW and whatever `describe` needs; `describe` adds `text` and `nearest` and is given only
    the rows that are kept as examples.
    """
    if rows.is_empty():
        return NO_VIOLATIONS
    rows = rows.with_columns(minute=pl.col("ts_ns") // slot_ns * slot_ns)
    if rows.height <= EXAMPLES_LIMIT:
        # All of them are examples: no need to tell first which are.
        return _in_order(describe(rows)).group_by(_KEYS).agg(*_amounts(), examples=_examples())
    return _with_examples(rows.group_by(_KEYS).agg(*_amounts()), describe(_candidates(rows)), _KEYS)


@cache
def _amounts() -> tuple[pl.Expr, ...]:
    """What is known of a subject and minute beside its examples."""
    service = pl.col("service")
    return (
        *(pl.col(name).min() for name in _PLACE),
        pl.len().cast(pl.UInt64).alias("count"),
        pl.col("ts_ns").min().alias("first_ns"),
        pl.col("last_ns").max(),
        pl.col("confirmed").any(),
        pl.col("confidence_rank").max(),
        pl.when("decoded").then(service).otherwise(pl.lit("")).max().alias("decoded_service"),
        pl.when("decoded").then(pl.lit("")).otherwise(service).max().alias("hinted_service"),
    )


def merged(
    violations: pl.DataFrame, keys: tuple[str, ...] = _KEYS, extra: tuple[pl.Expr, ...] = ()
) -> pl.DataFrame:
    """Violations added: one row for each combination of `keys`, the same whatever order they came in.

    `extra`: further aggregations, for columns that the caller added.
    """
    kept = [name for name in VIOLATION if name not in keys and name not in _ADDED]
    groups = violations.group_by(keys).agg(
        *(pl.col(name).min() for name in kept),
        pl.col("count").sum(),
        pl.col("first_ns").min(),
        pl.col("last_ns").max(),
        pl.col("confirmed").any(),
        pl.col("confidence_rank").max(),
        pl.col("decoded_service").max(),
        pl.col("hinted_service").max(),
        *extra,
    )
    examples = violations.select(*keys, "examples").explode("examples").unnest("examples")
    return _with_examples(groups, examples, keys)


def added_up(total: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Violations with more of them: one row a subject and minute, the same whatever order they came in."""
    if more.is_empty():
        return total
    return merged(pl.concat([total, more.select(*VIOLATION)])).select(*VIOLATION)


_ADDED: Final = (
    "count",
    "first_ns",
    "last_ns",
    "confirmed",
    "confidence_rank",
    "decoded_service",
    "hinted_service",
    "examples",
)
#: Which examples are kept: confirmed ones first, then the earliest.
_ORDER: Final = ("confirmed", "ts_ns", "frame")


def _candidates(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that may be kept as examples: the first ones of each group, and all that tie with the last of them.

    Texts decide between ties, and texts are written for these rows only.
    """
    narrow = rows.select(*_KEYS, *_ORDER).with_row_index("row")
    ordered = narrow.sort(_ORDER, descending=[True, False, False])
    first = ordered.group_by(_KEYS, maintain_order=True).head(EXAMPLES_LIMIT)
    kept = narrow.join(first.select(*_KEYS, *_ORDER).unique(), on=[*_KEYS, *_ORDER], how="semi")
    return rows[kept["row"].sort()]


def _with_examples(groups: pl.DataFrame, rows: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    examples = _in_order(rows).group_by(keys).agg(_examples().alias("examples"))
    return groups.join(examples, on=keys, how="left").select(*groups.columns, "examples")


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(*_ORDER, "text", "nearest", descending=[True, False, False, False, False])


def _examples() -> pl.Expr:
    """The first rows of a group; grouping keeps the order of the rows within each."""
    return pl.struct(*_EXAMPLE).head(EXAMPLES_LIMIT)


@cache
def confidence_of_roles() -> pl.Expr:
    """How sure it is who is client and who is server: high with a handshake seen, medium by protocol, else low."""
    return (
        pl.when(pl.col("role_source").is_in(["syn", "syn_ack"]))
        .then(pl.lit(HIGH, pl.UInt8))
        .when(pl.col("role_source") == "protocol")
        .then(pl.lit(MEDIUM, pl.UInt8))
        .otherwise(pl.lit(LOW, pl.UInt8))
    )


_NOTHING: Final = pl.lit("")
_FALSE: Final = pl.lit(value=False)


def rows_of(
    rows: pl.DataFrame,
    *,
    frame: pl.Expr,
    what: pl.Expr = _NOTHING,
    operation: pl.Expr = _NOTHING,
    confirmed: pl.Expr = _FALSE,
    doubt: pl.Expr = _FALSE,
) -> pl.DataFrame:
    """Rows of a wire table, each of one moment (`ts`) and one `service`, in; the same with the columns of ROW out.

    They count as decoded. `doubt`: what takes one off the confidence beside roles that are not known.
    """
    at = pl.col("ts").dt.epoch("ns")
    rank = confidence_of_roles().cast(pl.Int16) - doubt.fill_null(value=False).cast(pl.Int16)
    return rows.with_columns(
        what=what.cast(pl.String),
        reverse_conduit=pl.lit(""),
        operation=operation,
        ts_ns=at,
        last_ns=at,
        frame=frame,
        confirmed=confirmed,
        confidence_rank=rank.clip(lower_bound=LOW).cast(pl.UInt8),
        decoded=pl.lit(value=True),
    )


def zone_text(site: CompiledSite, zone: str) -> str:
    """A zone in a sentence: its name where it has one, and its id."""
    found = site.zones.get(zone)
    if found is None:
        return "no zone"
    return f"zone {found.name} ({found.id})" if found.name else f"zone {found.id}"


def address_texts(addresses: pl.Series) -> pl.Series:
    """Addresses of 16 bytes as text, IPv4 dotted; one conversion a distinct address."""
    distinct = addresses.unique()
    table = pl.DataFrame(
        {"address": distinct, "text": pl.Series([address_text(a) for a in distinct], dtype=pl.String)}
    )
    return (
        addresses.rename("address")
        .to_frame()
        .join(table, on="address", how="left", maintain_order="left")["text"]
    )


def mac_texts(macs: pl.Series) -> pl.Series:
    """MAC addresses of 48 bits as text; one conversion a distinct address."""
    distinct = macs.unique()
    table = pl.DataFrame(
        {"mac": distinct, "text": pl.Series([mac_text(m) for m in distinct], dtype=pl.String)}
    )
    return macs.rename("mac").to_frame().join(table, on="mac", how="left", maintain_order="left")["text"]
