"""Loss of one direction of one conversation: seen twice, said to have come twice, holes filled late."""

from __future__ import annotations

import polars as pl
import pytest

from analyzers.loss import lost_after_tap, lost_before_tap, traffic_rows
from policy.traffic import FLOW_MINUTE_SCHEMA
from tests.analyzers.test_sla_meter import flow_minute, traffic


def _rows(**columns: int) -> pl.DataFrame:
    return traffic([flow_minute(0, data_segments_c2s=100, **columns)], [], []).flow_minutes


@pytest.mark.parametrize(
    ("seen_twice", "said_twice", "lost"),
    [(0, 0, 0), (5, 0, 5), (9, 4, 5), (3, 3, 0), (0, 2, 0), (1, 5, 0)],
    ids=["nothing", "no report", "some needless", "all needless", "reports alone", "more reports"],
)
def test_a_segment_that_the_peer_got_twice_was_not_lost(seen_twice: int, said_twice: int, lost: int) -> None:
    rows = _rows(retransmitted_segments_c2s=seen_twice, dsacks_c2s=said_twice)
    assert rows.select(lost_after_tap("c2s")).item() == lost
    assert traffic_rows(rows)["lost_segments"].item() == lost


def test_reports_of_one_direction_say_nothing_of_the_other() -> None:
    rows = _rows(retransmitted_segments_c2s=4, dsacks_s2c=4)
    assert rows.select(lost_after_tap("c2s"), lost_after_tap("s2c").alias("back")).row(0) == (4, 0)


def test_holes_are_loss_before_the_tap_and_join_the_sum() -> None:
    rows = _rows(retransmitted_segments_c2s=2, filled_holes_s2c=3)
    assert rows.select(lost_before_tap("s2c")).item() == 3
    assert traffic_rows(rows)["lost_segments"].item() == 5


def test_reports_of_one_minute_do_not_hide_the_loss_of_another() -> None:
    minutes = [
        flow_minute(0, data_segments_c2s=10, retransmitted_segments_c2s=2),
        flow_minute(1, data_segments_c2s=10, dsacks_c2s=2),
    ]
    rows = traffic(minutes, [], []).flow_minutes
    assert rows.schema == FLOW_MINUTE_SCHEMA
    assert sorted(traffic_rows(rows)["lost_segments"].to_list()) == [0, 2]
