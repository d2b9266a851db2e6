"""`geophone registers`: a capture in; what the memory of its Modbus servers was last known to hold, out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any, Final

import polars as pl

from analyzers.frames import frame_of
from analyzers.memory_map import MemoryMaps
from geophone.errors import UsageProblem
from geophone.listing import Form, Head, warn, write_rows
from sensors.addresses import address_text
from sensors.capture import open_capture
from sensors.engine import EngineLimits, decode
from sensors.records import MODBUS

_FIELDS: Final = (
    "server",
    "port",
    "unit",
    "table",
    "address",
    "value",
    "value_ts",
    "known_from",
    "minimum",
    "maximum",
    "changes",
    "reads",
    "writes",
    "last_writer",
    "last_write_ts",
    "first_seen",
)

_HEADS: Final = (
    Head("server_shown", "Server", whole=True),
    Head("unit", "Unit", number=True),
    Head("table", "Table", whole=True),
    Head("address", "Address", number=True),
    Head("value", "Value", number=True),
    Head("value_at", "At", whole=True),
    Head("known_from", "By"),
    Head("range", "Range", number=True),
    Head("changes", "Changes", number=True),
    Head("reads", "Reads", number=True),
    Head("writes", "Writes", number=True),
    Head("last_writer", "Last writer", whole=True),
    Head("last_write_at", "Written at", whole=True),
)


def print_registers(
    capture: Path,
    *,
    server: str | None = None,
    unit: int | None = None,
    table: str | None = None,
    changed: bool = False,
    form: Form = "table",
    limits: EngineLimits | None = None,
) -> None:
    """Print the memory of the Modbus servers of a capture."""
    wanted = pl.lit(value=True)
    if server is not None:
        wanted &= pl.col("server_ip") == pl.lit(_address(server))
    if unit is not None:
        wanted &= pl.col("unit") == unit
    if table is not None:
        wanted &= pl.col("table") == table
    if changed:
        wanted &= pl.col("changes") > 0
    maps = MemoryMaps()
    with decode(open_capture(capture), limits=limits) as run:
        for batches in run:
            maps.add(frame_of(batches, MODBUS))
    rows = [_row(row) for row in maps.registers().filter(wanted).iter_rows(named=True)]
    write_rows(rows, form, _HEADS, _FIELDS, "No such Modbus register was seen.")
    warn(maps.not_kept, "reads and writes of registers had no room and are left out.")
    warn(maps.values_unseen, "values are not known: of a transaction the first 128 are kept.")


def _row(register: Mapping[str, Any]) -> dict[str, Any]:
    writer = register["last_writer"]
    server, low, high = address_text(register["server_ip"]), register["minimum"], register["maximum"]
    return {
        **{name: register[name] for name in _FIELDS if name in register},
        "server": server,
        "server_shown": f"{f'[{server}]' if ':' in server else server}:{register['server_port']}",
        "range": f"{low}-{high}" if low != high else "",
        "value_at": _shown(register["value_ts"]),
        "last_write_at": _shown(register["last_write_ts"]),
        "port": register["server_port"],
        "value_ts": _time(register["value_ts"]),
        "known_from": "write" if register["written"] else "read",
        "last_writer": None if writer is None else address_text(writer),
        "last_write_ts": _time(register["last_write_ts"]),
        "first_seen": _time(register["first_seen"]),
    }


def _address(text: str) -> bytes:
    try:
        address = ip_address(text)
    except ValueError as problem:
        raise UsageProblem(f"--server {text}: write an IP address, for example 10.20.0.11") from problem
    return (IPv6Address(f"::ffff:{address}") if address.version == 4 else address).packed


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(moment: datetime | None) -> str:
    """For people: to the second, without the year that all of a capture share."""
    return "" if moment is None else f"{moment:%m-%d %H:%M:%S}"
