"""A draft loads, allows what was seen, and nothing beside it."""

from __future__ import annotations

from functools import cache

import pytest

from analyzers.drafting.draft import PORTS_LIMIT, Draft
from analyzers.drafting.seen import Seen
from geophone.policy_learning import drafted
from geophone.runner import replay
from pcaps import sample
from policy.explain import explain
from policy.loader import LoadedPolicy, loads
from policy.zoning import compile_site
from sensors.capture import open_capture
from tests.policy.factories import HISTORIAN, NOON, PLC, PUBLIC, Wire, compiled

#: What no rule allows, because it is no conversation: one device in two zones, an address that moves, mail.
NO_MATTER_OF_RULES = {"SEG-07", "SEG-10", "SEG-14"}


@cache
def policy_of(name: str) -> LoadedPolicy:
    return loads(drafted([open_capture(sample(name).capture)]).yaml("s-1", name="S", tz="UTC"))


@pytest.mark.parametrize(
    "name",
    [
        "modbus-malformed",
        "modbus-survey",
        "mqtt-misuse",
        "network-scan",
        "new-device",
        "opcua-exposed",
        "remote-pivot",
        "split-write",
    ],
)
def test_under_the_draft_of_a_capture_the_capture_violates_nothing(name: str) -> None:
    result = replay(open_capture(sample(name).capture), policy_of(name))
    segmentation = {one.kind for one in result.findings if one.kind.startswith("SEG")}
    assert segmentation <= NO_MATTER_OF_RULES


def test_another_capture_of_the_same_site_violates_the_draft() -> None:
    # The twin's draft knows no office workstation that writes to the pumps.
    result = replay(open_capture(sample("split-write").capture), policy_of("split-write-benign"))
    assert {one.src_ip for one in result.findings if one.kind.startswith("SEG")} == {"10.240.0.5"}


def test_the_same_capture_gives_the_same_draft() -> None:
    again = drafted([open_capture(sample("mqtt-misuse").capture)]).yaml("s-1", name="S", tz="UTC")
    assert again == policy_of("mqtt-misuse").text


def seen(wire: Wire) -> Draft:
    found = Seen()
    found.feed(wire.traffic(compiled()))
    return Draft(found)


def test_a_modbus_rule_allows_what_was_asked_and_says_how_often_it_was_seen() -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC)
    wire.minute(flow, service="modbus", confidence="structure")
    wire.modbus(flow, 3, address=10, quantity=5)
    wire.modbus(flow, 16, address=300, quantity=2, unit=2)
    text = seen(wire).yaml("mine", name="Mine", tz="UTC")
    assert "units: [1, 2], functions: [3, 16], read: [[10, 14]], write: [[300, 301]]" in text
    assert "# Seen in 1 minutes of flows, 2026-11-23 12:00:00 to 2026-11-23 12:00:00 UTC." in text
    site = compile_site(loads(text).site)
    assert explain(site, HISTORIAN, PLC, "modbus", 502).allowed
    assert not explain(site, HISTORIAN, PLC, "http", 80).allowed
    assert not explain(site, PLC, HISTORIAN, "modbus", 502).allowed


def test_public_addresses_are_one_zone_and_only_those_that_were_seen() -> None:
    wire = Wire()
    wire.minute(wire.flow(PLC, PUBLIC, 443), service="tls", confidence="handshake")
    policy = loads(seen(wire).yaml("mine", name="Mine", tz="UTC"))
    outside = next(zone for zone in policy.site.zones if zone.id == "outside")
    assert [str(cidr) for cidr in outside.cidrs] == [f"{PUBLIC}/32"]


def test_a_scan_of_many_ports_becomes_one_rule() -> None:
    wire = Wire()
    for port in range(1, PORTS_LIMIT + 2):
        wire.minute(wire.flow(HISTORIAN, PLC, port, at=NOON + port), established=False)
    assert seen(wire).counts() == {"zones": 2, "conduits": 1, "rules": 1}


def test_what_stays_on_its_link_is_in_no_zone() -> None:
    wire = Wire()
    wire.minute(wire.flow(HISTORIAN, "224.0.0.251", 5353, ip_proto=17))
    assert seen(wire).counts() == {"zones": 0, "conduits": 0, "rules": 0}
