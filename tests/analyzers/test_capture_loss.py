"""Which minutes a capture says enough about: rows of coverage in, the minutes that must not be judged out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from analyzers.capture_loss import CaptureLoss
from sensors.records import COVERAGE

START = datetime(2026, 11, 22, 6, tzinfo=UTC)


def row(minute: int, packets: int, **columns: int) -> dict[str, object]:
    zeros = dict.fromkeys((column.name for column in COVERAGE.columns), 0)
    return {**zeros, "minute": START + timedelta(minutes=minute), "packets": packets, **columns}


def invalid(*batches: list[dict[str, object]]) -> list[int]:
    """The numbers of the minutes that must not be judged."""
    loss = CaptureLoss()
    for rows in batches:
        loss.feed(pa.RecordBatch.from_pylist(rows, COVERAGE.schema()))
    minutes = loss.invalid_minutes()
    assert not minutes["valid"].any()
    return sorted((at - START) // timedelta(minutes=1) for at in minutes["minute"])


def test_minutes_without_a_packet_are_not_held() -> None:
    loss = CaptureLoss()
    assert loss.held() == (0, 0)
    rows = [row(3, 10), row(4, 0), row(9, 1, interface_id=1), row(9, 5)]
    loss.feed(pa.RecordBatch.from_pylist(rows, COVERAGE.schema()))
    assert loss.held() == (2, 7)


def test_drops_told_once_at_the_end_spoil_the_whole_capture() -> None:
    assert invalid([*(row(m, 1_000) for m in range(59)), row(59, 1_000, dropped_packets=600)]) == list(
        range(60)
    )


def test_few_drops_told_once_at_the_end_spoil_nothing() -> None:
    assert invalid([*(row(m, 1_000) for m in range(59)), row(59, 1_000, dropped_packets=60)]) == []


def test_drops_told_early_leave_the_later_minutes() -> None:
    rows = [row(0, 1_000), row(1, 1_000, dropped_packets=30), row(2, 1_000), row(3, 1_000)]
    assert invalid(rows) == [0, 1]


def test_each_report_speaks_of_the_minutes_since_the_one_before() -> None:
    rows = [
        row(0, 1_000, dropped_packets=1),
        row(1, 1_000),
        row(2, 1_000, dropped_packets=50),
        row(3, 1_000, dropped_packets=1),
    ]
    assert invalid(rows) == [1, 2]


def test_one_interface_does_not_end_the_stretch_of_another() -> None:
    rows = [
        row(0, 1_000, dropped_packets=1),
        row(0, 1_000, interface_id=1),
        row(1, 1_000),
        row(1, 1_000, interface_id=1, dropped_packets=50),
    ]
    assert invalid(rows) == [0, 1]


def test_an_interface_that_read_nothing_still_tells_of_drops() -> None:
    assert invalid([row(0, 1_000), row(0, 0, interface_id=1, dropped_packets=5), row(1, 1_000)]) == [0]


def test_segments_never_seen_spoil_their_own_minute_only() -> None:
    assert invalid([row(0, 1_000), row(1, 1_000, unseen_segments=2), row(2, 1_000)]) == [1]


def test_span_duplicates_are_no_packets_read() -> None:
    assert invalid([row(0, 2_100, duplicate_packets=1_200, unseen_segments=1)]) == [0]


@pytest.mark.parametrize("rows", [[], [row(0, 10), row(1, 10)]])
def test_a_capture_that_lost_nothing_is_judged_whole(rows: list[dict[str, object]]) -> None:
    assert invalid(rows) == []


def test_the_cut_into_batches_does_not_matter() -> None:
    rows = [*(row(m, 100) for m in range(6)), row(2, 0, dropped_packets=40), row(4, 7, unseen_segments=1)]
    assert invalid(rows) == invalid(*([one] for one in reversed(rows))) == [0, 1, 2, 4]


@pytest.mark.parametrize("reported", [None, 20, 45])
def test_minutes_that_are_forgotten_still_have_their_share_of_drops(reported: int | None) -> None:
    rows = [row(m, 1_000, dropped_packets=500 if m == reported else 0) for m in range(59)]
    rows.append(row(59, 1_000, dropped_packets=70))
    whole, live = CaptureLoss(), CaptureLoss()
    for number, one in enumerate(rows):
        for loss in (whole, live):
            loss.feed(pa.RecordBatch.from_pylist([one], COVERAGE.schema()))
        live.forget(int((START + timedelta(minutes=number - 15)).timestamp()) * 10**9)
    recent = START + timedelta(minutes=44)
    expected = [at for at in whole.invalid_minutes()["minute"].sort() if at >= recent]
    assert [at for at in live.invalid_minutes()["minute"].sort() if at >= recent] == expected
    # Seventy of an hour's packets are more than one of a thousand; of the minutes since the report too.
    assert len(expected) == 16
    assert live.held()[0] <= 17


def test_what_was_not_reported_is_shared_among_more_minutes_than_are_remembered() -> None:
    live = CaptureLoss()
    for number in range(60):
        dropped = 30 if number == 59 else 0
        live.feed(
            pa.RecordBatch.from_pylist([row(number, 1_000, dropped_packets=dropped)], COVERAGE.schema())
        )
        live.forget(int((START + timedelta(minutes=number - 5)).timestamp()) * 10**9)
    # Thirty of sixty thousand; of the six minutes alone it were five of a thousand.
    assert live.invalid_minutes().is_empty()
