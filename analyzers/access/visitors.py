"""Batches of traffic in; the visits up to now out."""

from __future__ import annotations

import polars as pl

from analyzers.access.chains import visits_of
from analyzers.access.legs import Legs
from policy.traffic import Traffic
from policy.visits import no_visits
from policy.zoning import CompiledSite


class Visitors:
    """The visitors' book of one capture."""

    def __init__(self, site: CompiledSite) -> None:
        self._site = site
        self._legs = Legs(site)
        self._visits: pl.DataFrame | None = no_visits()

    @property
    def not_kept(self) -> int:
        """Minutes of sessions that there was no room for."""
        return self._legs.not_kept

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        if self._site.site.remote_access and self._legs.add(traffic.flow_minutes):
            self._visits = None

    def settle(self, before_ns: int) -> None:
        """Of an interface: forget sessions that had ended before."""
        if self._legs.forget(before_ns):
            self._visits = None

    def visits(self) -> pl.DataFrame:
        """Every visit up to now, by its first packet: columns of VISIT."""
        if self._visits is None:
            self._visits = visits_of(self._site, self._legs.all())
        return self._visits
