"""`geophone inventory` and `geophone registers`, run as a user does."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from tests.geophone.conftest import Geophone
from tests.sensors.talks import talk
from tests.support.pcap_bytes import pcap

SITE = """\
schema: 1
site: {id: small, name: "Small site", tz: UTC}
zones:
- {id: control, name: "Control", purdue: 2, criticality: C2, cidrs: [10.1.0.0/24], internet: deny, sensors: [s1]}
conduits: []
"""


def capture(folder: Path) -> Path:
    """Four reads of two registers each, from 10.1.0.5 to 10.1.0.9."""
    path = folder / "four.pcap"
    path.write_bytes(pcap(talk(4)))
    return path


def test_the_inventory_as_a_table_names_both_ends(geophone: Geophone, tmp_path: Path) -> None:
    policy = tmp_path / "site.yaml"
    policy.write_text(SITE)
    shown = geophone("inventory", capture(tmp_path), "--policy", policy)
    assert shown.returncode == 0, shown.stderr
    client, server = (line for line in shown.stdout.splitlines() if line.startswith("10."))
    assert "Modbus client" in client
    assert "control" in server
    assert "modbus/502" in server


def test_the_inventory_as_json_says_who_told_it(geophone: Geophone, tmp_path: Path) -> None:
    assets = json.loads(geophone("inventory", capture(tmp_path), "--json").stdout)
    assert [asset["ip"] for asset in assets] == ["10.1.0.5", "10.1.0.9"]
    assert assets[1]["roles"] == [{"value": "Modbus server", "sources": ["flows"]}]


def test_the_inventory_as_csv_has_a_line_a_device(geophone: Geophone, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(geophone("inventory", capture(tmp_path), "--csv").stdout)))
    assert [(row["ip"], row["offers"]) for row in rows] == [("10.1.0.5", ""), ("10.1.0.9", "modbus/502")]


def test_registers_have_their_last_value(geophone: Geophone, tmp_path: Path) -> None:
    # The n-th transaction reads the addresses n and n + 1, and is told n and n modulo 7.
    rows = json.loads(geophone("registers", capture(tmp_path), "--json").stdout)
    assert {row["address"]: row["value"] for row in rows} == {0: 0, 1: 1, 2: 2, 3: 3, 4: 3}
    assert {(row["server"], row["port"], row["unit"], row["table"]) for row in rows} == {
        ("10.1.0.9", 502, 1, "holding")
    }


def test_registers_can_be_chosen(geophone: Geophone, tmp_path: Path) -> None:
    path = capture(tmp_path)
    assert json.loads(geophone("registers", path, "--json", "--server", "10.1.0.8").stdout) == []
    assert json.loads(geophone("registers", path, "--json", "--table", "coils").stdout) == []
    changed = json.loads(geophone("registers", path, "--json", "--changed", "--unit", "1").stdout)
    assert [row["address"] for row in changed] == [1, 2, 3]
    assert len(json.loads(geophone("registers", path, "--json", "--server", "10.1.0.9").stdout)) == 5


def test_a_server_that_is_no_address_is_refused_with_a_repair(geophone: Geophone, tmp_path: Path) -> None:
    refused = geophone("registers", capture(tmp_path), "--server", "plc1")
    assert refused.returncode == 2
    assert "--server plc1: write an IP address" in refused.stderr


def test_a_capture_without_modbus_says_so(geophone: Geophone, tmp_path: Path) -> None:
    path = tmp_path / "none.pcap"
    path.write_bytes(pcap([]))
    assert "No such Modbus register" in geophone("registers", path).stdout
    assert "No device" in geophone("inventory", path).stdout
