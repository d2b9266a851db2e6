"""Conversations of a minute in; as many as there is room for, and the others as one, out."""

from __future__ import annotations

import polars as pl

from analyzers.conversation_minutes import ConversationMinutes
from analyzers.loss import COLUMNS, traffic_rows
from policy.devices import NOBODY
from policy.traffic import FLOW_MINUTE_SCHEMA, Traffic

MINUTE_NS = 60_000_000_000


def _rows(
    count: int, *, first: int = 0, minute: int = 0, packets: int = 1, said: bool = False
) -> pl.DataFrame:
    """So many conversations of one client with different servers, in one minute."""
    number = pl.int_range(first, first + count, eager=True)
    at = (minute * MINUTE_NS + number * 1_000).cast(pl.Datetime("ns", "UTC"))
    known = pl.DataFrame(
        {
            "flow_id": (number + 1).cast(pl.UInt32),
            "minute": pl.Series([minute * MINUTE_NS] * count).cast(pl.Datetime("ns", "UTC")),
            "client_ip": pl.Series([bytes(15) + b"\x01"] * count),
            "server_ip": pl.Series([int(one + 2).to_bytes(16, "big") for one in number]),
            "ip_proto": pl.repeat(6, count, dtype=pl.UInt8, eager=True),
            "server_port": pl.repeat(502, count, dtype=pl.UInt16, eager=True),
            "client_zone": pl.Series(["office"] * count),
            "server_zone": pl.Series(["control"] * count),
            "conduit": pl.Series(["c-hist"] * count),
            "first_ts": at,
            "last_ts": at,
            "first_frame": (number + 1).cast(pl.UInt64),
        }
    )
    empty = Traffic.empty().flow_minutes
    blank = pl.DataFrame(schema={name: FLOW_MINUTE_SCHEMA[name] for name in empty.columns})
    rows = pl.concat([blank, known.cast(blank.select(known.columns).schema)], how="diagonal")
    rows = rows.with_columns(
        pl.col(pl.String).fill_null(""),
        pl.selectors.unsigned_integer().fill_null(0),
    ).with_columns(
        packets_c2s=pl.lit(packets, blank.schema["packets_c2s"]),
        packets_s2c=pl.lit(packets * said, blank.schema["packets_s2c"]),
        data_segments_c2s=pl.lit(packets * said, blank.schema["data_segments_c2s"]),
    )
    return traffic_rows(rows.select(COLUMNS))


def _totals(*parts: pl.DataFrame, kept: int) -> tuple[ConversationMinutes, pl.DataFrame]:
    sums = ConversationMinutes(kept)
    for part in parts:
        sums.add(part)
    total = sums.total()
    assert total is not None
    return sums, total


def test_conversations_that_there_is_room_for_are_measured_each_on_its_own() -> None:
    sums, total = _totals(_rows(100), kept=100)
    assert total.height == 100
    assert sums.together == 0


def test_the_others_of_a_minute_are_one_row_and_their_packets_stay_whole() -> None:
    sums, total = _totals(_rows(300), _rows(300, first=300), kept=100)
    many = total.filter(pl.col("client_ip") == NOBODY)
    assert (total.height, many.height, sums.together) == (101, 1, 500)
    assert total["packets"].sum() == 600
    assert many.select("packets", "server_port", "from_zone", "to_zone", "conduit").row(0) == (
        500,
        0,
        "office",
        "control",
        "c-hist",
    )
    # Samples of their flows find the row: nothing that was measured of them is lost.
    assert many["flow_minutes"].list.len().to_list() == [500]


def test_who_says_most_is_kept_though_a_flood_was_there_first() -> None:
    talking = _rows(10, first=900, packets=4, said=True)
    _, total = _totals(_rows(400), talking, _rows(400, first=400), kept=50)
    said = total.filter(pl.col("_packets_s2c") > 0)
    assert said.height == 10
    assert NOBODY not in said["server_ip"].to_list()


def test_packets_alone_do_not_push_out_a_dialogue() -> None:
    talking = _rows(1, first=900, packets=2, said=True)
    _, total = _totals(_rows(400, packets=50), talking, kept=50)
    assert total.filter((pl.col("data_segments") > 0) & (pl.col("client_ip") != NOBODY)).height == 1


def test_minutes_with_few_conversations_keep_them_all() -> None:
    sums, total = _totals(*(_rows(40, minute=minute) for minute in range(10)), kept=50)
    assert (total.height, sums.together) == (400, 0)


def test_any_order_of_batches_gives_the_same_sums() -> None:
    parts = [_rows(300), _rows(20, first=900, packets=3, said=True), _rows(300, first=300, minute=1)]
    one, other = (_totals(*order, kept=100)[1].drop("flow_minutes") for order in (parts, parts[::-1]))
    key = ["minute", "client_ip", "server_ip", "from_zone"]
    assert one.sort(key).equals(other.sort(key))
