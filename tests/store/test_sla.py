from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from analyzers.sketch import EDGES
from store.answers import SlaPoint
from store.client import Store
from store.queries import rolled, sla
from store.writer import ReplayWriter
from tests.store.samples import START, at, coverage, finding, minutes, outcome, replay_start

MS = 1_000_000


def bucket(duration_ns: int) -> int:
    """The histogram's bucket of a duration: the first whose upper edge is not below it."""
    return next(number for number, edge in enumerate(EDGES) if edge >= duration_ns)


def stored(
    store: Store, *rows: Mapping[str, object], capture: str = "a.pcap", **more: object
) -> ReplayWriter:
    """One finished replay with these rows of sla_minutes."""
    writer = ReplayWriter(store, replay_start(capture, **more.get("start", {})))  # type: ignore[arg-type]
    writer.write("sla_minutes", minutes(rows))
    writer.write("coverage", coverage(more.get("coverage", [])))  # type: ignore[arg-type]
    writer.finish(more.get("findings", []), outcome())  # type: ignore[arg-type]
    return writer


UP = {"from_zone": "supervisory", "to_zone": "plant", "conduit": "supervisory->plant"}
INSIDE = {"from_zone": "plant", "to_zone": "plant", "conduit": ""}
OTHER = {"from_zone": "enterprise", "to_zone": "dmz", "conduit": "enterprise->dmz"}


def test_a_zone_is_the_sum_of_what_comes_and_goes_each_row_once(store: Store) -> None:
    stored(
        store,
        {**UP, "packets": 100},
        {**INSIDE, "packets": 7, "client": "10.0.1.9"},
        {**OTHER, "packets": 5000},
    )
    (plant,) = sla.zone_series(store, "plant", START, at(1), 60)
    (supervisory,) = sla.zone_series(store, "supervisory", START, at(1), 60)
    assert (plant.packets, supervisory.packets) == (107, 100)
    (conduit,) = sla.conduit_series(store, "supervisory->plant", START, at(1), 60)
    assert conduit.packets == 100


def test_percentiles_come_from_added_histograms_and_are_never_averaged(store: Store) -> None:
    # 98 round trips of 10 ms from one conversation, 2 of 900 ms from another: an average of p99s would be 455 ms
    stored(
        store,
        {**UP, "rtt_buckets": [bucket(10 * MS)], "rtt_counts": [98]},
        {**UP, "client": "10.0.2.11", "rtt_buckets": [bucket(900 * MS)], "rtt_counts": [2]},
        {**UP, "at": 1, "transaction_buckets": [bucket(40 * MS)], "transaction_counts": [5]},
    )
    (point,) = sla.zone_series(store, "plant", START, at(2), 120)
    assert point.rtt_samples == 100
    assert point.rtt_p50_ns == pytest.approx(10 * MS, rel=0.01)
    assert point.rtt_p95_ns == pytest.approx(10 * MS, rel=0.01)
    assert point.rtt_p99_ns == pytest.approx(900 * MS, rel=0.01)
    assert point.transaction_p50_ns == pytest.approx(40 * MS, rel=0.01)


def test_counts_beyond_32_bits_add_up(store: Store) -> None:
    row = {**UP, "rtt_buckets": [500], "rtt_counts": [2**32 - 1]}
    stored(store, *({**row, "client": f"10.0.2.{number}"} for number in range(3)))
    (point,) = sla.zone_series(store, "plant", START, at(1), 60)
    assert point.rtt_samples == 3 * (2**32 - 1)


def test_a_step_without_traffic_is_a_gap_and_never_zero(store: Store) -> None:
    stored(store, {**UP, "at": 0, "data_segments": 50, "lost_segments": 1}, {**UP, "at": 3})
    points = sla.zone_series(store, "plant", START, at(4), 60)
    assert [point.start for point in points] == [at(0), at(1), at(2), at(3)]
    assert [point.packets for point in points] == [10, 0, 0, 10]
    assert (points[0].loss, points[0].availability) == (0.02, None)
    assert points[1] == SlaPoint(
        at(1), 60, 0, None, None, None, None, 0, None, None, None, 0, 0, 0, 0, valid=False
    )


