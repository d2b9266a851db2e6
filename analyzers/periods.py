"""What an SLA is held to over: the last 30 days, or a month by the site's own calendar. Periods are [start, end), UTC.

A minute belongs to the period that it begins in, so that every minute belongs to one month and no minute to two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

#: What the targets of the SLA classes are stated over.
ROLLING: Final = timedelta(days=30)

_MINUTE: Final = timedelta(minutes=1)
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DECEMBER: Final = 12
#: The month after the last one has to be a date too.
_LAST_YEAR: Final = 9998


@dataclass(frozen=True, slots=True)
class Period:
    """Aware times in UTC, [start, end). ValueError where the end is before the start, or a time is naive."""

    start: datetime
    end: datetime
    #: how people call it: `2026-11`, or empty
    name: str = ""

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a period's times know their offset from UTC")
        if self.end < self.start:
            raise ValueError(
                f"the period ends ({self.end.isoformat()}) before it starts ({self.start.isoformat()})"
            )

    @property
    def minutes(self) -> int:
        """How many minutes begin in it."""
        return _whole_minutes(self.end) - _whole_minutes(self.start)

    def __contains__(self, minute: datetime) -> bool:
        return self.start <= minute < self.end


def calendar_month(year: int, month: int, tz: str) -> Period:
    """A month of a time zone's calendar, from its first moment to the first of the next.

    Longer or shorter by an hour where the clocks change in it. Where midnight is skipped the month begins with the
    first moment that there is; where it comes twice, with the first of the two.
    """
    following = (year + 1, 1) if month == _DECEMBER else (year, month + 1)
    return Period(_first_of(year, month, tz), _first_of(*following, tz), f"{year:04d}-{month:02d}")


def named_month(name: str, tz: str) -> Period:
    """The month called `2026-11`. ValueError, with the repair, where the name is none."""
    match = _MONTH.fullmatch(name)
    if not match or not 1 <= int(match[1]) <= _LAST_YEAR:
        raise ValueError(f"{name!r} is not a month; write it like 2026-11")
    return calendar_month(int(match[1]), int(match[2]), tz)


def month_of(moment: datetime, tz: str) -> Period:
    """The calendar month of a time zone that a moment is in."""
    local = moment.astimezone(ZoneInfo(tz))
    return calendar_month(local.year, local.month, tz)


def held(first: datetime, last: datetime) -> Period:
    """What captures from `first` to `last` packet hold, in whole minutes; at most the last 30 days of it."""
    start = _EPOCH + (first - _EPOCH) // _MINUTE * _MINUTE
    end = _EPOCH + (last - _EPOCH) // _MINUTE * _MINUTE + _MINUTE
    return Period(max(start, end - ROLLING), end)


def _first_of(year: int, month: int, tz: str) -> datetime:
    # fold=0 reads a skipped time with the offset before the change, which is the first moment after the gap
    return datetime(year, month, 1, tzinfo=ZoneInfo(tz)).astimezone(UTC)


def _whole_minutes(moment: datetime) -> int:
    """Minutes since the epoch, rounded up: the first minute that begins at or after the moment."""
    return -((_EPOCH - moment) // _MINUTE)
