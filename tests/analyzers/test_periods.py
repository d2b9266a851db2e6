"""Periods: months of the site's calendar tile the time, whatever the clocks do; 30 days are 30 times 24 hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.periods import Period, calendar_month, held, month_of, named_month

ZONES = st.sampled_from(
    [
        "UTC",
        "America/Santiago",  # the clocks change at midnight
        "America/Asuncion",
        "America/Havana",
        "Europe/Berlin",
        "Australia/Lord_Howe",  # by half an hour
        "Asia/Kathmandu",  # 5:45 ahead
        "Pacific/Kiritimati",
    ]
)
#: The rules in between are those of the day: older ones change clocks a minute after midnight.
MOMENTS = st.datetimes(datetime(2014, 1, 1), datetime(2037, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("name", "tz", "start", "hours"),
    [
        # A month of 31 days is 744 hours, one of 30 days 720. When the clocks change: the IANA database.
        ("2026-11", "UTC", "2026-11-01T00:00Z", 720),
        ("2026-11", "America/Santiago", "2026-11-01T03:00Z", 720),
        ("2026-03", "Europe/Berlin", "2026-02-28T23:00Z", 743),
        ("2026-10", "Europe/Berlin", "2026-09-30T22:00Z", 745),
        ("2026-04", "America/Santiago", "2026-04-01T03:00Z", 721),
        ("2026-09", "America/Santiago", "2026-09-01T04:00Z", 719),
        ("2026-04", "Australia/Lord_Howe", "2026-03-31T13:00Z", 720.5),
        ("2028-02", "Asia/Kathmandu", "2028-01-31T18:15Z", 29 * 24),
        ("2026-12", "Pacific/Kiritimati", "2026-11-30T10:00Z", 744),
    ],
)
def test_a_month_is_that_of_the_sites_calendar(name: str, tz: str, start: str, hours: float) -> None:
    month = named_month(name, tz)
    assert month.start == at(start)
    assert month.end - month.start == timedelta(hours=hours)
    assert month.minutes == hours * 60
    assert month.name == name


def test_a_month_whose_midnight_is_skipped_begins_with_its_first_moment() -> None:
    # On 2017-10-01 Asunción's clocks went from 00:00 to 01:00 (UTC-4 to UTC-3).
    assert named_month("2017-10", "America/Asuncion").start == at("2017-10-01T04:00Z")


def test_a_month_whose_midnight_comes_twice_begins_with_the_first() -> None:
    # On 2015-11-01 Havana's clocks went from 01:00 back to 00:00 (UTC-4 to UTC-5).
    assert named_month("2015-11", "America/Havana").start == at("2015-11-01T04:00Z")


@given(MOMENTS, ZONES)
def test_every_moment_is_in_one_month_and_that_is_the_calendars(moment: datetime, tz: str) -> None:
    month = month_of(moment, tz)
    local = moment.astimezone(ZoneInfo(tz))
    assert moment in month
    assert month.name == f"{local:%Y-%m}"
    following = month_of(month.end, tz)
    assert following.start == month.end
    assert moment not in following


@given(MOMENTS, ZONES)
def test_a_year_is_the_sum_of_its_months(moment: datetime, tz: str) -> None:
    months = [calendar_month(moment.year, month, tz) for month in range(1, 13)]
    assert [m.end for m in months[:-1]] == [m.start for m in months[1:]]
    assert sum(month.minutes for month in months) == Period(months[0].start, months[-1].end).minutes


@given(MOMENTS)
def test_thirty_days_are_43200_minutes_whatever_the_clocks_do(last: datetime) -> None:
    first = last - timedelta(days=60)
    assert held(first, last).minutes == 43_200
    berlin = ZoneInfo("Europe/Berlin")
    assert held(first.astimezone(berlin), last.astimezone(berlin)) == held(first, last)


@given(MOMENTS, st.integers(0, 5000), st.integers(0, 5000))
def test_minutes_of_two_parts_are_those_of_the_whole(start: datetime, one_s: int, other_s: int) -> None:
    middle = start + timedelta(seconds=one_s)
    end = middle + timedelta(seconds=other_s)
    assert Period(start, middle).minutes + Period(middle, end).minutes == Period(start, end).minutes


def test_a_minute_belongs_to_the_period_it_begins_in() -> None:
    period = Period(at("2026-11-01T00:00:30Z"), at("2026-11-01T00:02:30Z"))
    assert period.minutes == 2  # 00:01 and 00:02
    assert at("2026-11-01T00:00Z") not in period
    assert at("2026-11-01T00:02Z") in period


@pytest.mark.parametrize(
    "name", ["2026-13", "2026-00", "26-11", "2026-1", "November", "", "0000-01", "9999-12"]
)
def test_what_is_no_month_is_refused_with_its_repair(name: str) -> None:
    with pytest.raises(ValueError, match="write it like 2026-11"):
        named_month(name, "UTC")


def test_a_period_is_not_backwards_and_not_naive() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        Period(at("2026-11-02T00:00Z"), at("2026-11-01T00:00Z"))
    with pytest.raises(ValueError, match="offset from UTC"):
        Period(at("2026-11-01T00:00"), at("2026-11-02T00:00Z"))