def test_a_zone_nobody_measured_is_only_gaps(store: Store) -> None:
    stored(store, UP)
    assert [point.packets for point in sla.zone_series(store, "port", START, at(3), 60)] == [0, 0, 0]
    summary = sla.zone_summary(store, "port", START, at(3))
    assert (summary.total.coverage, summary.minutes_seen, summary.last_packet) == (None, 0, None)
    assert (summary.worst_conversation, summary.worst_p99_ns) == ("", None)


def test_coverage_counts_what_was_dropped_and_what_was_never_seen(store: Store) -> None:
    # the capture read 300 packets and dropped 100; the zone had 30 of the 300, so 10 of the drops, and 20 unseen
    stored(
        store,
        {**UP, "packets": 30, "unseen_segments": 20},
        coverage=[{"packets": 300, "dropped_packets": 100}],
    )
    (point,) = sla.zone_series(store, "plant", START, at(1), 60)
    assert point.coverage == pytest.approx(30 / (30 + 10 + 20))


def test_a_minute_that_is_not_valid_shows_its_packets_and_is_in_no_other_figure(store: Store) -> None:
    figures = {"data_segments": 100, "transactions": 10, "rtt_buckets": [bucket(MS)], "rtt_counts": [3]}
    quick = {"good": 10, "transaction_buckets": [bucket(MS)], "transaction_counts": [10]}
    blind = {
        "valid": False,
        "lost_segments": 50,
        "transaction_buckets": [bucket(900 * MS)],
        "transaction_counts": [10],
    }
    stored(
        store,
        {**UP, "at": 0, **figures, **quick},
        {**UP, "at": 1, **figures, **blind},
        {**UP, "at": 1, "client": "10.0.2.11", **figures, **blind},
    )
    for summary in (
        sla.zone_summary(store, "plant", START, at(3)),
        sla.conduit_summary(store, "supervisory->plant", START, at(3)),
        sla.zone_summaries(store, START, at(3))["plant"],
    ):
        total = summary.total
        assert (summary.minutes_seen, summary.minutes_valid, total.packets) == (2, 1, 30)
        assert (total.availability, total.loss, total.rtt_samples) == (1.0, 0.0, 3)
        assert total.transaction_p99_ns == pytest.approx(MS, rel=0.01)
    good, lossy, empty = sla.zone_series(store, "plant", START, at(3), 60)
    assert (good.valid, lossy.valid, empty.valid) == (True, False, False)
    assert (lossy.packets, lossy.availability, lossy.transaction_p99_ns) == (20, None, None)


def test_a_range_begins_with_its_minute_and_ends_before_its_end(store: Store) -> None:
    stored(store, *({**UP, "at": minute} for minute in range(5)))
    inside = sla.zone_series(store, "plant", at(1) + timedelta(seconds=30), at(4), 60)
    assert [point.packets for point in inside] == [10, 10, 10]
    summary = sla.zone_summary(store, "plant", at(1) + timedelta(seconds=30), at(4))
    assert summary.total.packets == 30
    assert summary.last_packet == at(3) + timedelta(seconds=59)


@pytest.mark.parametrize("step_s", [60, 300, 3600, 86_400])
def test_series_and_summary_agree_whatever_the_step(store: Store, step_s: int) -> None:
    stored(store, *({**UP, "at": 7 * n, "packets": n, "transactions": 3, "good": 2} for n in range(1, 40)))
    points = sla.zone_series(store, "plant", at(10), at(250), step_s)
    summary = sla.zone_summary(store, "plant", at(10), at(250))
    assert sum(point.packets for point in points) == summary.total.packets > 0
    assert sum(point.good for point in points) == summary.total.good
    assert all(point.start.timestamp() % step_s == 0 for point in points)


def test_a_capture_judged_twice_counts_once(store: Store) -> None:
    old = stored(store, {**UP, "packets": 10}, start={"version": "0.1.0"})
    stored(store, {**UP, "packets": 10}, start={"version": "0.2.0"})
    stored(store, {**UP, "packets": 3, "at": 1}, capture="next.pcap")
    assert sla.zone_summary(store, "plant", START, at(9)).total.packets == 13
    assert sla.zone_summary(store, "plant", START, at(9), replay=old.id).total.packets == 10


