"""What the detections of scans and floods share: connections begun in vain, as rows of violations."""

from __future__ import annotations

from functools import cache

import polars as pl

from policy.services import ICMP, ICMPV6, TCP
from policy.violations import address_texts, confidence_of_roles
from policy.zoning import CompiledSite


def knocks(site: CompiledSite, flow_minutes: pl.DataFrame) -> pl.DataFrame:
    """Flows that begin in their minute and carry nothing, with the columns of ROW.

    A TCP connection that its SYN began and that no payload followed, a UDP packet that nobody answered, ICMP that is
    answered or not. What goes to a group or stays on its link is none. A connection whose payload follows in the next
    minute counts as well: the count may read high by those, never low.
    """
    is_icmp = pl.col("ip_proto").is_in([ICMP, ICMPV6])
    empty = (pl.col("payload_bytes_c2s") + pl.col("payload_bytes_s2c")) == 0
    begun = (pl.col("first_frame") == pl.col("syn_frame")).fill_null(value=False)
    vain = (
        pl.when(pl.col("ip_proto") == TCP)
        .then(begun & empty)
        .otherwise(is_icmp | (pl.col("packets_s2c") == 0))
    )
    rows = flow_minutes.filter(vain)
    rows = rows.filter(~site.local_of(rows["server_ip"]))
    return rows.with_columns(
        what=pl.lit(""),
        reverse_conduit=pl.lit(""),
        operation=pl.lit("network.scan"),
        ts_ns=pl.col("first_ts").dt.epoch("ns"),
        last_ns=pl.col("last_ts").dt.epoch("ns"),
        frame=pl.col("first_frame"),
        confirmed=pl.lit(value=False),
        confidence_rank=confidence_of_roles(),
        service=pl.when(is_icmp).then(pl.lit("icmp")).otherwise(pl.lit("")),
        decoded=pl.lit(value=False),
    )


@cache
def knock_text() -> pl.Expr:
    """A knock in words: `to 10.220.0.12 port 502, unanswered`; needs `server`, the address as text."""
    answer = pl.when(pl.col("packets_s2c") == 0).then(pl.lit("unanswered")).otherwise(pl.lit("answered"))
    port = pl.when(pl.col("door") != 0).then(pl.format(" port {}", "door")).otherwise(pl.lit(""))
    return pl.format("to {}{}, {}", "server", port, answer)


def with_target(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `server` and `door`, where the knock went: the subject of a scan is not one of its targets."""
    return rows.with_columns(address_texts(rows["server_ip"]).alias("server"), door=pl.col("server_port"))
