"""Time ranges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.problems import Problem
from api.window import STEPS_S, choose, fitting_step

FIRST = datetime(2026, 3, 1, 5, 0, 30, tzinfo=UTC)
LAST = datetime(2026, 3, 3, 23, 59, 59, tzinfo=UTC)
DATA = (FIRST, LAST)


def test_without_a_wish_shows_the_last_day_of_the_data() -> None:
    window = choose(DATA)
    assert window.end == datetime(2026, 3, 4, tzinfo=UTC)
    assert window.start == datetime(2026, 3, 3, tzinfo=UTC)
    assert window.chosen == "24h"


def test_without_a_wish_shows_all_of_short_data() -> None:
    window = choose((LAST - timedelta(minutes=3), LAST))
    assert window.start == datetime(2026, 3, 3, 23, 56, tzinfo=UTC)
    assert window.chosen == "all"


def test_a_named_range_ends_where_the_data_ends_not_now() -> None:
    window = choose(DATA, "1h")
    assert (window.start, window.end) == (
        datetime(2026, 3, 3, 23, tzinfo=UTC),
        datetime(2026, 3, 4, tzinfo=UTC),
    )
    assert window.step_s == 60


def test_explicit_times_win_and_are_widened_to_whole_steps() -> None:
    start, end = datetime(2026, 3, 2, 1, 2, 30, tzinfo=UTC), datetime(2026, 3, 2, 2, 2, 30, tzinfo=UTC)
    window = choose(DATA, start=start, end=end, step_s=600)
    assert (window.start, window.end) == (
        datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 2, 2, 10, tzinfo=UTC),
    )
    assert window.steps == len(window.starts()) == 7
    assert window.chosen == "custom"


def test_an_open_end_reaches_to_the_end_of_the_data() -> None:
    assert choose(DATA, start=datetime(2026, 3, 3, 12, tzinfo=UTC)).end == datetime(2026, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("range_name", "start", "end", "step_s"),
    [
        ("", LAST, FIRST, None),
        ("", FIRST, FIRST, None),
        ("1h", FIRST, None, None),
        ("", datetime(2000, 1, 1, tzinfo=UTC), LAST, 60),
    ],
    ids=["backwards", "empty", "range-and-times", "too-many-steps"],
)
def test_refuses_a_wish_that_makes_no_sense(
    range_name: str, start: datetime | None, end: datetime | None, step_s: int | None
) -> None:
    with pytest.raises(Problem) as refused:
        choose(DATA, range_name, start, end, step_s)
    assert refused.value.status == 422
    assert refused.value.repair


def test_an_empty_store_has_an_empty_hour() -> None:
    assert choose(None).span == timedelta(hours=1)


@pytest.mark.parametrize("hours", [0.05, 1, 6, 24, 24 * 7, 24 * 30, 24 * 300])
def test_the_step_is_a_round_one_with_few_enough_points(hours: float) -> None:
    step = fitting_step(timedelta(hours=hours))
    assert step in STEPS_S
    assert hours * 3600 / step <= 300


def test_a_window_in_other_steps_covers_the_same_time() -> None:
    window = choose(DATA, "6h")
    coarse = window.with_step(3600)
    assert coarse.start <= window.start
    assert coarse.end >= window.end
    assert coarse.steps == 6


def test_without_a_wish_shows_what_is_usual_not_the_empty_time_around_it() -> None:
    usual = (FIRST, FIRST + timedelta(minutes=59))
    window = choose(DATA, usual=usual)
    assert (window.start, window.end) == (
        datetime(2026, 3, 1, 5, 0, tzinfo=UTC),
        datetime(2026, 3, 1, 6, 0, tzinfo=UTC),
    )
    assert window.chosen == "usual"
    assert choose(DATA, "all", usual=usual).span == timedelta(hours=67)
