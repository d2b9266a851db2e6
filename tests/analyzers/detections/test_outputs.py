"""M4: outputs toggled or written en masse, each beside what operators do."""

from __future__ import annotations

import pytest

from analyzers.behaviour import Behaviour
from analyzers.conversations import Conversations
from tests.analyzers.detections.looking import of, only
from tests.policy.factories import HISTORIAN, NOON, PLC, SECOND, SITE, Wire, compiled, transaction


def switched(times: int, *, apart_s: int = 2, addresses: tuple[int, ...] = (7,), on_off: bool = True) -> Wire:
    """So many writes of single coils, a first one of each before them."""
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC)
    for number in range(times + 1):
        for address in addresses:
            value = (number + 1) % 2 if on_off else 1
            wire.modbus(
                flow,
                5,
                at=NOON + number * apart_s * SECOND,
                frame=2 * number + 1,
                address=address,
                quantity=1,
                values_written=[value],
            )
    return wire


def test_reports_an_output_toggled() -> None:
    finding = only("M4", switched(10))
    assert finding.count == 10
    assert "unit 1, output 7" in finding.why
    assert finding.evidence.operations[0].frame == 3


def many(quantity: int, values: tuple[int, ...] = (1,)) -> Wire:
    """So many outputs in one request."""
    written = list(values) * (quantity // len(values))
    return transaction(15, address=0, quantity=quantity, values_written=written)


@pytest.mark.parametrize(
    "wire",
    [
        switched(9),
        switched(30, apart_s=20),
        switched(30, on_off=False),
        switched(5, addresses=(1, 2, 3, 4)),
    ],
    ids=["too-few", "too-slow", "always-on", "several-outputs-a-few-times"],
)
def test_ignores_what_operators_do(wire: Wire) -> None:
    assert of("M4", wire) == []


def test_the_threshold_is_a_setting() -> None:
    eager = compiled(SITE + "detections: {M4: {toggles: 3, outputs: 4}}\n")
    assert only("M4", switched(3), eager).count == 3
    assert only("M4", many(4), eager).count == 1


@pytest.mark.parametrize(("quantity", "found"), [(31, 0), (32, 1), (1_968, 1)])
def test_reports_many_outputs_in_one_request(quantity: int, found: int) -> None:
    assert len(of("M4", many(quantity))) == found


def test_an_image_of_outputs_that_differ_is_how_a_controller_is_run() -> None:
    assert of("M4", many(1_968, (1, 0))) == []


def test_registers_are_no_outputs() -> None:
    assert of("M4", transaction(16, address=0, quantity=123)) == []


def test_what_was_last_written_is_known_across_batches() -> None:
    site, wire = compiled(), switched(10)
    conversations, behaviour = Conversations(site), Behaviour(site, "p" * 64, "0.1.0")
    batches = wire.batches()
    modbus = batches.pop("modbus")
    behaviour.feed(conversations.enrich(batches))
    for number in range(modbus.num_rows):
        behaviour.feed(conversations.enrich({"modbus": modbus.slice(number, 1)}))
    (finding,) = [one for one in behaviour.finish("c" * 64) if one.kind == "M4"]
    assert finding.count == 10
