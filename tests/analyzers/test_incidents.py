"""Incidents: what is tied is one, what is not stays apart, and neither order nor portions matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.findings import Severity
from analyzers.incidents import Tie, grouped, incidents_of
from tests.store.samples import finding

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
VENDOR, OTHER, PLC, PUMP, HMI = "203.0.113.5", "203.0.113.9", "10.20.0.11", "10.20.0.12", "10.20.0.20"


def tie(name: str, src: str, dst: str, minute: int, *, kind: str = "SEG-01", **more: object) -> Tie:
    given: dict[str, object] = {
        "id": name,
        "site": "mine-a",
        "kind": kind,
        "src_ip": src,
        "dst_ip": dst,
        "conduit": "",
        "first_ns": minute * MINUTE_NS,
        "last_ns": minute * MINUTE_NS,
    }
    return Tie(**(given | more))  # type: ignore[arg-type]


def names(ties: Sequence[Tie]) -> list[list[str]]:
    return [[one.id for one in group] for group in grouped(ties)]


def test_one_actor_in_two_zones_is_one_incident() -> None:
    assert names([tie("a", VENDOR, PLC, 0), tie("b", VENDOR, PUMP, 59)]) == [["a", "b"]]


def test_two_actors_at_one_device_are_two() -> None:
    assert names([tie("a", VENDOR, PLC, 0), tie("b", OTHER, PLC, 1)]) == [["a"], ["b"]]


def test_a_conversation_is_one_whoever_speaks() -> None:
    assert names([tie("a", VENDOR, PLC, 0), tie("b", PLC, VENDOR, 5)]) == [["a", "b"]]


def test_an_hour_is_one_incident_and_a_nanosecond_more_is_two() -> None:
    later = tie("b", VENDOR, PLC, 60)
    assert names([tie("a", VENDOR, PLC, 0), later]) == [["a", "b"]]
    assert names([tie("a", VENDOR, PLC, 0), replace(later, first_ns=HOUR_NS + 1, last_ns=HOUR_NS + 1)]) == [
        ["a"],
        ["b"],
    ]


def test_the_hour_counts_from_the_end_of_what_goes_on() -> None:
    long = replace(tie("a", VENDOR, PLC, 0), last_ns=5 * HOUR_NS)
    assert names([long, tie("b", VENDOR, PLC, 30), tie("c", VENDOR, PLC, 6 * 60)]) == [["a", "b", "c"]]


def test_a_degraded_link_and_an_attack_on_it_are_one_incident() -> None:
    outage = tie("outage", HMI, PLC, 10, kind="SLA-01")
    assert names([tie("attack", VENDOR, PLC, 5, kind="M5"), outage]) == [["attack", "outage"]]
    # what was done to the client makes its polls fail as well
    assert names([tie("attack", VENDOR, HMI, 5, kind="M5"), outage]) == [["attack", "outage"]]


def test_an_attack_elsewhere_or_long_before_is_not_the_outage() -> None:
    outage = tie("outage", HMI, PLC, 10, kind="SLA-01", conduit="c-hist")
    assert names([tie("attack", VENDOR, PUMP, 5, conduit="c-hist"), outage]) == [["attack"], ["outage"]]
    assert names([tie("attack", VENDOR, PLC, -51), outage]) == [["attack"], ["outage"]]


def test_loss_of_a_conduit_is_one_incident_with_what_went_through_it() -> None:
    loss = tie("loss", HMI, PLC, 10, kind="SLA-04", conduit="c-hist")
    assert names([tie("flood", VENDOR, PUMP, 9, kind="G3", conduit="c-hist"), loss]) == [["flood", "loss"]]
    assert names([tie("flood", VENDOR, PUMP, 9, kind="G3", conduit="c-other"), loss]) == [["flood"], ["loss"]]


def test_nobody_known_is_no_actor_and_many_are_no_target() -> None:
    assert names([tie("a", "", PLC, 0), tie("b", "", PUMP, 1)]) == [["a"], ["b"]]
    assert names([tie("a", VENDOR, "", 0), tie("b", OTHER, "", 1)]) == [["a"], ["b"]]


def test_sites_do_not_mix() -> None:
    assert names([tie("a", VENDOR, PLC, 0), tie("b", VENDOR, PLC, 0, site="mine-b")]) == [["a"], ["b"]]


def test_an_incident_is_named_by_its_first_finding_and_called_by_its_gravest() -> None:
    first = finding(1, severity=Severity.LOW, src_ip=VENDOR, first_ns=10, last_ns=500)
    worst = finding(2, severity=Severity.CRITICAL, src_ip=VENDOR, first_ns=20, last_ns=30)
    (incident,) = incidents_of([worst, first, worst])
    assert (incident.id, incident.worst.id, incident.severity) == (first.id, worst.id, Severity.CRITICAL)
    assert (incident.first_ns, incident.last_ns, len(incident.findings)) == (10, 500, 2)


ADDRESSES = st.sampled_from(["", "a", "b", "c", "d"])


@st.composite
def many_ties(draw: st.DrawFn) -> list[Tie]:
    ties = []
    for number in range(draw(st.integers(0, 14))):
        first = draw(st.integers(0, 400))
        ties.append(
            replace(
                tie(
                    f"{number:02}",
                    draw(ADDRESSES),
                    draw(ADDRESSES),
                    first,
                    kind=draw(st.sampled_from(["SEG-05", "M5", "SLA-01", "SLA-03"])),
                    conduit=draw(st.sampled_from(["", "c1", "c2"])),
                ),
                last_ns=(first + draw(st.integers(0, 90))) * MINUTE_NS,
            )
        )
    return ties


def tied(one: Tie, other: Tie) -> bool:
    """The rules as they are written down, pair by pair: the slow way."""
    if max(one.first_ns, other.first_ns) - min(one.last_ns, other.last_ns) > HOUR_NS:
        return False
    if one.src_ip and one.src_ip == other.src_ip:
        return True
    if all((one.src_ip, one.dst_ip)) and {one.src_ip, one.dst_ip} == {other.src_ip, other.dst_ip}:
        return True
    for level, done in ((one, other), (other, one)):
        if not level.kind.startswith("SLA-"):
            continue
        if done.kind.startswith("SLA-"):
            if {level.src_ip, level.dst_ip} & {done.src_ip, done.dst_ip} - {""}:
                return True
            scopes = level.kind == done.kind == "SLA-03"
            if scopes and level.conduit and level.conduit == done.conduit:
                return True
            continue
        if done.dst_ip and done.dst_ip in (level.src_ip, level.dst_ip):
            return True
        if level.kind == "SLA-03" and level.conduit and level.conduit == done.conduit:
            return True
    return False


def reference(ties: Sequence[Tie]) -> set[frozenset[str]]:
    groups = [{one.id} for one in ties]
    for one, other in combinations(ties, 2):
        if tied(one, other):
            joined = [group for group in groups if group & {one.id, other.id}]
            groups = [group for group in groups if not group & {one.id, other.id}] + [set().union(*joined)]
    return {frozenset(group) for group in groups}


@settings(max_examples=150, deadline=None)
@given(many_ties(), st.randoms(use_true_random=False))
def test_groups_are_what_the_rules_tie_in_any_order(ties: list[Tie], random: Random) -> None:
    shuffled = list(ties)
    random.shuffle(shuffled)
    assert grouped(shuffled) == grouped(ties)
    assert {frozenset(one.id for one in group) for group in grouped(ties)} == reference(ties)


@settings(max_examples=100, deadline=None)
@given(many_ties(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_portions_one_after_the_other_give_the_same_incidents(
    ties: list[Tie], random: Random, portion: int
) -> None:
    whole = grouped(ties)
    arriving = list(ties)
    random.shuffle(arriving)
    known: list[Tie] = []
    for start in range(0, len(arriving), portion):
        groups = grouped([*known, *arriving[start : start + portion]])
        known = [replace(one, incident=group[0].id) for group in groups for one in group]
    assert [[one.id for one in group] for group in grouped(known)] == [
        [o.id for o in group] for group in whole
    ]
