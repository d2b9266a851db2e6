"""G5: a beacon."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.rows import violations_of
from analyzers.gathered import Gathered
from policy.flow_violations import went_through
from policy.levels import OFFICE
from policy.public import public
from policy.services import TCP, UDP
from policy.traffic import Traffic
from policy.violations import SUBJECT, confidence_of_roles
from policy.zoning import CompiledSite

#: Contacts that are kept: those that came first, of each subject and of all.
_KEPT_OF_ONE: Final = 1_000
_KEPT: Final = 500_000
#: Of the intervals, as many have to be like the middle one.
_ALIKE: Final = 0.8
#: Faster is a poll or a retry, slower needs more than a day to be seen.
_SHORTEST_NS, _LONGEST_NS = 2_000_000_000, 7_200_000_000_000
_PERCENT: Final = 100

_CONTACT: Final = {
    **SUBJECT,
    "flow_id": pl.UInt32(),
    "ts_ns": pl.Int64(),
    "payload_bytes": pl.UInt64(),
}


class Beacon(Detection):
    """A beacon: periodic small contact with somebody outside.

    Reports
        A host below the office that begins conversations with one public address and port again and again, at nearly
        the same intervals (2 s to 2 h), each of them small, and that no rule of a conduit allows. Answered or not.

    Why it matters
        So a program that somebody left behind asks whether there is work for it.

    Benign causes
        Programs that look for updates, licences or the time. They have no place there without a rule, and no harm in
        them: give them one, or take them away.

    Evidence
        The first contacts with their frames, how many there were and how far apart.

    How to tune
        `detections.G5.contacts`, `detections.G5.jitter_percent`, `detections.G5.payload_bytes`.
    """

    id = "G5"
    title = "a beacon"
    base_severity = 3
    reads = ("flow_minutes",)
    techniques = ("T0869",)
    remembered_h = 24

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._contacts = pl.DataFrame(schema=_CONTACT)
        self._gathered = Gathered()
        self._zones = [zone.id for zone in site.zones.values() if zone.purdue < OFFICE]

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = traffic.flow_minutes.filter(
            pl.col("client_zone").is_in(self._zones)
            & pl.col("crosses")
            & pl.col("ip_proto").is_in([TCP, UDP])
        )
        rows = rows.filter(public(rows["server_ip"]))
        # What goes on from minute to minute is one contact.
        rows = rows.sort("first_ts", "first_frame").unique("flow_id", keep="first", maintain_order=True)
        rows = rows.join(self._contacts, on="flow_id", how="anti", maintain_order="left")
        if rows.is_empty():
            return
        rows = _as_rows(rows)
        rows = rows.filter(~self.site.rules.allow_rows(rows)).head(max(_KEPT - self._contacts.height, 0))
        contacts = pl.concat([self._contacts, rows.select(*_CONTACT)])
        self._contacts = contacts.group_by(*SUBJECT, maintain_order=True).head(_KEPT_OF_ONE)
        self._gathered.add(violations_of(rows, _text()))

    def settle(self, before_ns: int) -> None:
        """Contacts of before too: who comes every two hours comes a dozen times in what is left."""
        super().settle(before_ns)
        self._contacts = self._contacts.filter(pl.col("ts_ns") >= before_ns)

    def violations(self) -> pl.DataFrame:
        """The contacts of those who come back regularly."""
        return self._gathered.all().join(self._regular(), on=list(SUBJECT), how="semi")

    def _regular(self) -> pl.DataFrame:
        limits = self.settings.G5
        intervals = self._contacts.sort("ts_ns", "flow_id").with_columns(
            gap=pl.col("ts_ns").diff().over(*SUBJECT)
        )
        middle = pl.col("gap").median()
        near = (pl.col("gap") - middle).abs() * _PERCENT <= limits.jitter_percent * middle
        found = intervals.group_by(*SUBJECT).agg(
            contacts=pl.len(),
            middle_ns=middle,
            alike=near.mean(),
            payload_bytes=pl.col("payload_bytes").median(),
        )
        return found.filter(
            (pl.col("contacts") >= limits.contacts)
            & pl.col("middle_ns").is_between(_SHORTEST_NS, _LONGEST_NS)
            & (pl.col("alike") >= _ALIKE)
            & (pl.col("payload_bytes") <= limits.payload_bytes)
        )

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often, how far apart, and the first of it."""
        times = sorted(example["ts_ns"] for example in violation["examples"])
        apart = sorted(later - earlier for earlier, later in pairwise(times))
        every = f", about {apart[len(apart) // 2] / 1e9:.1f} s apart" if apart else ""
        return (
            f"The host contacted this public address {violation['count']} ×{every}, and no rule allows it; first: "
            f"{violation['examples'][0]['text']}."
        )


def _as_rows(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        what=pl.lit(""),
        reverse_conduit=pl.lit(""),
        operation=pl.lit(""),
        ts_ns=pl.col("first_ts").dt.epoch("ns"),
        last_ns=pl.col("last_ts").dt.epoch("ns"),
        frame="first_frame",
        confirmed=went_through(),
        confidence_rank=confidence_of_roles(),
        decoded=pl.col("confidence").is_in(["handshake", "structure"]),
        payload_bytes=pl.col("payload_bytes_c2s") + pl.col("payload_bytes_s2c"),
    )


@cache
def _text() -> pl.Expr:
    return pl.format("{} bytes of payload out, {} back", "payload_bytes_c2s", "payload_bytes_s2c")
