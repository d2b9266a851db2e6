"""The rule book against the obvious way: every rule tried, in order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from policy.explain import explain
from policy.verdict import Key
from tests.policy.factories import (
    HISTORIAN,
    ICMP,
    OFFICE_HOST,
    PLC,
    PORT_HOST,
    PUBLIC,
    Wire,
    compiled,
    packed,
)

MINE = compiled()

ZONES = """\
schema: 1
site: {id: s, name: s, tz: UTC}
zones:
- {id: a, purdue: 3, cidrs: [10.1.0.0/24]}
- {id: b, purdue: 2, cidrs: [10.2.0.0/24]}
conduits:
- id: c
  from: a
  to: b
  allow:
"""

_sources = st.sampled_from(
    ["", "src: [10.1.0.1]", "src: [10.1.0.1, 10.1.0.2]", "src: [10.1.0.0/30]", "src: [10.1.0.9]"]
)
_destinations = st.sampled_from(["", "dst: [10.2.0.1]", "dst: [10.2.0.0/31]", "dst: [10.2.0.5, 10.2.0.0/24]"])
_services = st.sampled_from(
    ["", "service: modbus", "service: ssh", "service: https", "service: dns", "service: icmp"]
)
_ports = st.sampled_from(["", "port: 502", "port: 22", "port: 5000"])
_transports = st.sampled_from(["", "", "transport: tcp", "transport: udp"])
rules = st.lists(st.tuples(_sources, _destinations, _services, _ports, _transports), min_size=1, max_size=8)
talks = st.lists(
    st.tuples(
        st.sampled_from(["10.1.0.1", "10.1.0.2", "10.1.0.9", "10.1.0.77"]),
        st.sampled_from(["10.2.0.0", "10.2.0.1", "10.2.0.5", "10.2.0.77"]),
        st.sampled_from([6, 17, 1]),
        st.sampled_from([502, 22, 443, 53, 5000, 7777]),
        st.sampled_from([("", "none"), ("modbus", "structure"), ("tls", "handshake"), ("ssh", "port")]),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=150)
@given(rules, talks)
def test_agrees_with_trying_every_rule(
    parts: list[tuple[str, ...]], conversations: list[tuple[str, str, int, int, tuple[str, str]]]
) -> None:
    lines = [", ".join(filter(None, (f"id: r{n}", *part))) for n, part in enumerate(parts)]
    site = compiled(ZONES + "".join(f"  - {{{line}}}\n" for line in lines))
    book = site.rules
    wire = Wire()
    for number, (client, server, proto, port, (service, confidence)) in enumerate(conversations):
        flow = wire.flow(client, server, port, ip_proto=proto, client_port=number)
        wire.minute(flow, service=service, confidence=confidence)
    judged = wire.judged(site).flow_minutes
    given = dict(judged.select("client_port", "verdict").iter_rows())
    for number, (client, server, proto, port, (service, confidence)) in enumerate(conversations):
        if proto == ICMP:
            continue
        verdict = book.verdicts[given[number]]
        decoded = confidence in ("structure", "handshake")
        src, dst = (book.selectors_of(packed(address)) for address in (client, server))
        key = Key("c", src, dst, proto, port, service if decoded else "", decoded)
        tried = [(len(rule.mismatches(key)), rule) for rule in book.rules]
        assert [r.number for r in verdict.rules] == [rule.number for misses, rule in tried if not misses]
        if not verdict.rules:
            fewest = min(misses for misses, _ in tried)
            named = next(rule for _, rule in tried if rule.rule.id == verdict.nearest.partition(":")[0])
            assert len(named.mismatches(key)) <= fewest + 1


def test_addresses_no_rule_names_are_one_class() -> None:
    book = MINE.rules
    assert {book.class_of(packed(a)) for a in ("10.35.0.99", PUBLIC, OFFICE_HOST)} == {0}
    assert book.class_of(packed(HISTORIAN)) != 0


def test_explain_names_the_rule_that_allows() -> None:
    answer = explain(MINE, "hist1", "plc1", "modbus")
    assert (answer.allowed, answer.conduit, answer.rules, answer.check) == (True, "c-hist", ("r1",), "")


def test_explain_names_the_nearest_rule_and_the_check_that_would_fire() -> None:
    answer = explain(MINE, "10.35.0.99", PLC, "modbus")
    assert (answer.allowed, answer.check, answer.nearest_rule) == (False, "SEG-04", "r1: only from hist1")


def test_explain_without_a_conduit() -> None:
    assert explain(MINE, "plc1", PORT_HOST, "ssh").check == "SEG-01"
    assert explain(MINE, OFFICE_HOST, "plc1", "modbus").check == "SEG-02"
    assert explain(MINE, "plc1", "hist1", "modbus").check == "SEG-03"
    assert explain(MINE, PUBLIC, "plc1", "modbus").check == "SEG-01"


def test_explain_inside_a_zone() -> None:
    assert explain(MINE, "plc1", "vsd1", "modbus").allowed
