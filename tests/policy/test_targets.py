"""SLA targets: classes, overrides, defaults."""

from __future__ import annotations

import pytest

from policy.loader import loads
from policy.sla_classes import SLA_CLASSES
from policy.targets import target_of_conduit, target_of_zone
from tests.policy.factories import SITE

MS = 1_000_000


@pytest.mark.parametrize(
    ("name", "availability", "rtt_ms", "transaction_ms", "loss"),
    [
        ("C1", 0.9999, (20, 50), 100, 0.0005),
        ("C2", 0.999, (50, 100), 500, 0.001),
        ("C3", 0.995, (150, 300), 1000, 0.005),
        ("C4", 0.99, (400, 800), 3000, 0.01),
    ],
)
def test_the_classes_are_those_of_the_design(
    name: str, availability: float, rtt_ms: tuple[int, int], transaction_ms: int, loss: float
) -> None:
    target = SLA_CLASSES[name]
    assert (target.availability, target.loss) == (availability, loss)
    assert (target.rtt_p95_ns, target.rtt_p99_ns) == (rtt_ms[0] * MS, rtt_ms[1] * MS)
    assert (target.transaction_p99_ns, target.deadline_ns) == (transaction_ms * MS, 2 * transaction_ms * MS)


def test_a_zone_without_an_entry_has_its_criticality_s_class() -> None:
    target = target_of_zone(loads(SITE).site, "plant")
    assert (target.sla_class, target.declared) == ("C2", False)


def test_an_entry_puts_its_figures_in_the_place_of_the_class_s() -> None:
    figures = "rtt_p95_ms: 10.5, availability_percent: 99.7, loss_percent: 0.2, deadline_ms: 5"
    entry = f"sla:\n- {{id: s1, scope: {{zone: plant}}, class: C3, {figures}}}\n"
    target = target_of_zone(loads(SITE + entry).site, "plant")
    assert (target.sla_id, target.declared, target.sla_class) == ("s1", True, "C3")
    assert (target.rtt_p95_ns, target.rtt_p99_ns) == (10_500_000, 300 * MS)
    assert (target.availability, target.loss, target.deadline_ns) == (0.997, 0.002, 5 * MS)


def test_a_conduit_without_an_entry_is_held_to_the_zone_it_enters() -> None:
    entry = "sla:\n- {id: s1, scope: {zone: plant}, class: C1}\n"
    target = target_of_conduit(loads(SITE + entry).site, "c-hist")
    assert (target.sla_class, target.declared) == ("C1", False)


def test_a_conduit_with_an_entry_is_held_to_it() -> None:
    entry = "sla:\n- {id: s1, scope: {conduit: c-hist}, class: C4}\n"
    assert target_of_conduit(loads(SITE + entry).site, "c-hist").sla_id == "s1"


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(KeyError):
        target_of_zone(loads(SITE).site, "nowhere")
