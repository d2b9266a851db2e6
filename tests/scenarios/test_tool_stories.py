"""Tools carried into a control room: what was planted is in the rows, what the twin does is not taken for it."""

from __future__ import annotations

import pytest

from pcaps import sample
from tests.pcaps.test_wireshark import TSHARK, fields
from tests.scenarios.decoded import rows

TOOLS, RECIPES = "lateral-tools", "lateral-tools-benign"
HISTORIAN, ENGINEERING, OPERATOR = "10.235.0.10", "10.225.0.40", "10.225.0.21"


def ways(name: str) -> set[tuple[str, str, int, str]]:
    """Who said what to whom, as services introduced themselves."""
    said = rows(name, "services").select("client_ip", "server_ip", "server_port", "service")
    return set(said.rows())


def test_the_program_and_the_orders_are_in_one_capture_and_the_recipes_in_both() -> None:
    recipes = (HISTORIAN, ENGINEERING, 445, "smb")
    assert ways(RECIPES) == {recipes}
    assert ways(TOOLS) == {
        recipes,
        (HISTORIAN, OPERATOR, 445, "smb"),
        (HISTORIAN, ENGINEERING, 8_085, "winrm"),
    }


def test_each_planted_way_is_one_conversation() -> None:
    for one in (one for one in sample(TOOLS).planted if one.id == "G4"):
        said = rows(TOOLS, "services").filter(
            (rows(TOOLS, "services")["server_ip"] == one.dst_ip)
            & (rows(TOOLS, "services")["service"] == one.service)
        )
        assert said.height == one.count
        assert one.first <= said["ts"][0] <= one.last


@pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
def test_wireshark_sees_the_program_on_its_way_and_in_the_twin_none() -> None:
    opened = {name for (name,) in fields(sample(TOOLS), "smb2.filename", "smb2.filename")}
    assert opened == {"pump1.csv", "report.csv", "PSEXESVC.exe", "svcctl", "PSEXESVC"}
    opened = {name for (name,) in fields(sample(RECIPES), "smb2.filename", "smb2.filename")}
    assert opened == {"pump1.csv", "report.csv"}
