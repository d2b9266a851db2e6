"""OPC UA calls against the rule r7: signed, users by certificate, read, browse and write, one node written."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks.seg_05 import OperationNotAllowed
from sensors.records import OPCUA
from tests.policy.factories import HISTORIAN, PLC, SITE, Wire, compiled, only, packed

CHECK = OperationNotAllowed()
LIMIT, SPEED = "ns=2;s=Limit", "ns=2;s=Speed"
RULE = (
    "  - {id: r7, src: [hist1], dst: [plc1], service: opcua, port: 4840, min_mode: Sign, auth: [certificate],\n"
    f'     services: [read, browse, write], write_nodes: ["{LIMIT}", "i=2255"]}}\n'
)
REVERSE = f"""\
- id: c-plant
  from: plant
  to: dmz
  allow:
{RULE.replace("r7", "r8").replace("src: [hist1], dst: [plc1]", "src: [plc1], dst: [hist1]")}"""
OFFICE = "- id: c-office"


def with_rule(rule: str = RULE) -> str:
    return SITE.replace(OFFICE, rule + OFFICE)


def called(service: str, **more: Any) -> Wire:
    """One call: signed, by certificate, answered, unless said otherwise."""
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC, 4840)
    wire.minute(flow, service="opcua", confidence="handshake")
    said = {
        "message_type": "MSG",
        "outcome": "answered",
        "security_mode": "sign",
        "user_kind": "certificate",
        "confidence": "handshake",
        "request_frame": 5,
        "response_frame": 6,
        **more,
    }
    wire.add(OPCUA, flow, service=service, **said)
    return wire


def written(*nodes: str, **more: Any) -> Wire:
    figures = {"operations": len(nodes), "values_written": ["1"] * len(nodes), **more}
    return called("Write", nodes=list(nodes), **figures)


def found(wire: Wire, site: str | None = None) -> dict[str, Any] | None:
    mine = compiled(site or with_rule())
    violations = CHECK.violations(mine, wire.judged(mine))
    return None if violations.is_empty() else only(violations)


@pytest.mark.parametrize("service", ["Read", "Browse", "TranslateBrowsePathsToNodeIds", "RegisterNodes"])
def test_ignores_services_of_allowed_groups(service: str) -> None:
    assert found(called(service)) is None


@pytest.mark.parametrize(
    ("service", "operation", "confirmed"),
    [
        ("Call", "opcua.call", True),
        ("CreateSubscription", "opcua.read", False),
        ("HistoryRead", "opcua.read", False),
        ("AddNodes", "opcua.configure", True),
        ("RegisterServer2", "opcua.configure", True),
    ],
)
def test_reports_services_of_other_groups(service: str, operation: str, confirmed: bool) -> None:
    violation = found(called(service))
    assert violation is not None
    assert (violation["operation"], violation["confirmed"]) == (operation, confirmed)
    assert violation["examples"][0]["nearest"] == "r7: only services read, browse, write"


@pytest.mark.parametrize("service", ["GetEndpoints", "FindServers", "CreateSession", "ActivateSession", ""])
def test_opening_a_session_and_finding_servers_is_part_of_any_use(service: str) -> None:
    assert found(called(service, security_mode="none", user_kind="anonymous")) is None


@pytest.mark.parametrize("mode", ["sign", "sign_and_encrypt", "sign_or_encrypt", "unknown"])
def test_ignores_modes_that_are_good_enough_or_not_seen(mode: str) -> None:
    assert found(called("Read", security_mode=mode)) is None


def test_reports_a_weaker_mode() -> None:
    violation = found(called("Read", security_mode="none"))
    assert violation is not None
    assert violation["examples"][0]["nearest"] == "r7: only mode Sign or better"
    strict = with_rule(RULE.replace("min_mode: Sign", "min_mode: SignAndEncrypt"))
    violation = found(called("Read"), strict)
    assert violation is not None
    assert violation["examples"][0]["nearest"] == "r7: only mode SignAndEncrypt"


@pytest.mark.parametrize(("user", "fires"), [("anonymous", True), ("user_name", True), ("unknown", False)])
def test_reports_other_kinds_of_users(user: str, fires: bool) -> None:
    violation = found(called("Read", user_kind=user))
    assert (violation is not None) == fires
    if violation:
        assert violation["examples"][0]["nearest"] == "r7: only certificate users"


@pytest.mark.parametrize("nodes", [(LIMIT,), (LIMIT, LIMIT), ("i=2255", LIMIT), ("ns=0;i=2255",)])
def test_ignores_writes_of_the_rule_s_nodes(nodes: tuple[str, ...]) -> None:
    assert found(written(*nodes)) is None


@pytest.mark.parametrize("nodes", [(SPEED,), (LIMIT, SPEED), (f"{LIMIT}|{SPEED}",), ("ns=3;s=Limit",)])
def test_reports_writes_of_other_nodes(nodes: tuple[str, ...]) -> None:
    violation = found(written(*nodes))
    assert violation is not None
    assert (violation["operation"], violation["confirmed"]) == ("opcua.write", True)
    assert violation["examples"][0]["nearest"] == f"r7: only writing {LIMIT}, i=2255"


def test_a_node_cannot_be_hidden_behind_more_than_a_row_holds() -> None:
    assert found(written(*[LIMIT] * 64, operations=64)) is None
    assert found(written(*[LIMIT] * 64, operations=65)) is not None


def test_a_node_with_the_separator_in_its_name_is_itself() -> None:
    wire = written(LIMIT, SPEED)
    other = written(f"{LIMIT}|{SPEED}")
    site = with_rule(RULE.replace(f'"{LIMIT}"', f'"{LIMIT}", "{SPEED}"'))
    assert found(wire, site) is None
    assert found(other, site) is not None


def test_says_what_was_written_and_by_whom() -> None:
    violation = found(written(SPEED, values_written=["0"]))
    assert violation is not None
    example = violation["examples"][0]
    assert example["text"] == f"Write {SPEED} = 0, mode sign, certificate user, confirmed"
    assert example["frame"] == 5
    assert CHECK.title_of(violation) == "an OPC UA write that the rule does not allow"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"outcome": "exception", "status_name": "BadUserAccessDenied"}, "refused with BadUserAccessDenied"),
        ({"outcome": "unanswered"}, "unanswered"),
        ({"operations_failed": 1}, "answered"),
    ],
)
def test_a_write_that_did_not_succeed_is_attempted(more: dict[str, Any], words: str) -> None:
    violation = found(written(SPEED, **more))
    assert violation is not None
    assert not violation["confirmed"]
    assert violation["examples"][0]["text"].endswith(words)


def test_a_connection_that_the_server_opened_is_held_against_the_opener_s_rule() -> None:
    site = with_rule("") + REVERSE
    for service, fires in (("Read", False), ("Call", True)):
        wire = Wire()
        flow = wire.flow(PLC, HISTORIAN, 4840)
        wire.minute(flow, service="opcua", confidence="handshake")
        wire.add(
            OPCUA,
            flow,
            service=service,
            message_type="MSG",
            outcome="answered",
            security_mode="sign",
            user_kind="certificate",
            confidence="handshake",
            reversed=True,
            request_frame=5,
            client_ip=packed(HISTORIAN),
            server_ip=packed(PLC),
            client_port=4840,
            server_port=50_000,
        )
        violation = found(wire, site)
        assert (violation is not None) == fires
        if violation:
            assert (violation["client_ip"], violation["conduit"]) == (packed(HISTORIAN), "c-plant")
            assert "lets zone Concentrator (plant) talk opcua to zone dmz" in CHECK.why(
                compiled(site), violation
            )


def test_a_conversation_that_no_rule_allows_is_not_judged_here() -> None:
    assert found(called("Call"), SITE) is None


def test_an_empty_list_of_services_allows_none() -> None:
    site = with_rule(RULE.replace("services: [read, browse, write]", "services: []"))
    violation = found(called("Read"), site)
    assert violation is not None
    assert violation["examples"][0]["nearest"] == "r7: only services none"


def test_a_rule_without_limits_allows_everything() -> None:
    site = with_rule("  - {id: r7, src: [hist1], dst: [plc1], service: opcua}\n")
    assert found(called("Call", security_mode="none", user_kind="anonymous"), site) is None
