"""Traffic and loss for each conversation and minute: rows of `flow_minutes` in, sums out.

Network loss is what the tap saw twice (lost after the tap) and holes that were filled later (lost before it), as
a share of data segments: (lost_after_tap + lost_before_tap) / data_segments. It reads low where the last segment of
an exchange is lost before the tap, since no hole shows it. What was acknowledged but never seen is the capture's own
loss, and kept apart.

Seen twice is not lost where the peer itself says that it got the segment twice (DSACK, RFC 2883): its ACK was lost or
late. Without this, ACKs lost on a link with 2 % loss read as half as many segments more. The engine takes only those
reports that are about a segment which was counted; one that comes in the next minute takes nothing from this one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from analyzers.flow_minutes import flow_minute

#: What makes rows one conversation in one minute; zones and the conduit follow from the addresses.
CONVERSATION_KEY: Final = ("minute", "client_ip", "server_ip", "ip_proto", "server_port")


#: Ways through a flow: from its client to its server, and back.
DIRECTIONS: Final = ("c2s", "s2c")


def _both(name: str) -> pl.Expr:
    return _one(name, "c2s") + _one(name, "s2c")


def _one(name: str, direction: str) -> pl.Expr:
    return pl.col(f"{name}_{direction}").cast(pl.UInt64)


def lost_after_tap(direction: str) -> pl.Expr:
    """Of a row of `flow_minutes`: segments of one direction that passed the tap and were lost behind it."""
    twice, needless = (
        pl.col(f"{name}_{direction}").cast(pl.UInt64) for name in ("retransmitted_segments", "dsacks")
    )
    return twice - pl.min_horizontal(twice, needless)


def lost_before_tap(direction: str) -> pl.Expr:
    """Of a row of `flow_minutes`: holes of one direction that were filled later than reordering explains."""
    return pl.col(f"filled_holes_{direction}").cast(pl.UInt64)


def _lost(part: Callable[[str], pl.Expr]) -> pl.Expr:
    return part("c2s") + part("s2c")


#: Of `traffic_rows`: what identical conversations share, and what is added up.
_SHARED: Final = ("from_zone", "to_zone", "conduit")
_SUMS: Final = (
    "packets",
    "wire_bytes",
    "data_segments",
    "lost_before_tap",
    "lost_after_tap",
    "lost_client_side",
    "lost_server_side",
    "out_of_order_segments",
    "unseen_segments",
    "duplicate_packets",
    *(f"_{name}_{direction}" for name in ("packets", "unseen") for direction in DIRECTIONS),
)


#: What `traffic_rows` reads.
COLUMNS: Final = (
    *(name for name in CONVERSATION_KEY if name != "minute"),
    *(
        "minute",
        "flow_id",
        "client_zone",
        "server_zone",
        "conduit",
        "service",
        "first_ts",
        "last_ts",
        "first_frame",
    ),
    *(
        f"{name}_{direction}"
        for name in (
            *("packets", "wire_bytes", "data_segments", "retransmitted_segments", "dsacks", "filled_holes"),
            *("out_of_order_segments", "unseen_segments", "duplicate_packets"),
        )
        for direction in DIRECTIONS
    ),
)


def traffic_rows(flow_minutes: pl.DataFrame) -> pl.DataFrame:
    """One row a flow and minute, with the columns that `summed` adds up.

    `flow_minutes` is a list of the one, as the samples of the minute name it.
    """
    return flow_minutes.select(
        *CONVERSATION_KEY,
        flow_minute("minute").reshape((-1, 1)).arr.to_list().alias("flow_minutes"),
        pl.col("client_zone").alias("from_zone"),
        pl.col("server_zone").alias("to_zone"),
        "conduit",
        "service",
        "first_ts",
        "last_ts",
        "first_frame",
        _both("packets").alias("packets"),
        _both("wire_bytes").alias("wire_bytes"),
        _both("data_segments").alias("data_segments"),
        _lost(lost_before_tap).alias("lost_before_tap"),
        _lost(lost_after_tap).alias("lost_after_tap"),
        # What the client sends passes its own side before the tap, what the server sends behind it.
        (lost_before_tap("c2s") + lost_after_tap("s2c")).alias("lost_client_side"),
        (lost_after_tap("c2s") + lost_before_tap("s2c")).alias("lost_server_side"),
        _both("out_of_order_segments").alias("out_of_order_segments"),
        _both("unseen_segments").alias("unseen_segments"),
        _both("duplicate_packets").alias("duplicate_packets"),
        *(_one("packets", way).alias(f"_packets_{way}") for way in DIRECTIONS),
        *(_one("unseen_segments", way).alias(f"_unseen_{way}") for way in DIRECTIONS),
    )


def summed(rows: pl.DataFrame, key: Sequence[str] = CONVERSATION_KEY) -> pl.DataFrame:
    """Rows of `traffic_rows`, and sums of them, from any batches: one row a key, a conversation's minute as a rule."""
    shared = (*CONVERSATION_KEY, *_SHARED)
    return rows.group_by(key).agg(
        pl.col("flow_minutes").explode(),
        *(pl.col(name).first() for name in shared if name not in key),
        pl.col("service").max(),
        pl.col("first_ts").min(),
        pl.col("last_ts").max(),
        pl.col("first_frame").min(),
        *(pl.col(name).sum() for name in _SUMS),
    )


def lost_segments() -> pl.Expr:
    """Of added rows: segments lost in the network, wherever the tap sits."""
    return pl.col("lost_before_tap") + pl.col("lost_after_tap")


def one_sided() -> pl.Expr:
    """Of added rows: no packet of one direction was seen, and the other one acknowledges what it sent.

    Silence alone is no sign: who asks a dead device is seen alone too, but has nothing to acknowledge. A UDP
    conversation is never held to be one-sided: nothing acknowledges there.
    """
    ways = [
        (pl.col(f"_packets_{silent}") == 0)
        & (pl.col(f"_packets_{seen}") > 0)
        & (pl.col(f"_unseen_{silent}") > 0)
        for silent, seen in (DIRECTIONS, DIRECTIONS[::-1])
    ]
    return pl.any_horizontal(ways)
