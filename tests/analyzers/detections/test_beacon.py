"""G5: small contact with somebody outside, at nearly the same intervals; and what is not regular, small or outside."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.analyzers.detections.looking import of, only
from tests.policy.factories import (
    NOON,
    OFFICE_HOST,
    PLANT_HOST,
    PORT_HOST,
    PUBLIC,
    SECOND,
    SITE,
    Wire,
    compiled,
)  # fmt: skip

#: Fixed, so that the intervals are the same each time.
CHANCE = random.Random(7)
JITTERED = [30 * number + CHANCE.uniform(-1.5, 1.5) for number in range(12)]
AT_RANDOM = sorted(CHANCE.uniform(0, 360) for _ in range(12))


def contacts(times_s: list[float], *, client: str = PLANT_HOST, server: str = PUBLIC, **more: Any) -> Wire:
    """Connections that begin at these seconds."""
    wire = Wire()
    for number, second in enumerate(times_s):
        at = NOON + round(second * SECOND)
        flow = wire.flow(client, server, 443, client_port=50_000 + number, at=at)
        frame = 10 * number + 1
        wire.minute(flow, at=at, frame=frame, syn_frame=frame, **more)
    return wire


def test_reports_a_beacon() -> None:
    finding = only("G5", contacts(JITTERED))
    assert (finding.count, finding.src_ip, finding.dst_ip, finding.dst_port) == (12, PLANT_HOST, PUBLIC, 443)
    assert "about 30." in finding.why or "about 29." in finding.why


def test_reports_one_that_nobody_answers() -> None:
    assert only("G5", contacts(JITTERED, established=False, payload=(0, 0), packets=(1, 0))).severity == 3


@pytest.mark.parametrize(
    "wire",
    [
        contacts(AT_RANDOM),
        contacts(JITTERED[:9]),
        contacts(JITTERED, payload=(50_000, 400_000)),
        contacts(JITTERED, server=PORT_HOST),
        contacts(JITTERED, client=OFFICE_HOST),
        contacts([number / 2 for number in range(30)]),
    ],
    ids=["irregular", "too-few", "large", "inside", "from-the-office", "too-fast"],
)
def test_ignores_what_is_no_beacon(wire: Wire) -> None:
    assert of("G5", wire) == []


def test_ignores_what_a_rule_allows() -> None:
    updates = SITE.replace(
        "assets:\n", f"- {{id: updates, purdue: 5, cidrs: [{PUBLIC}/32]}}\nassets:\n", 1
    ) + (
        "- id: c-updates\n  from: plant\n  to: updates\n  allow:\n"
        "  - {id: r9, port: 443, reason: updates, owner: it, expires: 2027-06-30}\n"
    )
    assert of("G5", contacts(JITTERED), compiled(updates)) == []


def test_minutes_of_one_connection_are_one_contact() -> None:
    wire = Wire()
    flow = wire.flow(PLANT_HOST, PUBLIC, 443)
    for minute in range(20):
        wire.minute(flow, at=NOON + 60 * minute * SECOND)
    assert of("G5", wire) == []
