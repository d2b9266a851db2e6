"""Loss of one direction of one conversation: seen twice, said to have come twice, holes filled late."""

from __future__ import annotations

import polars as pl
import pytest

from analyzers.loss import lost_after_tap, lost_before_tap, lost_segments, one_sided, traffic_rows
from policy.traffic import FLOW_MINUTE_SCHEMA
from tests.analyzers.test_sla_meter import flow_minute, traffic


def _rows(**columns: int) -> pl.DataFrame:
    return traffic([flow_minute(0, data_segments_c2s=100, **columns)], [], []).flow_minutes


def _lost(flow_minutes: pl.DataFrame) -> list[int]:
    return traffic_rows(flow_minutes).select(lost_segments()).to_series().to_list()


@pytest.mark.parametrize(
    ("seen_twice", "said_twice", "lost"),
    [(0, 0, 0), (5, 0, 5), (9, 4, 5), (3, 3, 0), (0, 2, 0), (1, 5, 0)],
    ids=["nothing", "no report", "some needless", "all needless", "reports alone", "more reports"],
)
def test_a_segment_that_the_peer_got_twice_was_not_lost(seen_twice: int, said_twice: int, lost: int) -> None:
    rows = _rows(retransmitted_segments_c2s=seen_twice, dsacks_c2s=said_twice)
    assert rows.select(lost_after_tap("c2s")).item() == lost
    assert _lost(rows) == [lost]


def test_reports_of_one_direction_say_nothing_of_the_other() -> None:
    rows = _rows(retransmitted_segments_c2s=4, dsacks_s2c=4)
    assert rows.select(lost_after_tap("c2s"), lost_after_tap("s2c").alias("back")).row(0) == (4, 0)


def test_holes_are_loss_before_the_tap_and_join_the_sum() -> None:
    rows = _rows(retransmitted_segments_c2s=2, filled_holes_s2c=3)
    assert rows.select(lost_before_tap("s2c")).item() == 3
    assert _lost(rows) == [5]
    assert traffic_rows(rows).select("lost_before_tap", "lost_after_tap").row(0) == (3, 2)


def test_reports_of_one_minute_do_not_hide_the_loss_of_another() -> None:
    minutes = [
        flow_minute(0, data_segments_c2s=10, retransmitted_segments_c2s=2),
        flow_minute(1, data_segments_c2s=10, dsacks_c2s=2),
    ]
    rows = traffic(minutes, [], []).flow_minutes
    assert rows.schema == FLOW_MINUTE_SCHEMA
    assert sorted(_lost(rows)) == [0, 2]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"packets_c2s": 30, "packets_s2c": 0, "unseen_segments_s2c": 5}, True),
        ({"packets_c2s": 0, "packets_s2c": 30, "unseen_segments_c2s": 5}, True),
        ({"packets_c2s": 30, "packets_s2c": 0}, False),
        ({"packets_c2s": 30, "packets_s2c": 1, "unseen_segments_s2c": 5}, False),
        ({"packets_c2s": 30, "packets_s2c": 0, "unseen_segments_c2s": 5}, False),
    ],
    ids=["only the client", "only the server", "nobody answers", "a hole", "own segments unseen"],
)
def test_one_direction_is_all_that_was_seen_where_it_acknowledges_the_other(
    columns: dict[str, int], expected: bool
) -> None:
    rows = traffic_rows(traffic([flow_minute(0, **columns)], [], []).flow_minutes)
    assert rows.select(one_sided()).item() is expected


@pytest.mark.parametrize(
    ("columns", "sides"),
    [
        ({"filled_holes_c2s": 3}, (3, 0)),
        ({"retransmitted_segments_c2s": 3}, (0, 3)),
        ({"filled_holes_s2c": 3}, (0, 3)),
        ({"retransmitted_segments_s2c": 3}, (3, 0)),
    ],
    ids=["request before the tap", "request behind it", "answer before the tap", "answer behind it"],
)
def test_loss_is_on_the_side_of_the_tap_that_the_segment_was_on(
    columns: dict[str, int], sides: tuple[int, int]
) -> None:
    rows = traffic_rows(_rows(**columns))
    assert rows.select("lost_client_side", "lost_server_side").row(0) == sides
