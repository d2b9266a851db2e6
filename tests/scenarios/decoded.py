"""Every table that the sensor makes of a sample, decoded once; the tests look at its rows."""

from __future__ import annotations

import ipaddress
from functools import cache

import polars as pl

from pcaps import sample
from sensors.capture import open_capture
from sensors.engine import decode


@cache
def tables(name: str) -> dict[str, pl.DataFrame]:
    """All rows of a sample by table: words as text, addresses as they are written."""
    parts: dict[str, list[pl.DataFrame]] = {}
    with decode(open_capture(sample(name).capture)) as run:
        for batches in run:
            for table, batch in batches.items():
                parts.setdefault(table, []).append(pl.DataFrame(batch))
    return {table: _readable(pl.concat(frames)) for table, frames in parts.items()}


def rows(name: str, table: str) -> pl.DataFrame:
    """The rows of one table; there have to be some."""
    return tables(name)[table]


def _readable(rows: pl.DataFrame) -> pl.DataFrame:
    addresses = [one for one in ("client_ip", "server_ip") if one in rows.columns]
    return rows.with_columns(
        pl.col(pl.Categorical).cast(pl.String),
        *(pl.col(one).map_elements(_written, return_dtype=pl.String) for one in addresses),
    )


def _written(address: bytes) -> str:
    ip = ipaddress.IPv6Address(address)
    return str(ip.ipv4_mapped or ip)
