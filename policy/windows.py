"""Rows that change something in; what the policy's change windows say of each out: how it stands to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from policy.model import ChangeWindow
from policy.prefixes import address_bytes
from policy.zoning import CompiledSite

#: In a window of its target that allows it.
COVERED: Final = "covered"
#: In a window of its target that is for something else.
BEYOND: Final = "beyond"
#: While a window of other assets is open.
ELSEWHERE: Final = "elsewhere"
#: No window is open.
OUTSIDE: Final = "outside"

_BETWEEN: Final = ","


@dataclass(frozen=True, slots=True)
class Standing:
    """How a change stands to the windows, and to which of them."""

    kind: str
    refs: tuple[str, ...] = ()


def standings(site: CompiledSite, rows: pl.DataFrame) -> Iterator[tuple[Standing, pl.DataFrame]]:
    """Rows with `ts`, `server_ip` and `operation` in; the rows of each standing out.

    A window that allows a row counts before one that does not, and the target's own before those of others; of several
    alike the first in the file.
    """
    at, target, operation = pl.col("ts").dt.epoch("ns"), pl.col("server_ip"), pl.col("operation")
    covered: list[pl.Expr] = []
    beyond: list[pl.Expr] = []
    elsewhere: list[pl.Expr] = []
    for change in site.site.changes:
        is_open = (at >= change.start_ns) & (at < change.end_ns)
        own = target.is_in(_addresses(site, change))
        allows = _allows(change, operation)
        ref = pl.lit(change.ref)
        covered.append(pl.when(is_open & own & allows).then(ref))
        beyond.append(pl.when(is_open & own & ~allows).then(ref))
        elsewhere.append(pl.when(is_open & ~own).then(ref))
    none = pl.lit(None, pl.String)
    marked = rows.with_columns(
        is_covered=pl.coalesce(*covered, none),
        is_beyond=pl.coalesce(*beyond, none),
        is_elsewhere=pl.concat_str(*elsewhere, pl.lit(""), separator=_BETWEEN, ignore_nulls=True),
    ).with_columns(
        standing=pl.when(pl.col("is_covered").is_not_null())
        .then(pl.lit(COVERED))
        .when(pl.col("is_beyond").is_not_null())
        .then(pl.lit(BEYOND))
        .when(pl.col("is_elsewhere") != "")
        .then(pl.lit(ELSEWHERE))
        .otherwise(pl.lit(OUTSIDE))
    )
    marked = marked.with_columns(refs=pl.coalesce("is_covered", "is_beyond", "is_elsewhere"))
    for (kind, refs), part in marked.group_by("standing", "refs", maintain_order=True):
        named = tuple(ref for ref in str(refs).split(_BETWEEN) if ref)
        yield (
            Standing(str(kind), named),
            part.drop("is_covered", "is_beyond", "is_elsewhere", "refs", "standing"),
        )


def planned(site: CompiledSite, operation: str) -> list[bytes]:
    """The addresses of assets for which a change window names the operation: there it is done in windows."""
    return sorted(
        {
            address
            for change in site.site.changes
            if change.operations is not None and {operation, _any_of(operation)} & set(change.operations)
            for address in _addresses(site, change)
        }
    )


def _addresses(site: CompiledSite, change: ChangeWindow) -> list[bytes]:
    assets = [site.assets[name] for name in change.assets]
    return [address_bytes(asset.ip) for asset in assets if asset.ip is not None]


def _allows(change: ChangeWindow, operation: pl.Expr) -> pl.Expr:
    if change.operations is None:
        return pl.lit(value=True)
    whole = [name.removesuffix(".*") for name in change.operations if name.endswith(".*")]
    service = operation.str.split(".").list.first()
    return operation.is_in(list(change.operations)) | service.is_in(whole)


def _any_of(operation: str) -> str:
    return f"{operation.partition('.')[0]}.*"
