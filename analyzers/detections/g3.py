"""G3: a server kept busy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.flow_rows import knock_text, knocks, with_target
from analyzers.detections.rows import NOBODY, told
from analyzers.detections.totals import WithFirst
from policy.services import TCP
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_SLOTS: Final = 6
#: More of one connection than this count as so many: the number comes from the wire.
_REFUSALS_LIMIT: Final = 1_000


class Flood(Detection):
    """A flood of connections, or of logins.

    Reports
        Within a minute, thousands of TCP connections to one port of one server that are begun and carry nothing, from
        whomever; or a hundred refused logins of one client at one server, by SSH, Remote Desktop and the like.

    Why it matters
        A controller has room for a handful of connections. Whoever takes them all keeps its operators out.

    Benign causes
        A client that tries again without waiting; a load test.

    Evidence
        The first connections with their frames, and how many there were.

    How to tune
        `detections.G3.connections`, `detections.G3.logins`.
    """

    id = "G3"
    title = "a flood of connections"
    base_severity = 4
    reads = ("flow_minutes", "services")
    techniques = ("T0814",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._by_server = Bursts(
            self.settings.G3.connections, slots=_SLOTS, totals=WithFirst(), kept=self.settings.kept
        )
        self._logins = Bursts(self.settings.G3.logins, slots=_SLOTS)
        self._clients = _Clients()

    @property
    def evicted(self) -> int:
        """Servers forgotten for lack of room."""
        return self._by_server.evicted

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = with_target(knocks(self.site, traffic.flow_minutes.filter(pl.col("ip_proto") == TCP)))
        self._clients.add(rows)
        from_anybody = rows.with_columns(
            client_ip=pl.lit(NOBODY), what=pl.lit("connections"), operation=pl.lit("network.flood")
        )
        self._by_server.add(from_anybody, knock_text())
        if self._clients.count > 2 * self.settings.kept:
            self._clients.keep(self._by_server.subjects())
        refused = traffic.services.filter(pl.col("refused_logins") > 0).with_columns(
            known_as=pl.col("service").cast(pl.String),
            each=pl.int_ranges(0, pl.col("refused_logins").clip(upper_bound=_REFUSALS_LIMIT)),
        )
        logins = told(refused.explode("each"), "", "login", what=pl.lit("logins")).with_columns(
            service="known_as", operation=pl.lit("network.login")
        )
        self._logins.add(logins, pl.format("login refused, {}", "known_as"))

    def settle(self, before_ns: int) -> None:
        """Who knocked at doors that nobody knocks at any more, too."""
        super().settle(before_ns)
        self._clients.keep(self._by_server.subjects())

    def violations(self) -> pl.DataFrame:
        """Both; a flood that one client alone makes is that client's."""
        return pl.concat([self._clients.named(self._by_server.violations()), self._logins.violations()])

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says of what."""
        return f"a flood of {violation['what']}"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many, and the threshold."""
        if violation["what"] == "logins":
            return (
                f"The server refused {violation['count']:,} logins of this client, at least "
                f"{self.settings.G3.logins} of them within a minute."
            )
        source = "by this client" if any(violation["client_ip"]) else "by many addresses, which may be forged"
        return (
            f"{violation['count']:,} connections were begun {source} and carried nothing, at least "
            f"{self.settings.G3.connections:,} of them within a minute."
        )


_DOOR: Final = ["server_ip", "ip_proto", "server_port"]


class _Clients:
    """Whether one client alone knocks at a door: bounded by the doors, however many clients are forged."""

    def __init__(self) -> None:
        self._known: pl.DataFrame | None = None

    def keep(self, doors: pl.DataFrame) -> None:
        """Forget the others; `doors` has server_ip, ip_proto and server_port."""
        if self._known is not None:
            self._known = self._known.join(doors, on=_DOOR, how="semi")

    @property
    def count(self) -> int:
        """How many doors are known."""
        return 0 if self._known is None else self._known.height

    def add(self, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        fresh = rows.group_by(_DOOR).agg(low=pl.col("client_ip").min(), high=pl.col("client_ip").max())
        if self._known is not None:
            fresh = pl.concat([self._known, fresh])
            fresh = fresh.group_by(_DOOR).agg(pl.col("low").min(), pl.col("high").max())
        self._known = fresh

    def named(self, violations: pl.DataFrame) -> pl.DataFrame:
        """Violations with the client's address where there is one alone."""
        if self._known is None:
            return violations
        known = violations.join(self._known, on=_DOOR, how="left", maintain_order="left")
        alone = (pl.col("low") == pl.col("high")).fill_null(value=False)
        return known.with_columns(client_ip=pl.when(alone).then("low").otherwise("client_ip")).select(
            violations.columns
        )
