"""Traffic and loss for each conversation and minute: rows of `flow_minutes` in, sums out.

Network loss is what the tap saw twice (lost after the tap) and holes that were filled later (lost before it), as
a share of data segments. It reads low where the last segment of an exchange is lost before the tap, since no hole
shows it. What was acknowledged but never seen is the capture's own loss, and kept apart.

Seen twice is not lost where the peer itself says that it got the segment twice (DSACK, RFC 2883): its ACK was lost or
late. Without this, ACKs lost on a link with 2 % loss read as half as many segments more. Where such a report is about
a segment that was not counted as seen twice, loss reads low; it never goes below none.
"""

from __future__ import annotations

from typing import Final

import polars as pl

#: What makes rows one conversation in one minute; zones and the conduit follow from the addresses.
CONVERSATION_KEY: Final = ("minute", "client_ip", "server_ip", "ip_proto", "server_port")


#: Ways through a flow: from its client to its server, and back.
DIRECTIONS: Final = ("c2s", "s2c")


def _both(name: str) -> pl.Expr:
    return pl.col(f"{name}_c2s").cast(pl.UInt64).sum() + pl.col(f"{name}_s2c").cast(pl.UInt64).sum()


def lost_after_tap(direction: str) -> pl.Expr:
    """Of a row of `flow_minutes`: segments of one direction that passed the tap and were lost behind it."""
    twice, needless = (
        pl.col(f"{name}_{direction}").cast(pl.UInt64) for name in ("retransmitted_segments", "dsacks")
    )
    return twice - pl.min_horizontal(twice, needless)


def lost_before_tap(direction: str) -> pl.Expr:
    """Of a row of `flow_minutes`: holes of one direction that were filled later than reordering explains."""
    return pl.col(f"filled_holes_{direction}").cast(pl.UInt64)


def _lost() -> pl.Expr:
    ways = [part(direction) for direction in DIRECTIONS for part in (lost_after_tap, lost_before_tap)]
    return pl.sum_horizontal(ways).sum()


def traffic_rows(flow_minutes: pl.DataFrame) -> pl.DataFrame:
    """One row per CONVERSATION_KEY: traffic, loss and where it went; rows of one key may be summed again."""
    return flow_minutes.group_by(CONVERSATION_KEY).agg(
        pl.col("client_zone").first().alias("from_zone"),
        pl.col("server_zone").first().alias("to_zone"),
        pl.col("conduit").first(),
        pl.col("service").max(),
        pl.col("first_ts").min(),
        pl.col("last_ts").max(),
        pl.col("first_frame").min(),
        _both("packets").alias("packets"),
        _both("wire_bytes").alias("wire_bytes"),
        _both("data_segments").alias("data_segments"),
        _lost().alias("lost_segments"),
        _both("out_of_order_segments").alias("out_of_order_segments"),
        _both("unseen_segments").alias("unseen_segments"),
        _both("duplicate_packets").alias("duplicate_packets"),
    )


def summed(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `traffic_rows` from several batches, added up: one row per CONVERSATION_KEY."""
    firsts, sums = (
        ("from_zone", "to_zone", "conduit"),
        (
            "packets",
            "wire_bytes",
            "data_segments",
            "lost_segments",
            "out_of_order_segments",
            "unseen_segments",
            "duplicate_packets",
        ),
    )
    return rows.group_by(CONVERSATION_KEY).agg(
        *(pl.col(name).first() for name in firsts),
        pl.col("service").max(),
        pl.col("first_ts").min(),
        pl.col("last_ts").max(),
        pl.col("first_frame").min(),
        *(pl.col(name).sum() for name in sums),
    )
