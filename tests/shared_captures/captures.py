"""Where the shared captures are, and what others say of them."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from sensors.engine import decode
from sensors.records import table

#: Set this where the folder is somewhere else than beside the repository.
FOLDER_VARIABLE = "GEOPHONE_SHARED_CAPTURES"

FOLDER = Path(os.environ.get(FOLDER_VARIABLE) or Path(__file__).resolve().parents[3] / "shared" / "captures")

NAMES = (
    "01-icsnpp-modbus-modbus_example.pcap",
    "02-suricata-verify-modbus.pcap",
    "03-ICS-Security-Tools-mb2.pcap",
    "04-icsnpp-opcua-binary-open62541_client-server_mainloop.pcap",
    "05-icsnpp-opcua-binary-open62541_client-server_encrypted.pcap",
    "06-open62541-unified_cpp_none.pcap",
    "07-suricata-verify-mqtt311-pub-qos2.pcap",
    "08-suricata-verify-mqtt5-pub-mosquittoprops.pcap",
    "09-suricata-verify-mqtt5_pub_jpeg.pcap",
    "10-ipfixprobe-mqtt.pcap",
    "11-zeek-http-qinq-0.pcap",
    "12-tcptrace-discard.solaris.dmp.gz",
)

needs_captures = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason=f"the shared captures are not at {FOLDER}: set {FOLDER_VARIABLE} to their folder",
)


@cache
def oracle() -> dict[str, dict[str, Any]]:
    """What Wireshark says, by capture."""
    answers: dict[str, dict[str, Any]] = json.loads((FOLDER / "oracle.json").read_text())["captures"]
    return answers


@cache
def rows(name: str, table_name: str) -> pl.DataFrame:
    """All rows of one table of a shared capture."""
    with decode(FOLDER / name) as run:
        batches = [batches[table_name] for batches in run if table_name in batches]
    return pl.DataFrame(pa.Table.from_batches(batches, schema=table(table_name).schema()))


def expected(name: str, *parts: str) -> Path:
    """A file that the capture's publishers expect their own tool to write."""
    return FOLDER.joinpath("expected", name, *parts)


def zeek_log(path: Path) -> list[dict[str, str]]:
    """A Zeek log's rows by field name; a log without a header has names `0`, `1`, …"""
    fields: list[str] = []
    found = []
    for line in path.read_text().splitlines():
        if line.startswith("#fields"):
            fields = line.split("\t")[1:]
        elif line and not line.startswith("#"):
            cells = line.split("\t")
            found.append(dict(zip(fields or map(str, range(len(cells))), cells, strict=True)))
    return found
