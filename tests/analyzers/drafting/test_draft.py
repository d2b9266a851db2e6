"""A draft loads, allows what was seen, and nothing beside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from analyzers.drafting.draft import PORTS_LIMIT, Draft
from analyzers.drafting.learned import LearnedFacts
from analyzers.drafting.seen import Seen
from analyzers.frames import frame_of
from geophone.baselining import learn
from geophone.errors import UsageProblem
from geophone.policy_learning import drafted, drafted_from_store
from geophone.runner import replay
from pcaps import sample
from policy.explain import explain
from policy.loader import LoadedPolicy, load, loads
from policy.zoning import compile_site
from sensors.capture import open_capture
from sensors.records import FLOWS, MODBUS, OPERATIONS
from store.client import open_store
from tests.policy.factories import HISTORIAN, NOON, PLC, PUBLIC, Wire, packed

_FLOW_COLUMNS = {column.name for column in FLOWS.columns}

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
    """The draft of what was written on the wire: a flow's only minute is its whole."""
    found = Seen()
    for start, minute in zip(wire.starts, wire.minutes, strict=True):
        both = {name: value for name, value in (start | minute).items() if name in _FLOW_COLUMNS}
        wire.add(FLOWS, **(both | {"ts": minute["first_ts"], "flow_id": start["flow_id"]}))
    batches = wire.batches()
    found.feed(*(frame_of(batches, table) for table in (FLOWS, MODBUS, OPERATIONS)))
    return Draft(found)


def test_a_modbus_rule_allows_what_was_asked_and_says_how_often_it_was_seen() -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC)
    wire.minute(flow, service="modbus", confidence="structure")
    wire.modbus(flow, 3, address=10, quantity=5)
    wire.modbus(flow, 16, address=300, quantity=2, unit=2)
    text = seen(wire).yaml("mine", name="Mine", tz="UTC")
    assert "units: [1, 2], functions: [3, 16], read: [[10, 14]], write: [[300, 301]]" in text
    assert "# Seen in 1 flows, 2026-11-23 12:00:00 to 2026-11-23 12:00:00 UTC." in text
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


def test_a_rule_for_a_control_protocol_names_what_was_done_in_it_whoever_asked() -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC, 102)
    wire.minute(flow, service="s7comm", confidence="handshake")
    said = {"service": "s7comm", "outcome": "answered", "confidence": "handshake"}
    for name, kind in [
        ("read variables", "read"),
        ("stop", "stop"),
        ("connect", "session"),
        ("start (warm)", "start"),
    ]:
        wire.add(OPERATIONS, flow, operation=name, operation_class=kind, **said)
    asks_back = {
        "client_ip": wire.starts[0]["server_ip"], "server_ip": wire.starts[0]["client_ip"], "client_port": 102,
        "server_port": 50_000,
    }  # fmt: skip
    wire.add(OPERATIONS, flow, operation="download block", operation_class="program", **said, **asks_back)
    text = seen(wire).yaml("mine", name="Mine", tz="UTC")
    assert (
        'service: s7comm, port: 102, transport: tcp, operations: [read, "download block", "start (warm)", "stop"]'
        in text
    )
    assert loads(text).site.conduits[0].allow[0].operations == (
        "read",
        "download block",
        "start (warm)",
        "stop",
    )


@pytest.mark.parametrize("name", ["modbus-survey", "opcua-exposed"])
def test_a_store_gives_the_same_draft_as_its_captures(name: str, tmp_path: Path) -> None:
    capture = open_capture(sample(name).capture)
    with open_store(tmp_path / "kept") as store:
        replay(capture, load(sample(name).policy), store=store)
    draft, site = drafted_from_store(str(tmp_path / "kept"), "")
    assert site == load(sample(name).policy).site.id
    assert draft.yaml("s-1", name="S", tz="UTC") == policy_of(name).text


def test_a_store_without_the_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="nothing of a site mine; it has no finished replay"):
        drafted_from_store(str(tmp_path / "new"), "mine")


@pytest.mark.parametrize("name", ["opcua-exposed", "split-write"])
def test_a_baseline_gives_the_same_rules_as_far_as_it_knows(name: str) -> None:
    # All that was seen once counts, and the capture's own draft forbids none of it.
    policy = policy_of(name)
    baseline = learn([open_capture(sample(name).capture)], policy, min_count=1)
    known = loads(Draft(LearnedFacts(baseline)).yaml("s-1", name="S", tz="UTC"))
    carried = {
        (row["client_ip"], row["server_ip"], row["server_port"])
        for row in baseline.facts.filter(pl.col("kind") == "conversation").iter_rows(named=True)
    }
    # A baseline keeps no conversation that carried nothing, no address that was only read, and nothing refused.
    expected = {
        (conduit.from_zone, conduit.to_zone, rule.src, rule.dst, rule.service, rule.port, rule.units, rule.functions,
         rule.write)
        for conduit in policy.site.conduits
        for rule in conduit.allow
        if (packed((rule.src or ("",))[0]), packed((rule.dst or ("",))[0]), rule.port or 0) in carried
    }  # fmt: skip
    found = {
        (conduit.from_zone, conduit.to_zone, rule.src, rule.dst, rule.service, rule.port, rule.units, rule.functions,
         rule.write)
        for conduit in known.site.conduits
        for rule in conduit.allow
    }  # fmt: skip
    assert found
    assert found == expected
    assert all(rule.read is None for conduit in known.site.conduits for rule in conduit.allow)
