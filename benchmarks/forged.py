"""A flood of forged sources with one real scanner in it; what the detections keep of it, find in it and cost."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import polars as pl

from analyzers.behaviour import Behaviour
from benchmarks.policies import site
from policy.prefixes import address_bytes
from policy.traffic import FLOW_MINUTE_SCHEMA, Traffic

#: Sources of a batch, and how long a batch lasts: half a million a minute.
_BATCH: Final = 10_000
_BATCH_NS: Final = 1_200_000_000
_START_NS: Final = 1_795_327_200_000_000_000
#: What the scanner knocks at, one address a batch.
_TARGETS: Final = 100
_TCP: Final = 6
_IPV4: Final = bytes(10) + b"\xff\xff"
_BLANK: Final = {pl.Boolean(): False, pl.String(): "", pl.Binary(): bytes(16)}
_VICTIM: Final = address_bytes(ip_address("10.1.0.1"))
_SCANNER: Final = address_bytes(ip_address("10.4.0.66"))


@dataclass(frozen=True, slots=True)
class Flooded:
    """What one flood came to."""

    sources: int
    cpu_s: float
    evicted: int
    grown_bytes: int
    found: tuple[str, ...]


def batches(sources: int) -> Iterator[Traffic]:
    """So many sources, each with one connection in vain to one controller; the scanner among them."""
    for first in range(0, sources, _BATCH):
        number = first // _BATCH
        numbers = range(first, min(first + _BATCH, sources))
        clients = [_IPV4 + (0x0B000000 + one).to_bytes(4, "big") for one in numbers]
        servers = [_VICTIM] * len(clients)
        # A hundred targets in as many batches of the largest flood; the smallest gets them all as well.
        targets = max(1, _TARGETS * _BATCH // sources)
        clients += [_SCANNER] * targets
        servers += [_IPV4 + bytes([10, 1, 1, (number * targets + one) % 250]) for one in range(targets)]
        yield Traffic.of(flow_minutes=_knocks(clients, servers, _START_NS + number * _BATCH_NS))


def _knocks(clients: list[bytes], servers: list[bytes], at_ns: int) -> pl.DataFrame:
    rows = pl.DataFrame({"client_ip": clients, "server_ip": servers})
    at = pl.lit(at_ns).cast(pl.Datetime("ns", "UTC"))
    told = {
        "ip_proto": pl.lit(_TCP),
        "server_port": pl.lit(502),
        "first_ts": at,
        "last_ts": at,
        "minute": at.dt.truncate("1m"),
        "first_frame": pl.int_range(1, pl.len() + 1),
        "syn_frame": pl.int_range(1, pl.len() + 1),
        "packets_c2s": pl.lit(1),
        "role_source": pl.lit("syn"),
        "client_ip": pl.col("client_ip"),
        "server_ip": pl.col("server_ip"),
    }
    return rows.select(
        told.get(name, pl.lit(_BLANK.get(kind, 0))).cast(kind).alias(name)
        for name, kind in FLOW_MINUTE_SCHEMA.items()
    )


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def _measured(sources: int) -> Flooded:
    behaviour = Behaviour(site(100, 100), "", "")
    before = 0
    cpu_s = 0.0
    for number, traffic in enumerate(batches(sources)):
        started = time.process_time()
        behaviour.feed(traffic)
        cpu_s += time.process_time() - started
        if number == 0:
            before = _resident_bytes()
    grown_bytes = _resident_bytes() - before
    found = sorted({f"{finding.kind} {finding.title}" for finding in behaviour.finish("")})
    return Flooded(sources, cpu_s, behaviour.evicted.get("G1", 0), grown_bytes, tuple(found))


def flooded(sources: int) -> Flooded:
    """One flood in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "benchmarks.forged", str(sources)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Flooded(**{**told, "found": tuple(told["found"])})


if __name__ == "__main__":
    print(json.dumps(asdict(_measured(int(sys.argv[1])))))
