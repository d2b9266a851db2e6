"""Rows in; how many there were by subject and slot, with a few examples or with the first alone."""

from __future__ import annotations

from typing import Final, Protocol

import polars as pl

from analyzers.detections.rows import violations_of
from analyzers.gathered import Gathered
from policy.violations import SUBJECT, VIOLATION

_KEYS: Final = (*SUBJECT, "minute")
_PENDING_LIMIT: Final = 50_000
_LEAST: Final = ("client_zone", "server_zone", "conduit", "reverse_conduit", "operation")
_FLAT: Final = {
    **{name: kind for name, kind in VIOLATION.items() if name != "examples"},
    "frame": pl.UInt64(),
    "text": pl.String(),
}


class Totals(Protocol):
    """Counts rows by subject and slot."""

    def add(self, rows: pl.DataFrame, text: pl.Expr, slot_ns: int) -> None:
        """Take rows with the columns of ROW; `text` says what one row shows."""

    def counts(self) -> pl.DataFrame:
        """SUBJECT, `minute` (the slot's start) and `count`."""

    def keep(self, subjects: pl.DataFrame) -> None:
        """Forget all but these: rows of SUBJECT."""

    def settle(self, before_ns: int) -> None:
        """Forget the slots before."""

    def violations(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Columns of VIOLATION of these subjects and slots."""


class WithExamples:
    """Keeps the first rows of each subject and slot as examples: for what is about few subjects."""

    def __init__(self) -> None:
        self._gathered = Gathered()

    def add(self, rows: pl.DataFrame, text: pl.Expr, slot_ns: int) -> None:
        """Take rows."""
        self._gathered.add(violations_of(rows, text, slot_ns=slot_ns))

    def counts(self) -> pl.DataFrame:
        """How many."""
        return self._gathered.all().select(*_KEYS, "count")

    def keep(self, subjects: pl.DataFrame) -> None:
        """Forget the others."""
        self._gathered.keep(subjects)

    def settle(self, before_ns: int) -> None:
        """Forget the slots before."""
        self._gathered.settle(before_ns)

    def violations(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Those of the hits."""
        return self._gathered.all().join(hits, on=list(_KEYS), how="semi")


class WithFirst:
    """Keeps the first row alone, in plain columns: where a flood may bring a million subjects."""

    def __init__(self) -> None:
        self._total = pl.DataFrame(schema=_FLAT)
        self._pending: list[pl.DataFrame] = []
        self._rows = 0

    def add(self, rows: pl.DataFrame, text: pl.Expr, slot_ns: int) -> None:
        """Take rows."""
        if rows.is_empty():
            return
        service = pl.col("service")
        flat = rows.with_columns(
            minute=pl.col("ts_ns") // slot_ns * slot_ns,
            count=pl.lit(1, pl.UInt64),
            first_ns="ts_ns",
            decoded_service=pl.when("decoded").then(service).otherwise(pl.lit("")),
            hinted_service=pl.when("decoded").then(pl.lit("")).otherwise(service),
            text=text.fill_null(""),
        )
        self._pending.append(_added(flat.select(*_FLAT)))
        self._rows += self._pending[-1].height
        if self._rows > max(_PENDING_LIMIT, self._total.height):
            self._all()

    def counts(self) -> pl.DataFrame:
        """How many."""
        return self._all().select(*_KEYS, "count")

    def keep(self, subjects: pl.DataFrame) -> None:
        """Forget the others."""
        self._total = self._all().join(subjects, on=list(SUBJECT), how="semi")

    def settle(self, before_ns: int) -> None:
        """Forget the slots before."""
        self._total = self._all().filter(pl.col("minute") >= before_ns)

    def violations(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Those of the hits."""
        example = pl.struct(
            "confirmed", pl.col("first_ns").alias("ts_ns"), "frame", "text", nearest=pl.lit("")
        )
        found = self._all().join(hits, on=list(_KEYS), how="semi")
        return found.with_columns(examples=pl.concat_list(example)).select(*VIOLATION)

    def _all(self) -> pl.DataFrame:
        if self._pending:
            self._total = _added(pl.concat([self._total, *self._pending]))
            self._pending, self._rows = [], 0
        return self._total


def _added(flat: pl.DataFrame) -> pl.DataFrame:
    """One row a subject and slot, the same whatever order they came in: the first one's frame and text."""
    ordered = flat.sort("first_ns", "frame", "text")
    return (
        ordered.group_by(_KEYS)
        .agg(
            *(pl.col(name).min() for name in _LEAST),
            pl.col("count").sum(),
            pl.col("first_ns").first(),
            pl.col("last_ns").max(),
            pl.col("confirmed").any(),
            pl.col("confidence_rank").max(),
            pl.col("decoded_service").max(),
            pl.col("hinted_service").max(),
            # Grouping keeps the order of the rows within each group.
            pl.col("frame").first(),
            pl.col("text").first(),
        )
        .select(*_FLAT)
    )
