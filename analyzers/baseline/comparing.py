"""A baseline in; which rows show what it does not know, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

import polars as pl

from analyzers.baseline.facts import KEY
from analyzers.baseline.learning import FACT
from policy.baseline_settings import BaselineSettings

#: Columns of a fact that rows may be compared by.
Columns = Sequence[str]

#: A write in one request is a range; what is known is known of single coils and registers.
_RANGE: Final = r"^(unit \d+, (?:coil|holding) )(\d+)-(\d+)$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Something that nobody had learned and somebody answers for."""

    kind: str
    client_ip: bytes
    server_ip: bytes
    ip_proto: int
    server_port: int
    #: The fact's; of a write also a range, `unit 1, coil 0-63`.
    what: str
    who: str
    why: str
    #: When it was accepted, ISO 8601 with `Z`.
    at: str
    #: Values that may be written, where the fact is about one; null: any.
    least: int | None = None
    greatest: int | None = None


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What usually happens on a site's network: facts, and what was accepted beside them."""

    site: str
    #: The policy that said what is forbidden while it was learned.
    policy_sha256: str
    #: The version of Geophone that learned it.
    version: str
    #: How often a fact must have been seen to be known.
    min_count: int
    #: SHA-256 of the captures that taught it.
    captures: tuple[str, ...]
    #: Columns of FACT, in the order of KEY.
    facts: pl.DataFrame
    #: Kind -> rows that there was no room for.
    left_out: Mapping[str, int] = field(default_factory=dict)
    accepted: tuple[Acceptance, ...] = ()
    _known_by: dict[tuple[str, ...], pl.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def from_ns(self) -> int:
        """The first moment of it; 0 where nothing was learned."""
        return int(self.facts["first_ns"].min() or 0)  # type: ignore[arg-type]

    @property
    def to_ns(self) -> int:
        """The last moment of it; 0 where nothing was learned."""
        return int(self.facts["last_ns"].max() or 0)  # type: ignore[arg-type]

    @cached_property
    def sha256(self) -> str:
        """Of its file: what findings name."""
        from analyzers.baseline.file import sha256_of

        return sha256_of(self)

    @cached_property
    def known(self) -> pl.DataFrame:
        """The facts as far as they count: columns of FACT; what was accepted counts as often as it takes."""
        accepted = pl.DataFrame(
            [
                {name: getattr(one, name) for name in KEY}
                | {"count": self.min_count}
                | {"forbidden": 0, "first_ns": 0, "last_ns": 0, "hours": [], "step": None}
                | {"lows": _given(one.least), "highs": _given(one.greatest)}
                for one in self.accepted
            ],
            schema=FACT,
        )
        return pl.concat([self.facts.filter(pl.col("count") > 0), spread(accepted)])

    def known_by(self, kind: str, by: Columns) -> pl.DataFrame:
        """Combinations of the columns `by` that facts of this kind have, as often together as it takes."""
        if (found := self._known_by.get((kind, *by))) is None:
            facts = self.known.filter(pl.col("kind") == kind)
            counted = facts.group_by(list(by)).agg(pl.col("count").sum())
            found = counted.filter(pl.col("count") >= self.min_count).select(*by)
            self._known_by[kind, *by] = found
        return found

    def unknown(self, kind: str, rows: pl.DataFrame, by: Columns) -> pl.DataFrame:
        """The rows that show what it does not know, in their order.

        Rows have the columns `by`, which are columns of KEY. `what` of a write may be a range: it is known when all
        of it is.
        """
        keys = rows.select(by).unique()
        known = self.known_by(kind, by)
        if "what" in by:
            strange = spread(keys.with_columns(asked="what")).join(known, on=list(by), how="anti")
            strange = strange.with_columns(what="asked").select(by).unique()
        else:
            strange = keys.join(known, on=list(by), how="anti")
        return rows.join(strange, on=list(by), how="semi", maintain_order="left")

    @property
    def name(self) -> str:
        """How findings speak of it: `baseline 0123456789ab, learned from … to … UTC`."""
        return f"baseline {self.sha256[:12]}, learned from {_utc(self.from_ns)} to {_utc(self.to_ns)} UTC"


def empty(site: str, policy_sha256: str, version: str, settings: BaselineSettings) -> Baseline:
    """A baseline that knows nothing yet."""
    return Baseline(
        site=site,
        policy_sha256=policy_sha256,
        version=version,
        min_count=settings.min_count,
        captures=(),
        facts=pl.DataFrame(schema=FACT),
    )


def spread(facts: pl.DataFrame) -> pl.DataFrame:
    """Rows whose `what` is a range of coils or registers in; one row for each of them out, the others as they are."""
    groups = pl.col("what").str.extract_groups(_RANGE)
    marked = facts.with_columns(
        _start=groups.struct[0],
        _first=groups.struct[1].cast(pl.Int64, strict=False),
        _last=groups.struct[2].cast(pl.Int64, strict=False),
    )
    ranges = marked.filter(pl.col("_first").is_not_null())
    if ranges.is_empty():
        return facts
    ranges = ranges.with_columns(
        # An address has 16 bits.
        _first=pl.int_ranges("_first", pl.min_horizontal("_last", pl.lit(65_535)) + 1)
    ).explode("_first")
    ranges = ranges.with_columns(what=pl.format("{}{}", "_start", "_first"))
    others = marked.filter(pl.col("_first").is_null())
    return pl.concat([others, ranges.select(others.columns)]).select(facts.columns)


def _given(value: int | None) -> list[int]:
    return [] if value is None else [value]


def _utc(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}"