def test_rows_of_an_unfinished_replay_count_nowhere(store: Store) -> None:
    writer = ReplayWriter(store, replay_start())
    writer.write("sla_minutes", pa.Table.from_batches([minutes([UP] * 1000)] * 50))
    assert store.one("SELECT count() AS n FROM sla_minutes") == 50_000
    assert sla.zone_summary(store, "plant", START, at(9)).total.packets == 0
    assert sla.time_span(store) is None


def test_sites_with_zones_of_the_same_name_can_be_told_apart(store: Store) -> None:
    stored(store, {**UP, "packets": 10}, capture="a.pcap", start={"site": "mine-a"})
    stored(store, {**UP, "packets": 4}, capture="b.pcap", start={"site": "mine-b"})
    (point,) = sla.zone_series(store, "plant", START, at(1), 60, site="mine-b")
    assert point.packets == 4


def test_all_zones_at_once_say_what_each_says_alone(store: Store) -> None:
    stored(
        store,
        {**UP, "rtt_buckets": [400, 500], "rtt_counts": [9, 1]},
        {**INSIDE, "at": 2, "client": "10.0.1.9", "data_segments": 9, "lost_segments": 2},
        {"from_zone": "", "to_zone": "plant", "at": 1, "client": "192.0.2.7"},
        coverage=[{"at": 0, "packets": 90, "dropped_packets": 9}],
    )
    summaries = sla.zone_summaries(store, START, at(5))
    series = sla.zones_series(store, START, at(5), 60)
    assert list(summaries) == list(series) == ["plant", "supervisory"]
    for zone, summary in summaries.items():
        alone = sla.zone_summary(store, zone, START, at(5))
        assert summary.total == alone.total
        assert (summary.minutes_seen, summary.minutes_valid) == (alone.minutes_seen, alone.minutes_valid)
        assert summary.last_packet == alone.last_packet
        assert series[zone] == sla.zone_series(store, zone, START, at(5), 60)


def test_each_conduit_by_the_hour_with_its_gaps(store: Store) -> None:
    stored(store, {**UP, "at": 5}, {**UP, "at": 65}, {**OTHER, "at": 125}, INSIDE)
    hours = sla.conduit_hours(store, START, at(180))
    assert {conduit: [point.packets for point in points] for conduit, points in hours.items()} == {
        "enterprise->dmz": [0, 0, 10],
        "supervisory->plant": [10, 10, 0],
    }
    five_minutes = sla.conduit_hours(store, START, at(10), step_s=300)
    assert [point.packets for point in five_minutes["supervisory->plant"]] == [0, 10]


def test_what_went_between_zones_is_counted_with_its_findings(store: Store) -> None:
    wild = {"from_zone": "enterprise", "to_zone": "plant", "conduit": "", "service": "", "server_port": 22}
    first = stored(
        store,
        {**UP, "at": 1, "packets": 100, "first_frame": 9},
        {**UP, "at": 0, "packets": 60, "first_frame": 4, "client": "10.0.2.11", "service": "opcua"},
        {**wild, "packets": 2, "first_frame": 77},
        INSIDE,
        findings=[finding(1), finding(2), finding(3, src_zone="enterprise", first_ns=1, last_ns=2)],
    )
    up, out = sla.conduit_use(store, START, at(5))
    assert (up.conduit, up.packets, up.services, up.first_frame) == (
        UP["conduit"],
        160,
        ("modbus", "opcua"),
        4,
    )
    assert up.findings == 2
    assert (out.from_zone, out.to_zone, out.conduit, out.services) == ("enterprise", "plant", "", ())
    assert (out.findings, out.first_frame) == (0, 77)  # its finding is of 1970

    stored(store, {**UP, "packets": 1, "first_frame": 2}, capture="b.pcap")
    assert [use.packets for use in sla.conduit_use(store, START, at(5), replay=first.id)] == [160, 2]


