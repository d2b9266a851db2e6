"""Links that keep what is chosen and change one thing of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Link:
    """A path and its query parameters; every change is a new link."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, path: str, parameters: Iterable[tuple[str, str]]) -> Link:
        """A link from a request's parameters; empty values are left out."""
        return cls(path, tuple((name, value) for name, value in parameters if value))

    def put(self, name: str, value: str | int) -> Link:
        """With this one value for the name, or without the name where the value is empty."""
        rest = self.drop(name).parameters
        return Link(self.path, (*rest, (name, str(value))) if value != "" else rest)

    def drop(self, *names: str) -> Link:
        """Without the names."""
        return Link(self.path, tuple(pair for pair in self.parameters if pair[0] not in names))

    def toggle(self, name: str, value: str) -> Link:
        """With the value among the name's values, or without it where it was."""
        pair = (name, value)
        if pair in self.parameters:
            return Link(self.path, tuple(p for p in self.parameters if p != pair))
        return Link(self.path, (*self.parameters, pair))

    def to(self, path: str) -> Link:
        """The same parameters on another path."""
        return Link(path, self.parameters)

    def values(self, name: str) -> Sequence[str]:
        """The name's values."""
        return [value for key, value in self.parameters if key == name]

    def __str__(self) -> str:
        return f"{self.path}?{urlencode(self.parameters)}" if self.parameters else self.path


@dataclass(frozen=True, slots=True)
class NetworkLinks:
    """Where the network pages lie, each about the same capture and site as the page that leads there."""

    replay: str = ""
    site: str = ""

    def overview(self) -> Link:
        """All zones and conduits."""
        return self._chosen("/network")

    def indicators(self) -> Link:
        """The six indicators."""
        return self._chosen("/network/indicators")

    def zone(self, zone_id: str) -> Link:
        """One zone."""
        return self._chosen(f"/network/zones/{quote(zone_id, safe='')}")

    def conduit(self, conduit_id: str) -> Link:
        """One conduit."""
        return self._chosen(f"/network/conduits/{quote(conduit_id, safe='')}")

    def alerts(self, zone_id: str) -> Link:
        """The alerts of a zone, in the queue."""
        return self._chosen("/security/alerts").put("zone", zone_id)

    def _chosen(self, path: str) -> Link:
        return Link(path).put("replay", self.replay).put("site", self.site)
