"""What is shown when nothing is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from api.spans import longest_stretch
from store.answers import Replay

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
_USUAL = Replay("r", "s", "a", "", 0, "p", "", "0.1", "done", NOON, NOON, 0, 0, 9, 0, 0, 0, 0, "", None)


def _capture(start: datetime, minutes: int, **changes: object) -> Replay:
    first = int(start.timestamp())
    times = {"first_ns": first * 1_000_000_000, "last_ns": (first + minutes * 60) * 1_000_000_000}
    return replace(_USUAL, **times, **changes)  # type: ignore[arg-type]


def test_captures_that_nearly_touch_are_one_stretch() -> None:
    rows = [
        _capture(NOON, 30),
        _capture(NOON + timedelta(minutes=80), 10),
        _capture(NOON + timedelta(days=6), 60),
    ]
    assert longest_stretch(rows) == (NOON, NOON + timedelta(minutes=90))


def test_a_short_capture_far_away_does_not_stretch_the_page() -> None:
    rows = [_capture(NOON, 60), _capture(NOON + timedelta(days=400), 2)]
    assert longest_stretch(rows) == (NOON, NOON + timedelta(hours=1))


def test_a_capture_inside_another_ends_with_the_longer_one() -> None:
    rows = [_capture(NOON, 60), _capture(NOON, 10), _capture(NOON + timedelta(minutes=5), 5)]
    assert longest_stretch(rows) == (NOON, NOON + timedelta(hours=1))


def test_of_equals_the_latest_is_shown() -> None:
    rows = [_capture(NOON, 60), _capture(NOON + timedelta(days=1), 60)]
    assert longest_stretch(rows) == (NOON + timedelta(days=1), NOON + timedelta(days=1, hours=1))


def test_failed_and_empty_replays_are_no_stretch() -> None:
    assert longest_stretch([_capture(NOON, 60, state="failed"), _capture(NOON, 60, packets=0)]) is None
    assert longest_stretch([]) is None
