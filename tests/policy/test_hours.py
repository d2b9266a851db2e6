"""Windows and the site's clocks. Expectations are of the IANA database: Santiago, Berlin, no place of our own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from policy.hours import length_text, local_text, open_until_ns, span_ns, window_text
from policy.model import Window, epoch_ns

SANTIAGO, BERLIN = ZoneInfo("America/Santiago"), ZoneInfo("Europe/Berlin")
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def windows(*hours: tuple[list[str], str, str]) -> list[Window]:
    return [
        Window.model_validate({"days": tuple(days), "start": start, "end": end}) for days, start, end in hours
    ]


def utc(text: str) -> int:
    return epoch_ns(datetime.fromisoformat(text).replace(tzinfo=UTC))


MORNING = windows((WEEKDAYS, "08:00", "12:00"))


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-11-18T11:00:00", "2026-11-18T15:00:00"),  # Wednesday 08:00, summer time: UTC-3
        ("2026-11-18T14:59:59", "2026-11-18T15:00:00"),
        ("2026-11-18T10:59:59", None),
        ("2026-11-18T15:00:00", None),
        ("2026-11-21T12:00:00", None),  # Saturday
        ("2026-07-15T12:00:00", "2026-07-15T16:00:00"),  # winter: UTC-4
        ("2026-07-15T11:59:59", None),
    ],
)
def test_hours_are_the_site_s_own_in_summer_and_in_winter(at: str, end: str | None) -> None:
    assert open_until_ns(MORNING, SANTIAGO, utc(at)) == (utc(end) if end else None)


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        ("2026-03-28", 24),
        ("2026-03-29", 23),  # clocks go forward in Berlin
        ("2026-10-25", 25),  # and back
    ],
)
def test_a_day_on_which_the_clocks_change_is_shorter_or_longer(day: str, hours: int) -> None:
    name = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][datetime.fromisoformat(day).weekday()]
    all_day = windows(([name], "00:00", "24:00"))
    midnight = epoch_ns(datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC))
    end = open_until_ns(all_day, BERLIN, midnight)
    assert end == midnight + span_ns(timedelta(hours=hours))
    assert open_until_ns(all_day, BERLIN, midnight - 1) is None


def test_windows_that_touch_are_one_and_those_with_a_gap_are_not() -> None:
    night = windows((["mon"], "22:00", "24:00"), (["tue"], "00:00", "06:00"), (["tue"], "07:00", "08:00"))
    begin = utc("2026-11-17T02:00:00")  # Monday 23:00 in Santiago
    assert open_until_ns(night, SANTIAGO, begin) == utc("2026-11-17T09:00:00")
    assert open_until_ns(night, SANTIAGO, utc("2026-11-17T09:30:00")) is None
    overlapping = windows((["mon"], "08:00", "12:00"), (["mon"], "11:00", "13:00"))
    assert open_until_ns(overlapping, SANTIAGO, utc("2026-11-16T11:30:00")) == utc("2026-11-16T16:00:00")


def test_texts_are_for_people() -> None:
    assert local_text(utc("2026-11-18T14:31:40"), SANTIAGO) == "Wed 18 Nov 2026 11:31"
    assert window_text(MORNING[0]) == "mon, tue, wed, thu, fri 08:00 to 12:00"
    assert window_text(windows((["sun"], "20:30", "24:00"))[0]) == "sun 20:30 to 24:00"
    lengths = {9_000: "2 h 30 min", 7_200: "2 h", 2_400: "40 min", 12: "12 s"}
    assert {seconds: length_text(seconds * 1_000_000_000) for seconds in lengths} == lengths
