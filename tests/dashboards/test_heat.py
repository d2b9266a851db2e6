"""The heat map's cells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from analyzers.causes import Causes
from api.figures import blank
from api.window import Window
from dashboards.heat import cell_length, heat_row, shade
from policy.sla_classes import SLA_CLASSES

START = datetime(2026, 3, 3, tzinfo=UTC)
C2 = SLA_CLASSES["C2"]


@pytest.mark.parametrize(
    ("availability", "expected"),
    [
        (1.0, "full"),
        (0.9995, "met"),
        (0.999, "met"),
        (0.9985, "missed-1"),
        (0.992, "missed-2"),
        (0.9, "missed-3"),
    ],
)
def test_shades_by_how_much_of_the_budget_went(availability: float, expected: str) -> None:
    assert shade(availability, C2.availability) == expected


@pytest.mark.parametrize(("hours", "cell_s"), [(0.3, 60), (1, 300), (6, 900), (24, 3600), (24 * 7, 43_200)])
def test_cells_fit_the_span(hours: float, cell_s: int) -> None:
    assert cell_length(Window(START, START + timedelta(hours=hours), 60, "custom")) == cell_s


def test_a_row_tells_misses_blind_cells_and_cells_without_requests_apart() -> None:
    window = Window(START, START + timedelta(hours=5), 3600, "custom")
    seen = replace(
        blank(START, 3600), packets=100, coverage=1.0, data_segments=10, rtt_p95_ns=1_000_000, valid=True
    )
    points = [
        replace(seen, transactions=1000, good=970),
        replace(seen, start=START + timedelta(hours=1), transactions=1000, good=1000),
        replace(seen, start=START + timedelta(hours=2)),
        replace(seen, start=START + timedelta(hours=3), transactions=1000, good=0, coverage=0.5),
        replace(seen, start=START + timedelta(hours=4), valid=False),
    ]
    row = heat_row("c1", "a → b", C2, points, window)
    assert [cell.shade for cell in row.cells] == ["missed-3", "full", "seen", "none", "none"]
    assert [cell.text for cell in row.cells] == ["97", "", "", "", ""]
    assert row.cells[0].words == "97 %, 00:00 to 01:00 UTC"
    # the blind hour counts neither way
    assert row.total == "98.5"


def test_a_cell_of_ciphertext_says_why_it_is_empty_and_missed_polls_are_not_met() -> None:
    window = Window(START, START + timedelta(hours=2), 3600, "custom")
    seen = replace(blank(START, 3600), packets=100, coverage=1.0, valid=True)
    points = [
        replace(seen, causes=Causes(encrypted=7)),
        replace(seen, start=START + timedelta(hours=1), transactions=90, good=90, missed=10),
    ]
    row = heat_row("c1", "a → b", C2, points, window)
    assert [cell.shade for cell in row.cells] == ["seen", "missed-3"]
    assert row.cells[0].words == "not measurable (encrypted), 00:00 to 01:00 UTC"
    assert row.total == "90"


def test_a_conduit_without_a_packet_is_never_met() -> None:
    window = Window(START, START + timedelta(hours=2), 3600, "custom")
    row = heat_row("c1", "a → b", C2, (), window)
    assert {cell.shade for cell in row.cells} == {"none"}
    assert row.total == "–"