def test_traffic_of_no_zone_is_shown(store: Store) -> None:
    stored(store, {"from_zone": "", "to_zone": "", "client": "192.0.2.7", "server": "192.0.2.8"})
    (use,) = sla.conduit_use(store, START, at(5))
    assert (use.from_zone, use.to_zone, use.packets) == ("", "", 10)


def test_the_worst_conversation_is_the_slowest_by_transactions_then_round_trips(store: Store) -> None:
    slow, fast, silent = "10.0.2.30", "10.0.2.20", "10.0.2.40"
    stored(
        store,
        {**UP, "client": fast, "transaction_buckets": [bucket(20 * MS)], "transaction_counts": [50]},
        {**UP, "client": slow, "transaction_buckets": [bucket(80 * MS)], "transaction_counts": [5]},
        {**UP, "client": silent, "rtt_buckets": [bucket(900 * MS)], "rtt_counts": [5], "first_frame": 12},
    )
    worst = sla.worst_conversations(store, "plant", START, at(5), 2)
    assert [conversation.client_ip for conversation in worst] == [slow, fast]
    summary = sla.zone_summary(store, "plant", START, at(5))
    assert summary.worst_conversation == "10.0.2.30 → 10.0.1.5:502"
    assert summary.worst_p99_ns == pytest.approx(80 * MS, rel=0.01)
    assert summary.worst_indicator == "transaction"


def test_without_transactions_the_worst_is_by_round_trips(store: Store) -> None:
    stored(
        store,
        {**UP, "client": "10.0.2.20", "rtt_buckets": [bucket(2 * MS)], "rtt_counts": [5]},
        {**UP, "client": "10.0.2.21", "rtt_buckets": [bucket(9 * MS)], "rtt_counts": [5], "first_frame": 12},
    )
    (worst,) = sla.worst_conversations(store, "plant", START, at(5), 1)
    assert (worst.client_ip, worst.first_frame) == ("10.0.2.21", 12)
    assert sla.zone_summary(store, "plant", START, at(5)).worst_indicator == "rtt"


def test_the_span_is_from_the_first_packet_to_the_last(store: Store) -> None:
    assert sla.time_span(store) is None
    writer = stored(store, {**UP, "at": 2}, {**UP, "at": 1440})
    span = (at(2), at(1440) + timedelta(seconds=59))
    assert sla.time_span(store) == span
    assert sla.time_span(store, replay=writer.id) == span
    assert sla.time_span(store, site="mine-b") is None


def test_refuses_times_and_steps_that_mean_nothing(embedded: Store) -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001 - that is the mistake
    with pytest.raises(ValueError, match="no time zone"):
        sla.zone_series(embedded, "plant", naive, at(1), 60)
    with pytest.raises(ValueError, match=r"ends .* before it starts"):
        sla.zone_series(embedded, "plant", at(1), at(0), 60)
    for step_s in (0, -60, 59, 90):
        with pytest.raises(ValueError, match="multiple of 60"):
            sla.zone_series(embedded, "plant", at(0), at(1), step_s)
    with pytest.raises(ValueError, match="use longer steps"):
        sla.zone_series(embedded, "plant", at(0), at(20_000), 60)


def test_a_range_beyond_what_a_time_can_hold_is_cut(embedded: Store) -> None:
    stored(embedded, UP)
    ever = datetime.min.replace(tzinfo=START.tzinfo), datetime.max.replace(tzinfo=START.tzinfo)
    assert sla.zone_summary(embedded, "plant", *ever).total.packets == 10
    assert sla.conduit_use(embedded, *ever)[0].packets == 10


