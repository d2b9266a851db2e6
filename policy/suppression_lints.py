"""Suppressions that no longer do what somebody wanted of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from policy.lints import Lint
from policy.model import Site
from policy.problems import Path


def suppression_remarks(site: Site, today: date | None) -> Iterator[Lint]:
    """Remarks in the order of the file; `today` by the site's clock, None where expiry is not asked for."""
    off = set(site.detections.switched_off)
    for index, one in enumerate(site.suppressions):
        here: Path = ("suppressions", index)
        if today is not None and one.expires <= today:
            yield Lint(
                "expired-suppression",
                here,
                f"suppression {one.id} expired on {one.expires}: what it covered is in the queue again; {one.owner} "
                "repairs the cause, renews `expires`, or removes it",
            )
        for kind in one.what:
            if kind in off:
                yield Lint(
                    "suppresses-nothing",
                    here,
                    f"suppression {one.id} names {kind}, which `detections` switches off; leave it out of one of them",
                )
