"""The first part of a capture teaches, for as long as the policy says; without a baseline nothing is compared."""

from __future__ import annotations

from analyzers.baseline.comparing import Baseline
from analyzers.behaviour import Behaviour
from tests.analyzers.baseline.teaching import MINE, taught
from tests.analyzers.baseline.test_learning import writes
from tests.policy.factories import DRIVE, HISTORIAN, NOON, PLC, SECOND, SITE, Wire, compiled

LEARNING = compiled(SITE + "baseline: {learn_for: PT60S, min_count: 3}\n")


def day(*, first_ns: int = 0, late: int = 300) -> Wire:
    """Register 300 is written three times in the first seconds, and `late` a minute and a half after the beginning."""
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC)
    for second in (1, 2, 3):
        wire.modbus(flow, 6, at=NOON + first_ns + second * SECOND, address=300, values_written=[1])
    wire.modbus(flow, 6, at=NOON + 90 * SECOND, address=late, values_written=[1])
    return wire


def kinds(wire: Wire, site: object = LEARNING, baseline: Baseline | None = None) -> tuple[list[str], str]:
    behaviour = Behaviour(site, "p" * 64, "0", baseline)  # type: ignore[arg-type]
    behaviour.feed(wire.traffic(site))  # type: ignore[arg-type]
    found = behaviour.finish("c" * 64)
    return [one.kind for one in found], behaviour.memory.words()


def test_what_is_new_after_learning_is_found() -> None:
    found, words = kinds(day(late=305))
    assert found == ["M1"]
    assert words.startswith("Compared with baseline ")


def test_what_was_learned_is_silent() -> None:
    assert kinds(day())[0] == []


def test_what_comes_too_late_to_be_learned_is_found() -> None:
    # The same three writes, from a second after the end of learning on.
    wire = day(first_ns=60 * SECOND)
    assert kinds(wire)[0] == ["M1", "M2"]


def test_without_a_section_nothing_is_compared_and_it_is_said() -> None:
    found, words = kinds(day(late=305), MINE)
    assert found == []
    assert words.startswith("No baseline: what is new on the network was not looked for.")


def test_a_capture_shorter_than_learning_says_so() -> None:
    _, words = kinds(writes(1, 2, 3), LEARNING)
    assert words.startswith("Still learning")


def test_a_capture_without_a_packet_says_that_nothing_was_compared() -> None:
    found, words = kinds(Wire(), LEARNING)
    assert found == []
    assert words.startswith("Still learning")


def test_a_baseline_from_a_file_holds_for_all_of_a_capture() -> None:
    baseline = taught(writes(1, 2, 3))
    found, words = kinds(day(first_ns=-SECOND, late=305), LEARNING, baseline)
    assert found == ["M1"]
    assert baseline.sha256[:12] in words


def test_the_finding_names_the_baseline() -> None:
    baseline = taught(writes(1, 2, 3))
    behaviour = Behaviour(MINE, "p" * 64, "0", baseline)
    behaviour.feed(day(late=305).traffic(MINE))
    (finding,) = behaviour.finish("c" * 64)
    assert f"Compared with baseline {baseline.sha256[:12]}, learned from 2026-11-23 12:00:00" in finding.why


def test_findings_do_not_depend_on_how_batches_are_cut() -> None:
    whole, parts = Behaviour(LEARNING, "p", "0"), Behaviour(LEARNING, "p", "0")
    wire = day(late=305)
    wire.modbus(wire.flow("10.35.0.99", DRIVE), 3, at=NOON + 100 * SECOND)
    traffic = wire.traffic(LEARNING)
    whole.feed(traffic)
    for number in range(traffic.modbus.height):
        one = type(traffic).of(modbus=traffic.modbus.slice(number, 1))
        object.__setattr__(one, "began_ns", traffic.began_ns)
        parts.feed(one)
    assert parts.finish("c") == whole.finish("c") != []
