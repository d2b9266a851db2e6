"""What the importers wrote (JSON lines) in; columns of approvals and of logins out."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl

from policy.prefixes import address_bytes

#: Columns of imported approvals; sorted by start, end and ref.
APPROVALS: Final[dict[str, pl.DataType]] = {
    "rule": pl.String(),
    "start_ns": pl.Int64(),
    "end_ns": pl.Int64(),
    "ref": pl.String(),
    "approver": pl.String(),
}
#: Columns of logins that a gateway logged; sorted by their time.
LOGINS: Final[dict[str, pl.DataType]] = {
    "source_ip": pl.Binary(),
    "at_ns": pl.Int64(),
    "second_factor": pl.Boolean(),
    "user": pl.String(),
}

_APPROVAL_KEYS: Final = ("ref", "rule", "start", "end", "approver")
_LOGIN_KEYS: Final = ("at", "source", "second_factor", "user")
_OPTIONAL: Final = frozenset({"approver", "user"})


class UnreadableError(Exception):
    """A file is something else than what an importer writes."""

    def __init__(self, file: Path, command: str) -> None:
        super().__init__(f"{file}: not written by `geophone {command} import`")
        self.file, self.command = file, command


def read_approvals(file: Path) -> pl.DataFrame:
    """Imported approvals, with the columns of APPROVALS. Raises UnreadableError."""
    return _parsed(file, "approvals", _approvals).cast(pl.Schema(APPROVALS))


def read_logins(file: Path) -> pl.DataFrame:
    """Imported logins, with the columns of LOGINS. Raises UnreadableError."""
    return _parsed(file, "gateway", _logins).cast(pl.Schema(LOGINS))


def _parsed(file: Path, command: str, parse: Callable[[Path], pl.DataFrame]) -> pl.DataFrame:
    try:
        return parse(file)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise UnreadableError(file, command) from error


def _approvals(file: Path) -> pl.DataFrame:
    rows = _read(file, dict.fromkeys(_APPROVAL_KEYS, pl.String()))
    return rows.select(
        "rule",
        _moment("start").alias("start_ns"),
        _moment("end").alias("end_ns"),
        "ref",
        pl.col("approver").fill_null(""),
    )


def _logins(file: Path) -> pl.DataFrame:
    types: dict[str, pl.DataType] = {**dict.fromkeys(_LOGIN_KEYS, pl.String()), "second_factor": pl.Boolean()}
    rows = _read(file, types)
    sources = rows["source"].unique()
    packed = pl.DataFrame(
        {
            "source": sources,
            "source_ip": pl.Series(
                [address_bytes(ipaddress.ip_address(one)) for one in sources], dtype=pl.Binary
            ),
        }
    )
    return rows.join(packed, on="source", maintain_order="left").select(
        "source_ip", _moment("at").alias("at_ns"), "second_factor", pl.col("user").fill_null("")
    )


def _moment(name: str) -> pl.Expr:
    return pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="ns").dt.epoch("ns")


def _read(file: Path, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """The rows. Raises ValueError where one lacks a key that it must have, and what polars raises."""
    if not file.stat().st_size:
        return pl.DataFrame(schema=schema)
    rows = pl.read_ndjson(file, schema=schema)
    if any(rows[name].null_count() for name in schema if name not in _OPTIONAL):
        raise ValueError(f"{file}: a row lacks a key")
    return rows
