"""Frames made by scapy, and what the engine says that they tell of devices."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

from scapy.packet import Packet
from scapy.utils import wrpcap

from sensors.engine import decode

#: Kind, source, MAC, IP and value of an observation, addresses as people write them.
Told = tuple[str, str, str, str, str]


def written(path: Path, frames: Sequence[Packet]) -> Path:
    """The frames as a capture, a millisecond apart."""
    for number, frame in enumerate(frames):
        frame.time = 1_795_327_200 + number / 1000
    wrpcap(str(path), list(frames))
    return path


def rows_of(path: Path, table: str, **limits: int) -> list[dict[str, Any]]:
    """All rows of one table."""
    from sensors.engine import EngineLimits

    with decode(path, limits=EngineLimits(**limits)) as run:
        return [row for batches in run for row in (batches[table].to_pylist() if table in batches else [])]


def address_text(raw: bytes) -> str:
    """IPv4-mapped addresses as IPv4."""
    address = IPv6Address(raw)
    return str(address.ipv4_mapped or address)


def mac_text(number: int) -> str:
    """Six octets with colons; empty where there is none."""
    return ":".join(f"{octet:02x}" for octet in number.to_bytes(6, "big")) if number else ""


def told(path: Path, **limits: int) -> set[Told]:
    """What a capture tells of devices, distances left out."""
    rows = rows_of(path, "observations", **limits)
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    return {
        (row["kind"], row["source"], mac_text(row["mac"]), address_text(row["ip"]), row["value"])
        for row in rows
        if row["source"] != "ttl"
    }