def test_what_tells_why_is_added_up_over_the_minutes_that_count(store: Store) -> None:
    lost = {"data_segments": 100, "lost_segments": 5, "lost_server_side": 4, "lost_client_side": 1}
    asked = {"transactions": 10, "good": 6, "unanswered": 1, "late": 3, "missed": 2}
    hidden = {"not_measurable_encrypted": 7, "not_measurable_unmatched": 1, "not_measurable_clock": 2}
    own = {
        "rtt_buckets": [bucket(2 * MS), bucket(30 * MS)],
        "rtt_counts": [1, 1],
        "transaction_buckets": [bucket(195 * MS)],
        "transaction_counts": [10],
        "server_time_buckets": [bucket(180 * MS)],
        "server_time_counts": [10],
    }
    stored(
        store,
        {**UP, **lost, **asked, **hidden, **own},
        {**UP, "at": 1, **asked, "exclusion": "CHG-7"},
        {**UP, "at": 2, **asked, "valid": False, "one_sided": True, "not_measurable_one_sided": 4},
    )
    summary = sla.conduit_summary(store, UP["conduit"], START, at(3))
    assert (summary.minutes_seen, summary.minutes_valid, summary.minutes_excluded) == (2, 1, 1)
    total, why = summary.total, summary.total.causes
    assert (total.transactions, total.good, total.missed, total.availability) == (10, 6, 2, 0.5)
    assert (why.lost_server_side, why.lost_client_side, why.late, why.unanswered) == (4, 1, 3, 1)
    assert (why.encrypted, why.unmatched, why.clock) == (7, 1, 2)
    assert (why.one_sided, why.one_sided_minutes) == (4, 1)
    assert why.server_time_p99_ns == pytest.approx(180 * MS, rel=0.01)
    assert (why.server_time_samples, why.transaction_samples) == (10, 10)
    assert why.jitter_ns == pytest.approx(28 * MS, rel=0.03)


def test_a_step_within_a_planned_change_is_judged_in_no_figure(store: Store) -> None:
    stored(store, {**UP, "transactions": 10, "unanswered": 10, "exclusion": "CHG-7"})
    (point,) = sla.zone_series(store, "plant", START, at(1), 60)
    assert (point.packets, point.valid, point.availability) == (10, False, None)


def test_the_same_figures_from_roll_ups_and_from_minutes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # three days; edges of the ranges in the middle of hours and days; invalid, excluded and one-sided minutes
    rows = [
        {
            **(UP, INSIDE, OTHER)[minute % 3],
            "at": minute,
            "client": f"10.0.2.{10 + minute % 4}",
            "first_frame": minute + 1,
            "packets": 10 + minute % 7,
            "transactions": 10,
            "good": 10 - minute % 2,
            "missed": int(minute % 5 == 0),
            "data_segments": 20,
            "lost_segments": int(minute % 3 == 1),
            "lost_after_tap": int(minute % 3 == 1),
            "unseen_segments": int(minute % 11 == 0),
            "valid": minute % 13 != 0,
            "exclusion": "CHG-1" if 500 < minute < 700 else "",
            "one_sided": minute % 17 == 0,
            "rtt_buckets": [500 + minute % 40, 600],
            "rtt_counts": [1 + minute % 3, 2],
            "transaction_buckets": [700 + minute % 30],
            "transaction_counts": [10],
            "server_time_buckets": [650 + minute % 20],
            "server_time_counts": [9],
            "service": "modbus" if minute % 9 else "",
        }
        for minute in range(0, 3 * 24 * 60, 7)
    ]
    rows += [{**row, "client": "10.0.2.99"} for row in rows[::5]]
    stored(store, *rows, findings=[finding(1)])

    def everything() -> str:
        found: list[object] = []
        for first, last, site in ((0, 4320, ""), (37.5, 4000.25, ""), (61, 119, "mine-a"), (1079, 2521, "")):
            start, end = at(first), at(last)
            found += [
                sla.zone_summaries(store, start, end, site=site),
                sla.zones_series(store, start, end, 3600, site=site),
                sla.conduit_hours(store, start, end, 7200, site=site),
                sla.conduit_use(store, start, end, site=site),
                sla.zone_summary(store, "plant", start, end, site=site),
                sla.zone_series(store, "plant", start, end, 10_800, site=site),
                sla.zone_series(store, "plant", start, end, 600, site=site),
                sla.worst_conversations(store, "plant", start, end, 9, site=site),
                sla.conduit_summary(store, "enterprise->dmz", start, end, site=site),
            ]
        return repr(found)

    from_roll_ups = everything()
    monkeypatch.setattr(rolled, "whole_steps", lambda *_: None)
    assert from_roll_ups == everything()
    assert "10.0.2.99" in from_roll_ups
