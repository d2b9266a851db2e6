"""Where the stored data lies in time: captures may be minutes in different years."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from store.answers import Replay
from store.client import Store
from store.queries import replays, sla

#: Captures with no more than this between them are one stretch.
JOINED_WITHIN: Final = timedelta(hours=1)
#: As many of the latest replays as are looked at.
_REPLAYS: Final = 200

Span = tuple[datetime, datetime]


def data_span(store: Store, replay: str = "", site: str = "") -> Span | None:
    """First and last packet of what was measured, in all or in one replay; of one site, or of all."""
    return sla.time_span(store, site=site, replay=replay)


def usual_span(store: Store, replay: str = "", site: str = "") -> Span | None:
    """What is shown when nothing is asked for: the longest stretch of stored captures, or the one replay."""
    if replay:
        return data_span(store, replay, site)
    rows = replays.list_replays(store, "", _REPLAYS).replays
    return longest_stretch(row for row in rows if site in ("", row.site))


def longest_stretch(rows: Iterable[Replay]) -> Span | None:
    """The longest stretch of captures that overlap or nearly touch, the latest of equals; None without packets."""
    stretches: list[Span] = []
    for row in sorted(
        (r for r in rows if r.state in ("done", "listening") and r.packets), key=lambda r: r.first_ns
    ):
        first, last = _moment(row.first_ns), _moment(row.last_ns)
        if stretches and first - stretches[-1][1] <= JOINED_WITHIN:
            stretches[-1] = stretches[-1][0], max(last, stretches[-1][1])
        else:
            stretches.append((first, last))
    return max(stretches, key=lambda stretch: (stretch[1] - stretch[0], stretch[1]), default=None)


def _moment(moment_ns: int) -> datetime:
    return datetime.fromtimestamp(moment_ns // 1_000_000_000, UTC)
