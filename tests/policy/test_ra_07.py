"""RA-07: an unsanctioned tool of remote access."""

from __future__ import annotations

import polars as pl
import pytest

from policy.checks.ra_07 import TOOLS, UnsanctionedTool
from sensors.records import SERVICES
from tests.policy.factories import (
    OFFICE_HOST,
    PLC,
    PORT_HOST,
    PUBLIC,
    SITE,
    Wire,
    compiled,
    conversation,
    only,
)

CHECK = UnsanctionedTool()
HOST = "10.20.0.77"


def _found(wire: Wire, site: str = SITE) -> pl.DataFrame:
    mine = compiled(site)
    return CHECK.violations(mine, wire.judged(mine))


@pytest.mark.parametrize("tool", list(TOOLS))
def test_reports_a_tool_by_its_structure(tool: str) -> None:
    found = only(_found(conversation(HOST, PUBLIC, 443, service=tool, confidence="structure")))
    assert CHECK.title_of(found).endswith(TOOLS[tool])
    assert "no rule of the policy allows" in CHECK.why(compiled(), found)


def test_reports_who_comes_in_by_one() -> None:
    assert _found(conversation(PUBLIC, PLC, 51820, service="wireguard", confidence="handshake")).height == 1


@pytest.mark.parametrize(
    ("client", "service", "confidence"),
    [(HOST, "teamviewer", "port"), (HOST, "https", "handshake"), (OFFICE_HOST, "teamviewer", "structure")],
)
def test_ignores_ports_other_protocols_and_the_office(client: str, service: str, confidence: str) -> None:
    assert _found(conversation(client, PUBLIC, 5938, service=service, confidence=confidence)).is_empty()


def test_ignores_what_a_rule_allows() -> None:
    rule = (
        "- id: c-vpn\n  from: plant\n  to: port\n  allow:\n"
        "  - {id: r9, service: openvpn, reason: vpn, owner: ot, expires: 2027-06-30}\n- id: c-office"
    )
    wire = conversation(HOST, PORT_HOST, 1194, service="openvpn", confidence="handshake")
    assert _found(wire).height == 1
    assert _found(wire, SITE.replace("- id: c-office", rule)).is_empty()


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("relay-1a.net.anydesk.com", "AnyDesk"),
        ("Router7.TeamViewer.com", "TeamViewer"),
        ("x.ngrok.io", "ngrok"),
    ],
)
def test_reports_the_name_that_is_asked_for(name: str, tool: str) -> None:
    wire = Wire()
    flow = wire.flow(HOST, PUBLIC, 443)
    wire.minute(flow, service="https", confidence="handshake")
    wire.add(SERVICES, flow, service="https", host_name=name, confidence="handshake", frame=7)
    found = only(_found(wire))
    assert CHECK.title_of(found).endswith(tool)
    assert found["examples"][0]["text"] == f"asks for {name} by https"


@pytest.mark.parametrize("name", ["teamviewer.com.example", "myanydesk.com", "updates.example", ""])
def test_ignores_other_names(name: str) -> None:
    wire = Wire()
    wire.add(SERVICES, wire.flow(HOST, PUBLIC, 443), service="https", host_name=name, frame=7)
    assert _found(wire).is_empty()
