"""Traffic in; what came with a change and is still there after its deadline out.

A change with `rollback_by` leaves the network as it was, or its policy says what is new. What talks with a changed
device is held against what talked with it before: a conversation that began between the start of the change and the
deadline, and that goes on behind the deadline, came with the change.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import polars as pl

from policy.flow_violations import went_through
from policy.model import ChangeWindow, epoch_ns
from policy.prefixes import address_bytes
from policy.violations import MINUTE_NS, VIOLATION, added_up, address_texts, confidence_of_roles, grouped
from policy.zoning import CompiledSite

#: Minutes with traffic of a device before its change: of fewer it is not known what was usual.
LEAST_BEFORE: Final = 5
#: Conversations kept for each change: those that were seen first.
CONVERSATIONS_LIMIT: Final = 65_536

_KEY: Final = ("client_ip", "server_ip", "ip_proto", "server_port")


class Drift:
    """One change; grows with the conversations of its devices, and with the minutes of those that are new."""

    def __init__(self, site: CompiledSite, change: ChangeWindow) -> None:
        assets = [site.assets[name] for name in change.assets]
        self._change = change
        self._addresses = [address_bytes(asset.ip) for asset in assets if asset.ip is not None]
        self._start_ns = change.start_ns
        self._deadline_ns = epoch_ns(change.rollback_by) if change.rollback_by else change.end_ns
        #: Device -> minutes before the change in which it was seen, LEAST_BEFORE at most.
        self._before: defaultdict[bytes, set[int]] = defaultdict(set)
        self._usual = pl.DataFrame(schema={name: _SCHEMA[name] for name in _KEY})
        self._new = pl.DataFrame(schema=_SCHEMA)
        self._late = pl.DataFrame(schema=VIOLATION)

    def feed(self, flow_minutes: pl.DataFrame) -> None:
        """Take the flow minutes of a batch."""
        mine = pl.col("client_ip").is_in(self._addresses) | pl.col("server_ip").is_in(self._addresses)
        # A knock that nobody answers is no conversation.
        both_ways = (pl.col("packets_c2s") > 0) & (pl.col("packets_s2c") > 0)
        rows = flow_minutes.filter(mine & both_ways & went_through()).with_columns(
            first_ns=pl.col("first_ts").dt.epoch("ns")
        )
        if rows.is_empty():
            return
        before = rows.filter(pl.col("first_ns") < self._start_ns)
        self._learn(before)
        known = rows.join(self._usual, on=_KEY, how="anti", maintain_order="left")
        begun = known.filter(pl.col("first_ns").is_between(self._start_ns, self._deadline_ns, closed="left"))
        first = pl.concat([self._new, begun.select(*_SCHEMA)]).group_by(_KEY).agg(pl.col("first_ns").min())
        self._new = first.select(*_SCHEMA).sort("first_ns", *_KEY).head(CONVERSATIONS_LIMIT)
        late = known.filter(pl.col("first_ns") >= self._deadline_ns)
        self._late = added_up(self._late, self._violating(late))

    def _learn(self, before: pl.DataFrame) -> None:
        if before.is_empty():
            return
        for side in ("client_ip", "server_ip"):
            seen = before.filter(pl.col(side).is_in(self._addresses)).select(
                side, minute=pl.col("first_ns") // MINUTE_NS
            )
            for address, minute in seen.unique().iter_rows():
                if len(self._before[address]) < LEAST_BEFORE:
                    self._before[address].add(minute)
        usual = pl.concat([self._usual, before.select(*_KEY)]).unique(maintain_order=True)
        self._usual = usual.head(CONVERSATIONS_LIMIT)

    def _violating(self, late: pl.DataFrame) -> pl.DataFrame:
        rows = late.with_columns(
            what=pl.lit(self._change.ref),
            reverse_conduit=pl.lit(""),
            operation=pl.lit("change.remain"),
            ts_ns="first_ns",
            last_ns=pl.col("last_ts").dt.epoch("ns"),
            frame="first_frame",
            confirmed=pl.lit(value=False),
            confidence_rank=confidence_of_roles(),
            decoded=pl.col("confidence").is_in(["handshake", "structure"]),
        )
        return grouped(rows, _described)

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before."""
        self._late = self._late.filter(pl.col("minute") >= before_ns)

    def violations(self) -> pl.DataFrame:
        """Conversations that came with the change, behind its deadline: columns of VIOLATION."""
        watched = [address for address, minutes in self._before.items() if len(minutes) >= LEAST_BEFORE]
        of_watched = pl.col("client_ip").is_in(watched) | pl.col("server_ip").is_in(watched)
        came = self._new.join(self._usual, on=_KEY, how="anti")
        return self._late.filter(of_watched).join(came, on=_KEY, how="semi")


_SCHEMA: Final[dict[str, pl.DataType]] = {
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "ip_proto": pl.UInt8(),
    "server_port": pl.UInt16(),
    "first_ns": pl.Int64(),
}


def _described(rows: pl.DataFrame) -> pl.DataFrame:
    text = pl.format(
        "{} talks with {}, {} packets out, {} back",
        address_texts(rows["client_ip"]),
        address_texts(rows["server_ip"]),
        "packets_c2s",
        "packets_s2c",
    )
    return rows.with_columns(text=text, nearest=pl.lit(""))
