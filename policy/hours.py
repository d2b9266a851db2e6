"""Windows of a remote access rule held against the clock of the site, daylight saving included."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from policy.model import Window, epoch_ns
from policy.values import DAYS, MINUTES_OF_DAY

_SECOND_NS: Final = 1_000_000_000
#: Windows that follow each other without a gap are looked after for so many days.
_DAYS_AHEAD: Final = 8
#: Not the machine's: its language is not the findings'.
_DAY_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH_NAMES: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def open_until_ns(windows: Sequence[Window], zone: ZoneInfo, at_ns: int) -> int | None:
    """When the window ends that a moment lies in, ns since the epoch; None where it lies in none.

    Windows that touch, like one to "24:00" and the next from "00:00", are one. Days and hours are the site's own: a
    day on which the clocks change is an hour shorter or longer, and its windows with it.
    """
    today = datetime.fromtimestamp(at_ns // _SECOND_NS, UTC).astimezone(zone).date()
    spans = sorted(
        span
        for offset in range(-1, _DAYS_AHEAD)
        for span in _spans(windows, zone, today + timedelta(days=offset))
    )
    end: int | None = None
    for first, last in spans:
        if (end is None and first <= at_ns < last) or (end is not None and first <= end < last):
            end = last
    return end


def _spans(windows: Sequence[Window], zone: ZoneInfo, day: date) -> list[tuple[int, int]]:
    name = DAYS[day.weekday()]
    return [
        (_moment(day, window.start, zone), _moment(day, window.end, zone))
        for window in windows
        if name in window.days
    ]


def _moment(day: date, minutes: int, zone: ZoneInfo) -> int:
    """A time of day, in minutes after midnight, as ns since the epoch; 1,440 is the next day's midnight."""
    days, minutes = divmod(minutes, MINUTES_OF_DAY)
    at = datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60), zone)
    return epoch_ns(at.astimezone(UTC))


def local_text(at_ns: int, zone: ZoneInfo) -> str:
    """A moment as the site's clocks show it: `Wed 18 Nov 2026 11:31`."""
    at = datetime.fromtimestamp(at_ns // _SECOND_NS, UTC).astimezone(zone)
    return f"{_DAY_NAMES[at.weekday()]} {at.day} {_MONTH_NAMES[at.month - 1]} {at:%Y %H:%M}"


def window_text(window: Window) -> str:
    """A window in words: `mon, tue 08:00 to 12:00`."""
    first, last = (f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (window.start, window.end))
    return f"{', '.join(window.days)} {first} to {last}"


def length_text(length_ns: int) -> str:
    """A length of time in words: `2 h 30 min`, `40 min`, `12 s`."""
    seconds = length_ns // _SECOND_NS
    hours, minutes = seconds // 3_600, seconds % 3_600 // 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def span_ns(span: timedelta) -> int:
    """A span of time in ns; exact."""
    return span // timedelta(microseconds=1) * 1_000
