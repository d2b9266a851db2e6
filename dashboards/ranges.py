"""The range and capture selectors of the network pages: links only, so that they work without a script."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import Request

from api.sites import known_sites
from api.spans import data_span
from api.window import RANGES, Window
from dashboards.links import Link
from store.client import Store
from store.queries import replays

#: More captures than this are chosen from the audit page.
_CAPTURES: Final = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a selector."""

    name: str
    href: str
    on: bool


def range_values(request: Request, store: Store, window: Window, replay: str, site: str) -> dict[str, Any]:
    """What the templates' selectors show; of captures, those of the page's site."""
    everything = Link.of(request.url.path, request.query_params.multi_items())
    link = everything.drop("from", "to", "range")
    half = window.span / 2
    return {
        "window": window,
        "data": data_span(store, replay, site),
        "ranges": [
            Choice(name, str(link.put("range", name)), window.chosen == name) for name in (*RANGES, "all")
        ],
        "captures": _captures(store, link, replay, site),
        "earlier_href": _between(link, window.start - window.span, window.start),
        "later_href": _between(link, window.end, window.end + window.span),
        "wider_href": _between(link, window.start - half, window.end + half),
        "kept": link.parameters,
    }


def site_choices(store: Store, path: str, site: str) -> list[Choice]:
    """The sites to choose from; none where there is but one. A time range is of one site's data, so it is not kept."""
    known = known_sites(store)
    if len(known) < 2:
        return []
    return [
        Choice(one.site.name, str(Link(path).put("site", one.site.id)), one.site.id == site) for one in known
    ]


def rfc3339(moment: datetime) -> str:
    """A time as the parameters `from` and `to` take it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _captures(store: Store, link: Link, replay: str, site: str) -> list[Choice]:
    """All captures together, then each: where several cover the same hour, one alone tells more."""
    rows = [
        row
        for row in replays.list_replays(store, "", _CAPTURES).replays
        if row.state in ("done", "listening") and site == row.site
    ]
    if len(rows) < 2 and not replay:
        return []
    choices = [Choice("all captures", str(link.drop("replay").put("site", site)), not replay)]
    return choices + [
        Choice(row.capture_name, str(link.drop("site").put("replay", row.id)), row.id == replay)
        for row in rows
    ]


def _between(link: Link, start: datetime, end: datetime) -> str:
    return str(link.put("from", rfc3339(start)).put("to", rfc3339(end)))
