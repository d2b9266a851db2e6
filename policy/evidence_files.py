"""Imported files in; the evidence that a policy's visits are held against out, or one clear line.

The files are those that `geophone approvals import` and `geophone gateway import` write: JSON lines.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl

from policy.evidence import APPROVALS, LOGINS, Evidence
from policy.model import Site
from policy.prefixes import address_bytes
from policy.problems import PolicyError, Problem

_CHUNK_BYTES: Final = 1024 * 1024
_APPROVAL_KEYS: Final = ("ref", "rule", "start", "end", "approver")
_LOGIN_KEYS: Final = ("at", "source", "second_factor", "user")
_OPTIONAL: Final = frozenset({"approver", "user"})


def load_evidence(
    site: Site, folder: Path, approvals: Path | None = None, gateway_log: Path | None = None
) -> Evidence:
    """Read what is named, else what the policy names beside itself. Raises PolicyError."""
    named = site.evidence
    approvals = approvals or (folder / named.approvals if named.approvals else None)
    gateway_log = gateway_log or (folder / named.gateway_log if named.gateway_log else None)
    if approvals is None and gateway_log is None:
        return Evidence()
    hashes = [_sha256(file) if file else "" for file in (approvals, gateway_log)]
    rows = _parsed(approvals, "approvals", _approvals) if approvals else pl.DataFrame(schema=APPROVALS)
    ours = rows.filter(pl.col("rule").is_in([rule.id for rule in site.remote_access]))
    return Evidence(
        sha256=hashlib.sha256(json.dumps(hashes).encode()).hexdigest(),
        approvals=ours,
        logins=_parsed(gateway_log, "gateway", _logins) if gateway_log else pl.DataFrame(schema=LOGINS),
        of_other_rules=rows.height - ours.height,
    )


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as source:
            while chunk := source.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise _refused(file, f"cannot be read: {error.strerror or error}") from None
    return digest.hexdigest()


def _parsed(file: Path, command: str, parse: Callable[[Path], pl.DataFrame]) -> pl.DataFrame:
    """What a file holds; one line, whatever else it is than what the importer writes."""
    try:
        return parse(file)
    except (pl.exceptions.PolarsError, OSError, ValueError):
        repair = f"this is not what `geophone {command} import` writes; import it with a mapping"
        raise _refused(file, repair) from None


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


def _refused(file: Path, message: str) -> PolicyError:
    return PolicyError(str(file), [Problem(0, "", message)])
