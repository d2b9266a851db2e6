"""Planned changes leave the denominator, minute by minute; emergencies, other assets and other times do not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.exclusions import Exclusions
from tests.policy.factories import DRIVE, HISTORIAN, OTHER_DMZ_HOST, PLC, SITE, compiled, packed

T = datetime(2026, 11, 23, 12, tzinfo=UTC)


def change(ref: str, start: str, end: str, assets: str = "[plc1]", **more: str | bool) -> str:
    keys = {"sla_exclude": True, **more}
    extra = "".join(f", {key}: {json.dumps(value)}" for key, value in keys.items())
    return (
        f'- {{ref: {ref}, start: "2026-11-23T{start}Z", end: "2026-11-23T{end}Z", assets: {assets}{extra}}}\n'
    )


def minutes(*rows: tuple[int, str, str]) -> pl.DataFrame:
    """Minutes after 12:00, client and server."""
    return pl.DataFrame(
        {
            "minute": [T + timedelta(minutes=minute) for minute, _, _ in rows],
            "client_ip": [packed(client) for _, client, _ in rows],
            "server_ip": [packed(server) for _, _, server in rows],
            "exclusion": [""] * len(rows),
        },
        schema={
            "minute": pl.Datetime("ns", "UTC"),
            "client_ip": pl.Binary,
            "server_ip": pl.Binary,
            "exclusion": pl.String,
        },
    )


def labels(changes: str, *rows: tuple[int, str, str]) -> list[str]:
    text = SITE + ("changes:\n" + changes if changes else "")
    noted = Exclusions(compiled(text)).noted(minutes(*rows))
    assert noted.drop("exclusion").equals(minutes(*rows).drop("exclusion"))
    return noted["exclusion"].to_list()


def hour(first: int, end: int, client: str = HISTORIAN, server: str = PLC) -> list[tuple[int, str, str]]:
    return [(minute, client, server) for minute in range(first, end)]


def test_a_window_is_from_its_start_up_to_but_without_its_end() -> None:
    found = labels(change("CHG-1", "12:01:00", "12:03:00"), *hour(0, 5))
    assert found == ["", "CHG-1", "CHG-1", "", ""]


def test_who_asks_and_who_is_asked_are_both_excluded_and_nobody_else() -> None:
    rows = [(1, HISTORIAN, PLC), (1, PLC, HISTORIAN), (1, HISTORIAN, DRIVE), (1, OTHER_DMZ_HOST, DRIVE)]
    assert labels(change("CHG-1", "12:00:00", "13:00:00"), *rows) == ["CHG-1", "CHG-1", "", ""]


@pytest.mark.parametrize(
    ("start", "end", "excluded"),
    [
        ("12:01:30", "12:03:00", [2]),
        ("12:01:00", "12:02:59", [1]),
        ("12:01:00.000001", "12:03:00", [2]),
        ("12:01:10", "12:01:50", []),
        ("12:00:30", "12:04:30", [1, 2, 3]),
    ],
)
def test_a_minute_that_is_covered_in_part_counts(start: str, end: str, excluded: list[int]) -> None:
    found = labels(change("CHG-1", start, end), *hour(0, 6))
    assert [minute for minute, label in enumerate(found) if label] == excluded


def test_windows_that_meet_within_a_minute_cover_it_together() -> None:
    two = change("CHG-2", "12:00:00", "12:01:20") + change("CHG-1", "12:01:20", "12:03:00")
    assert labels(two, *hour(0, 4)) == ["CHG-2", "CHG-1, CHG-2", "CHG-1", ""]
    apart = change("CHG-2", "12:00:00", "12:01:20") + change("CHG-1", "12:01:21", "12:03:00")
    assert labels(apart, *hour(0, 4)) == ["CHG-2", "", "CHG-1", ""]
    others = change("CHG-2", "12:00:00", "12:01:20") + change("CHG-1", "12:01:20", "12:03:00", "[hist1]")
    assert labels(others, *hour(0, 4)) == ["CHG-2", "", "CHG-1", ""]


def test_two_changes_of_one_minute_are_both_named() -> None:
    two = change("CHG-9", "12:00:00", "12:02:00", "[plc1, hist1]") + change("CHG-1", "12:01:00", "12:03:00")
    assert labels(two, *hour(0, 3)) == ["CHG-9", "CHG-1, CHG-9", "CHG-1"]


@pytest.mark.parametrize("more", [{"kind": "emergency"}, {"sla_exclude": False}])
def test_emergencies_and_other_changes_count(more: dict[str, str | bool]) -> None:
    assert labels(change("CHG-1", "12:00:00", "13:00:00", "[plc1]", **more), *hour(0, 3)) == ["", "", ""]


def test_an_emergency_within_a_planned_window_does_not_end_it() -> None:
    both = change("CHG-1", "12:00:00", "12:03:00") + change("E-1", "12:01:00", "12:02:00", kind="emergency")
    assert labels(both, *hour(0, 4)) == ["CHG-1", "CHG-1", "CHG-1", ""]


def test_a_site_without_changes_and_a_minute_without_rows() -> None:
    assert labels("", *hour(0, 2)) == ["", ""]
    assert labels(change("CHG-1", "12:00:00", "13:00:00")) == []


WINDOWS = st.lists(
    st.tuples(st.integers(0, 1200), st.integers(1, 600), st.booleans(), st.booleans()), max_size=5
)


@settings(max_examples=60, deadline=None)
@given(WINDOWS, st.randoms(use_true_random=False))
def test_excluded_is_what_planned_windows_cover_second_by_second(
    drawn: list[tuple[int, int, bool, bool]], chance: object
) -> None:
    windows = [
        (f"C{index}", start, start + length, planned, exclude)
        for index, (start, length, planned, exclude) in enumerate(drawn)
    ]
    shuffled = list(windows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    text = "".join(
        change(
            ref,
            f"{(T + timedelta(seconds=start)):%H:%M:%S}",
            f"{(T + timedelta(seconds=end)):%H:%M:%S}",
            kind="planned" if planned else "emergency",
            sla_exclude=exclude,
        )
        for ref, start, end, planned, exclude in shuffled
    )
    counting = [(ref, start, end) for ref, start, end, planned, exclude in windows if planned and exclude]
    expected = []
    for minute in range(32):
        seconds = range(minute * 60, minute * 60 + 60)
        whole = all(any(start <= second < end for _, start, end in counting) for second in seconds)
        alone = [ref for ref, start, end in counting if start <= minute * 60 and end >= minute * 60 + 60]
        expected.append((whole, set(alone)))
    found = labels(text, *hour(0, 32))
    assert [bool(label) for label in found] == [whole for whole, _ in expected]
    for label, (_, refs) in zip(found, expected, strict=True):
        assert refs <= set(label.split(", "))
