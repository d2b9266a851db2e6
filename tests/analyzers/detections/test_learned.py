"""What shows beside a baseline, and readings that stand still; each beside what is as close as can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzers.baseline.bounds import believed
from analyzers.baseline.comparing import Acceptance, Baseline
from analyzers.behaviour import Behaviour
from analyzers.findings import Finding
from policy.zoning import CompiledSite
from tests.analyzers.baseline.teaching import taught
from tests.analyzers.detections.looking import MINE, of, only
from tests.policy.factories import (
    DRIVE,
    HISTORIAN,
    NOON,
    OTHER_DMZ_HOST,
    PLC,
    SECOND,
    SITE,
    Wire,
    compiled,
    packed,
)

SHIFT = 3_600 * SECOND


def wrote(*values: int, address: int = 300, at: int = NOON, client: str = HISTORIAN, **more: Any) -> Wire:
    """A register set to one value after the other."""
    wire = Wire()
    flow = wire.flow(client, PLC)
    for number, value in enumerate(values):
        wire.modbus(flow, 6, at=at + number * SECOND, address=address, values_written=[value], **more)
    return wire


def beside(baseline: Baseline, wire: Wire, site: CompiledSite = MINE) -> list[Finding]:
    behaviour = Behaviour(site, "p" * 64, "0", baseline)
    behaviour.feed(wire.traffic(site))
    return behaviour.finish("c" * 64)


def kinds(baseline: Baseline, wire: Wire, site: CompiledSite = MINE) -> list[str]:
    return [one.kind for one in beside(baseline, wire, site)]


USUAL = taught(wrote(900, 915, 905, 890, 910, 925, 900, 880, 905, 895))


@pytest.mark.parametrize(
    ("address", "client", "found"),
    [
        (300, HISTORIAN, []),
        (301, HISTORIAN, ["M1"]),
        (300, OTHER_DMZ_HOST, ["M1", "M2"]),
    ],
)
def test_a_write_is_new_by_who_wrote_where(address: int, client: str, found: list[str]) -> None:
    assert kinds(USUAL, wrote(900, address=address, client=client)) == found


def test_a_write_that_was_refused_is_told_and_less_grave() -> None:
    refused = wrote(900, address=301, outcome="exception", exception_code=2)
    (finding,) = beside(USUAL, refused)
    (done,) = beside(USUAL, wrote(900, address=301))
    # The controller is of criticality C1; the confirmed write is one graver, and 5 is the most.
    assert (finding.severity, done.severity) == (5, 5)
    assert "refused with exception 2" in finding.why
    assert "nothing shows that it went through" in finding.why


def test_a_known_client_that_asks_another_server_is_no_new_client() -> None:
    wire = Wire()
    wire.modbus(wire.flow(HISTORIAN, DRIVE), 3, address=0, quantity=2)
    assert kinds(USUAL, wire) == []


def test_a_response_nobody_asked_for_makes_no_client() -> None:
    wire = Wire()
    wire.modbus(wire.flow(OTHER_DMZ_HOST, PLC), 6, address=300, outcome="orphan")
    assert {"M1", "M2"}.isdisjoint(kinds(USUAL, wire))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((900, 920), False),
        ((880, 905), False),
        # The learned range is 880 to 925; a tenth of it, 4, may be missing on either side.
        ((929,), False),
        ((930,), True),
        ((876,), False),
        ((875,), True),
        # Within the range, and further at once than ever: 25 and 4.
        ((880, 910), True),
        ((5_000, 100), True),
    ],
)
def test_values_and_steps_outside_what_is_usual_are_reported(values: tuple[int, ...], found: bool) -> None:
    assert ("M3" in kinds(USUAL, wrote(*values))) == found


def test_the_finding_says_what_is_usual() -> None:
    (finding,) = [one for one in beside(USUAL, wrote(5_000, 100)) if one.kind == "M3"]
    assert finding.count == 2
    texts = [operation.text for operation in finding.evidence.operations]
    assert texts == [
        "unit 1, holding 300 set to 5000 after -, where 880 to 925 in steps of 25 is usual",
        "unit 1, holding 300 set to 100 after 5000, where 880 to 925 in steps of 25 is usual",
    ]


def test_a_register_with_few_learned_writes_is_not_judged() -> None:
    assert "M3" not in kinds(taught(wrote(1, 2, 1, 2, 1, 2, 1)), wrote(9_999))
    eager = compiled(SITE + "detections: {M3: {writes: 7}}\n")
    assert "M3" in kinds(taught(wrote(1, 2, 1, 2, 1, 2, 1)), wrote(9_999), eager)


def test_one_odd_value_in_the_learning_period_widens_nothing() -> None:
    poisoned = taught(wrote(900, 915, 905, 890, 5_000, 910, 925, 900, 880, 905, 895))
    assert "M3" in kinds(poisoned, wrote(4_000))


def accepting(least: int | None, greatest: int | None, address: int = 300) -> Baseline:
    one = Acceptance(
        kind="modbus.write",
        client_ip=packed(HISTORIAN),
        server_ip=packed(PLC),
        ip_proto=6,
        server_port=502,
        what=f"unit 1, holding {address}",
        who="ana",
        why="CHG-9",
        at="2026-11-23T12:00:00Z",
        least=least,
        greatest=greatest,
    )
    return replace(USUAL, accepted=(one,))


def test_accepted_values_widen_what_was_learned() -> None:
    assert "M3" in kinds(USUAL, wrote(1_000))
    assert "M3" not in kinds(accepting(880, 1_000), wrote(1_000, 880))
    assert "M3" in kinds(accepting(880, 1_000), wrote(2_000))
    assert "M3" not in kinds(accepting(None, None), wrote(2_000))


def test_accepted_values_are_bounds_where_nothing_was_learned() -> None:
    declared = accepting(10, 20, address=305)
    assert kinds(declared, wrote(10, 20, address=305)) == []
    assert kinds(declared, wrote(99, address=305)) == ["M3"]


@pytest.mark.parametrize(
    ("lows", "highs", "odd", "bounds"),
    [
        ([880, 890, 895], [925, 915, 910], 2, (880, 925)),
        ([880, 890, 895], [5_000, 925, 915], 2, (880, 925)),
        ([880, 890, 895], [5_000, 4_999, 925], 2, (880, 925)),
        # As often as it takes to be known: no odd values.
        ([880, 890, 895], [5_000, 5_000, 5_000], 2, (880, 5_000)),
        ([0, 0, 0], [100, 100, 100], 2, (0, 100)),
        ([900, 900, 900], [5_000, 900, 900], 2, (900, 900)),
        ([1, 900, 900], [900, 900, 900], 2, (900, 900)),
        # What is seen once counts: everything does.
        ([1, 900], [5_000, 900], 0, (1, 5_000)),
    ],
)
def test_a_bound_that_stands_alone_is_not_believed(
    lows: list[int], highs: list[int], odd: int, bounds: tuple[int, int]
) -> None:
    assert believed(lows, highs, odd) == bounds


def readings(values: list[list[int]], *, batches: int = 1) -> list[Wire]:
    """A range read again and again."""
    wire = Wire()
    flow = wire.flow(HISTORIAN, DRIVE)
    for number, value in enumerate(values):
        wire.modbus(
            flow,
            4,
            at=NOON + number * SECOND,
            address=0,
            quantity=len(value),
            values_read=value,
            frame=number + 1,
        )
    return [wire]


def moving(count: int) -> list[list[int]]:
    return [[400 + number * 7 % 23, 4_095] for number in range(count)]


@pytest.mark.parametrize(
    ("varied", "equal", "found"),
    [(25, 30, True), (25, 29, False), (19, 60, False), (20, 60, True), (0, 500, False)],
)
def test_readings_that_varied_and_stand_still_are_reported(varied: int, equal: int, found: bool) -> None:
    (wire,) = readings(moving(varied) + [[7, 4_095]] * equal)
    frozen = of("M15", wire)
    assert bool(frozen) == found
    if found:
        assert (frozen[0].count, frozen[0].first_ns) == (equal, NOON + varied * SECOND)


def test_readings_that_often_stand_as_long_are_not_reported() -> None:
    # Twelve equal ones in a row are usual here: thirty-six are not yet three times more.
    steps = [[number // 12, 5] for number in range(12 * 25)]
    (usual,) = readings(steps + [[99, 5]] * 36)
    (longer,) = readings(steps + [[99, 5]] * 37)
    assert of("M15", usual) == []
    assert only("M15", longer).count == 37


def test_readings_that_move_again_are_told_with_how_long_they_stood() -> None:
    (wire,) = readings(moving(30) + [[7, 7]] * 40 + moving(30))
    finding = only("M15", wire)
    assert finding.count == 40
    assert finding.last_ns == NOON + 69 * SECOND


def test_stretches_do_not_depend_on_how_batches_are_cut() -> None:
    (wire,) = readings(moving(30) + [[7, 7]] * 40 + moving(10))
    traffic = wire.traffic(MINE)
    whole, parts = Behaviour(MINE, "p", "0"), Behaviour(MINE, "p", "0")
    whole.feed(traffic)
    for start in range(0, traffic.modbus.height, 7):
        parts.feed(type(traffic).of(modbus=traffic.modbus.slice(start, 7)))
    assert parts.finish("c") == whole.finish("c") != []
