"""Planned changes leave the SLA's denominator: measured minutes in; the same minutes, each with its change, out.

A minute of a conversation is excluded where planned changes with `sla_exclude: true` cover the whole of it, for the
client or for the server. Intervals are [start, end). A minute that is covered in part counts, the good and the bad of
it: leaving it out would hide up to a minute of outage beside every window. Two windows that meet within a minute
cover it together.

An emergency counts for the SLA whatever it says; where it falls into a planned window, that window is excluded as
agreed. Excluded minutes keep their figures: nothing is deleted, they are only in no sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from policy.model import ChangeWindow
from policy.prefixes import address_bytes
from policy.zoning import CompiledSite

#: Between the references of several changes that cover one minute: no reference holds a comma.
SEPARATOR: Final = ", "

_MINUTE_NS: Final = 60_000_000_000

#: References of changes, and the minutes [first, end) in ns since the epoch that these cover whole.
_Stretch = tuple[str, int, int]


class Exclusions:
    """The planned changes of a site, ready for whole columns. Keeps nothing of what it is given."""

    def __init__(self, site: CompiledSite) -> None:
        """Of the site's changes, the planned ones that ask for it. Assets without an address match nothing."""
        addresses: dict[_Stretch, list[bytes]] = defaultdict(list)
        for name, changes in site.changes_by_asset.items():
            asset = site.assets.get(name)
            if asset is None or asset.ip is None:
                continue
            for stretch in _stretches([change for change in changes if is_excluded(change)]):
                addresses[stretch].append(address_bytes(asset.ip))
        self._addresses = dict(addresses)

    def noted(self, minutes: pl.DataFrame) -> pl.DataFrame:
        """Rows with `minute`, `client_ip` and `server_ip` in; the same with `exclusion` out.

        It holds the references of the changes that cover the minute, in their alphabet; empty where it counts.
        """
        at = pl.col("minute").dt.epoch("ns")
        first, last = minutes.select(at.min().alias("first"), at.max().alias("last")).row(0)
        labels = [
            pl.when(
                (at >= start)
                & (at < end)
                & (pl.col("client_ip").is_in(addresses) | pl.col("server_ip").is_in(addresses))
            ).then(pl.lit(label))
            for (label, start, end), addresses in self._addresses.items()
            if first is not None and start <= last and end > first
        ]
        if not labels:
            return minutes.with_columns(pl.lit("").alias("exclusion"))
        joined = pl.concat_str(labels, separator=SEPARATOR, ignore_nulls=True)
        each = joined.str.split(SEPARATOR).list.unique().list.sort().list.join(SEPARATOR)
        return minutes.with_columns(each.alias("exclusion"))


def is_excluded(change: ChangeWindow) -> bool:
    """Whether a change leaves the denominator: it is planned, and says so."""
    return change.sla_exclude and change.kind == "planned"


def _stretches(changes: Sequence[ChangeWindow]) -> Iterator[_Stretch]:
    """The minutes that one asset's changes cover whole, by themselves and together."""
    alone = set()
    seams = set()
    for change in changes:
        start, end = _up(change.start_ns), _down(change.end_ns)
        if start < end:
            alone.add((change.ref, start, end))
        seams |= {_down(at) for at in (change.start_ns, change.end_ns) if at % _MINUTE_NS}
    yield from sorted(alone)
    for minute in sorted(seams):
        touching = [c for c in changes if c.start_ns < minute + _MINUTE_NS and c.end_ns > minute]
        if _covered(minute, touching):
            label = SEPARATOR.join(sorted({change.ref for change in touching}))
            yield label, minute, minute + _MINUTE_NS


def _covered(minute: int, changes: Sequence[ChangeWindow]) -> bool:
    """Whether the changes leave no moment of the minute out."""
    reached = minute
    for change in sorted(changes, key=lambda change: change.start_ns):
        if change.start_ns > reached:
            return False
        reached = max(reached, change.end_ns)
    return reached >= minute + _MINUTE_NS


def _up(at_ns: int) -> int:
    return -_down(-at_ns)


def _down(at_ns: int) -> int:
    return at_ns // _MINUTE_NS * _MINUTE_NS
