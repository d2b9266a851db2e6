"""The meter: rows of traffic in, conversation minutes and zone figures out, whatever the cut into batches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.measurements import SLA_MINUTES
from analyzers.sla import Meter, Status
from policy.loader import loads
from policy.traffic import TRAFFIC_TABLES, Traffic, with_conversation
from policy.zoning import CompiledSite, compile_site
from sensors.records import COVERAGE

SITE = """\
schema: 1
site: {id: small, name: "Small", tz: UTC}
zones:
- {id: plant, name: "Plant", purdue: 1, criticality: C2, cidrs: [10.1.0.0/24]}
- {id: control, name: "Control room", purdue: 2, criticality: C2, cidrs: [10.2.0.0/24]}
- {id: quiet, name: "Quiet", purdue: 3, criticality: C3, cidrs: [10.3.0.0/24]}
conduits:
- id: c-poll
  from: control
  to: plant
  allow:
  - {id: r1, service: modbus, port: 502, functions: [3], read: [[0, 9]], reason: polls, owner: ot, expires: 2030-01-01}
"""
START = datetime(2026, 11, 22, 6, tzinfo=UTC)
MS = 1_000_000


@pytest.fixture(scope="module")
def site() -> CompiledSite:
    return compile_site(loads(SITE, "small.yaml").site)


def _address(text: str) -> bytes:
    return bytes(10) + b"\xff\xff" + bytes(map(int, text.split(".")))


_BLANKS: dict[type[pl.DataType], object] = {
    pl.String: "",
    pl.Boolean: False,
    pl.Binary: b"",
    pl.List: [],
    pl.Datetime: START,
}
_CONVERSATION: dict[str, object] = {
    "ip_proto": 6,
    "client_ip": _address("10.2.0.5"),
    "server_ip": _address("10.1.0.11"),
    "client_port": 40000,
    "server_port": 502,
    "client_zone": "control",
    "server_zone": "plant",
    "conduit": "c-poll",
    "crosses": True,
    "role_source": "syn",
    "flow_id": 1,
}


def _frame(schema: dict[str, pl.DataType], rows: list[dict[str, object]]) -> pl.DataFrame:
    blank = {name: _BLANKS.get(type(kind), 0) for name, kind in schema.items()}
    return pl.DataFrame([{**blank, **_CONVERSATION, **row} for row in rows], schema=schema)


def flow_minute(minute: int, **columns: object) -> dict[str, object]:
    at = START + timedelta(minutes=minute)
    return {
        "minute": at,
        "first_ts": at,
        "last_ts": at,
        "service": "modbus",
        "packets_c2s": 6,
        "packets_s2c": 4,
        **columns,
    }


def path_sample(minute: int, rtt_ns: int, **columns: object) -> dict[str, object]:
    return {"ts": START + timedelta(minutes=minute, seconds=3), "kind": "path", "rtt_ns": rtt_ns, **columns}


def transaction(minute: int, outcome: str, latency_ns: int | None) -> dict[str, object]:
    return {
        "ts": START + timedelta(minutes=minute, seconds=5),
        "outcome": outcome,
        "latency_ns": latency_ns,
        "function": 3,
    }


def traffic(
    flow_minutes: list[dict[str, object]],
    rtt: list[dict[str, object]],
    modbus: list[dict[str, object]],
    **tables: list[dict[str, object]],
) -> Traffic:
    rows = {"flow_minutes": flow_minutes, "rtt": rtt, "modbus": modbus, **tables}
    return Traffic.of(
        **{name: _frame(with_conversation(TRAFFIC_TABLES[name]), some) for name, some in rows.items()}
    )


def test_rows_are_those_declared_and_ordered_by_minute(site: CompiledSite) -> None:
    meter = Meter(site)
    meter.feed(traffic([flow_minute(1), flow_minute(0)], [], []))
    batch = meter.finish()
    assert batch.schema.equals(SLA_MINUTES.schema())
    assert batch["minute"].to_pylist() == [START, START + timedelta(minutes=1)]


def test_a_flow_without_samples_has_empty_histograms_not_zeros(site: CompiledSite) -> None:
    meter = Meter(site)
    meter.feed(traffic([flow_minute(0)], [], []))
    row = meter.finish().to_pylist()[0]
    assert row["rtt_buckets"] == row["rtt_counts"] == row["transaction_buckets"] == []
    assert row["transactions"] == 0
    zone = meter.zones()[0]
    assert (zone.rtt_p99_ns, zone.transaction_p99_ns, zone.availability, zone.loss) == (
        None,
        None,
        None,
        None,
    )
    assert zone.verdict.status is Status.NO_DATA


def test_a_minute_that_a_flow_comes_through_twice_counts_each_request_once(site: CompiledSite) -> None:
    meter = Meter(site)
    for _ in range(2):
        meter.feed(traffic([flow_minute(0)] * 2, [], [transaction(0, "answered", 5 * MS)]))
    row = meter.finish().to_pylist()[0]
    assert (row["packets"], row["transactions"], row["transaction_counts"]) == (40, 2, [2])


def test_outcomes_are_told_apart(site: CompiledSite) -> None:
    deadline = site.zone_targets["plant"].deadline_ns
    rows = [
        transaction(0, "answered", 5 * MS),
        transaction(0, "answered", deadline),
        transaction(0, "answered", deadline + 1),
        transaction(0, "exception", 5 * MS),
        transaction(0, "unanswered", None),
        transaction(0, "orphan", None),
        transaction(0, "pending", None),
    ]
    meter = Meter(site)
    meter.feed(traffic([flow_minute(0)], [], rows))
    row = meter.finish().to_pylist()[0]
    outcomes = {name: row[name] for name in ("transactions", "good", "late", "exceptions", "unanswered")}
    assert outcomes == {"transactions": 5, "good": 2, "late": 1, "exceptions": 1, "unanswered": 1}
    assert sum(row["transaction_counts"]) == 4


def test_round_trips_that_hold_service_time_are_left_out(site: CompiledSite) -> None:
    meter = Meter(site)
    meter.feed(
        traffic(
            [flow_minute(0)],
            [
                path_sample(0, 20 * MS),
                path_sample(0, 900 * MS, piggybacked=True),
                path_sample(0, 800 * MS, kind="ack_server"),
            ],
            [],
        )
    )
    meter.finish()
    zone = meter.zones()[0]
    assert zone.rtt_samples == 1
    assert zone.rtt_p99_ns == pytest.approx(20 * MS, rel=0.01)


def test_a_conversation_within_one_zone_counts_once_in_it(site: CompiledSite) -> None:
    inside = {"client_ip": _address("10.1.0.12"), "client_zone": "plant", "conduit": "", "crosses": False}
    meter = Meter(site)
    meter.feed(traffic([flow_minute(0, **inside), flow_minute(0)], [], []))
    meter.finish()
    plant, control, quiet = meter.zones()
    assert (plant.packets, control.packets, quiet.packets) == (20, 10, 0)
    assert quiet.verdict.status is Status.NO_DATA
    assert meter.conduits()[0].packets == 10


def test_packets_that_no_zone_holds_are_told(site: CompiledSite) -> None:
    nowhere = {"client_zone": "", "server_zone": "", "conduit": "", "crosses": False}
    half = {"client_ip": _address("192.0.2.7"), "client_zone": "", "conduit": ""}
    meter = Meter(site)
    meter.feed(
        traffic([flow_minute(0, client_ip=_address("192.0.2.9"), **nowhere), flow_minute(0, **half)], [], [])
    )
    meter.finish()
    assert meter.packets_outside() == 10
    assert meter.zones()[0].packets == 10


def test_lost_segments_of_both_directions_and_both_kinds_add_up(site: CompiledSite) -> None:
    lossy = {
        "data_segments_c2s": 100,
        "data_segments_s2c": 100,
        "retransmitted_segments_c2s": 1,
        "retransmitted_segments_s2c": 2,
        "filled_holes_s2c": 1,
        "out_of_order_segments_c2s": 7,
    }
    meter = Meter(site)
    meter.feed(traffic([flow_minute(0, **lossy)], [], []))
    meter.finish()
    assert meter.zones()[0].loss == 4 / 200


def coverage(unseen_by_minute: list[int]) -> pa.RecordBatch:
    """Ten packets read in each minute, and the segments of it that were acknowledged but never seen."""
    zeros = dict.fromkeys((column.name for column in COVERAGE.columns), 0)
    rows = [
        {**zeros, "minute": START + timedelta(minutes=m), "packets": 10, "unseen_segments": unseen}
        for m, unseen in enumerate(unseen_by_minute)
    ]
    return pa.RecordBatch.from_pylist(rows, COVERAGE.schema())


def test_minutes_with_capture_loss_are_not_judged(site: CompiledSite) -> None:
    meter = Meter(site)
    flows = [flow_minute(minute) for minute in range(12)]
    meter.feed(traffic(flows, [path_sample(5, MS)], []), coverage([1, 1] + [0] * 10))
    meter.finish()
    zone = meter.zones()[0]
    assert (zone.minutes_seen, zone.minutes_valid) == (12, 10)
    assert zone.verdict.status is Status.NO_DATA
    assert "2 of 12 minutes" in zone.verdict.reasons[0]


DEADLINE = "sla:\n- {id: s1, scope: {conduit: c-poll}, class: C2, deadline_ms: 100}\n"


@pytest.mark.parametrize(("policy", "late"), [(SITE, 0), (SITE + DEADLINE, 1)])
def test_the_deadline_of_a_conduit_goes_before_that_of_its_zone(policy: str, late: int) -> None:
    meter = Meter(compile_site(loads(policy).site))
    meter.feed(traffic([flow_minute(0)], [], [transaction(0, "answered", 200 * MS)]))
    assert meter.finish().to_pylist()[0]["late"] == late


def test_the_deadline_inside_a_zone_is_that_of_the_zone(site: CompiledSite) -> None:
    deadline = site.zone_targets["plant"].deadline_ns
    inside = {"client_zone": "plant", "conduit": ""}
    rows = [{**transaction(0, "answered", deadline + more), **inside} for more in (0, 1)]
    meter = Meter(site)
    meter.feed(traffic([flow_minute(0, **inside)], [], rows))
    row = meter.finish().to_pylist()[0]
    assert (row["good"], row["late"]) == (1, 1)


def test_what_was_measured_in_a_minute_with_capture_loss_is_in_no_figure(site: CompiledSite) -> None:
    meter = Meter(site)
    flows = [flow_minute(0, retransmitted_segments_c2s=5, data_segments_c2s=10), flow_minute(1)]
    samples = [path_sample(0, 900 * MS), path_sample(1, 20 * MS)]
    asked = [transaction(0, "unanswered", None), transaction(1, "answered", 5 * MS)]
    meter.feed(traffic(flows, samples, asked), coverage([1, 0]))
    assert meter.finish()["valid"].to_pylist() == [False, True]
    zone = meter.zones()[0]
    assert (zone.minutes_seen, zone.minutes_valid, zone.packets) == (2, 1, 20)
    assert (zone.rtt_samples, zone.availability, zone.loss) == (1, 1.0, None)


def test_an_empty_capture_gives_no_rows_and_no_verdict(site: CompiledSite) -> None:
    meter = Meter(site)
    meter.feed(Traffic.empty())
    batch = meter.finish()
    assert batch.num_rows == 0
    assert batch.schema.equals(SLA_MINUTES.schema())
    assert {zone.verdict.status for zone in meter.zones()} == {Status.NO_DATA}


def test_excluded_minutes_are_in_no_figure_and_missed_polls_are_not_good(site: CompiledSite) -> None:
    meter = Meter(site, [_Planned()])
    asked = [transaction(0, "unanswered", None)] + [transaction(1, "answered", 5 * MS)] * 9
    meter.feed(traffic([flow_minute(0), flow_minute(1)], [path_sample(0, 900 * MS)], asked))
    meter.finish()
    zone = meter.zones()[0]
    assert (zone.minutes_seen, zone.causes.minutes_excluded, zone.packets) == (1, 1, 20)
    assert (zone.transactions, zone.missed, zone.rtt_samples) == (9, 3, 0)
    assert zone.availability == 9 / 12


def test_a_minute_of_three_packets_is_not_green(site: CompiledSite) -> None:
    meter = Meter(site)
    asked = [transaction(0, "answered", 5 * MS)]
    meter.feed(traffic([flow_minute(0, packets_c2s=2, packets_s2c=1)], [path_sample(0, MS)], asked))
    meter.finish()
    verdict = meter.zones()[0].verdict
    assert verdict.status is Status.NO_DATA
    assert verdict.reasons == ("too little to judge by (requests: 1)",)


def test_the_share_that_the_sensor_missed_is_told(site: CompiledSite) -> None:
    meter = Meter(site)
    meter.feed(traffic([flow_minute(minute) for minute in (0, 1)], [], []), coverage([2, 0]))
    meter.finish()
    causes = meter.zones()[0].causes
    # Ten packets read and two never seen in the first minute.
    assert (causes.minutes_invalid, causes.capture_loss) == (1, 2 / 12)


def _asked(data: st.DataObject, outcomes: list[str]) -> list[dict[str, object]]:
    times = st.tuples(
        st.integers(0, 3),
        st.sampled_from(outcomes),
        st.one_of(st.none(), st.integers(1, 10**10)),
        st.booleans(),
    )
    return [
        {**transaction(minute, outcome, ns), "turned": False, "direction": "broker_to_client" if back else ""}
        for minute, outcome, ns, back in data.draw(st.lists(times, max_size=30))
    ]


class _Planned:
    """A change window over the first minute, and a poll that never came."""

    def noted(self, minutes: pl.DataFrame) -> pl.DataFrame:
        first = pl.col("minute") == START
        return minutes.with_columns(
            exclusion=pl.when(first).then(pl.lit("chg-7")).otherwise("exclusion"),
            missed=pl.when(first).then("missed").otherwise(pl.lit(3, pl.UInt64)),
        )


def test_what_is_known_beside_the_traffic_is_noted_in_its_minutes(site: CompiledSite) -> None:
    flows = [flow_minute(0), flow_minute(1)]
    plain, noted = Meter(site), Meter(site, [_Planned()])
    for meter in (plain, noted):
        meter.feed(traffic(flows, [], []))
    assert plain.finish().select(["exclusion", "missed"]).to_pylist() == [{"exclusion": "", "missed": 0}] * 2
    assert noted.finish().select(["exclusion", "missed"]).to_pylist() == [
        {"exclusion": "chg-7", "missed": 0},
        {"exclusion": "", "missed": 3},
    ]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_cut_into_batches_gives_the_same_rows(site: CompiledSite, data: st.DataObject) -> None:
    minutes = st.integers(0, 3)
    flows = [flow_minute(m) for m in (0, 1, 2, 3)] + [
        flow_minute(m, flow_id=2, client_ip=_address("10.2.0.6"), packets_s2c=0, unseen_segments_s2c=unseen)
        for m, unseen in data.draw(st.lists(st.tuples(minutes, st.integers(0, 1)), max_size=6))
    ]
    kinds = st.sampled_from(["path", "ack_client", "ack_server", "handshake_client", "handshake_server"])
    samples = [
        path_sample(m, r, kind=kind, piggybacked=late)
        for m, r, kind, late in data.draw(
            st.lists(st.tuples(minutes, st.integers(1, 10**9), kinds, st.booleans()), max_size=30)
        )
    ]
    tables = {
        "modbus": _asked(data, ["answered", "exception", "unanswered", "orphan", "pending"]),
        "opcua": _asked(data, ["answered", "exception", "encrypted", "one_way"]),
        "mqtt": _asked(data, ["answered", "refused", "unanswered", "one_way"]),
        "operations": _asked(data, ["answered", "orphan", "one_way"]),
    }
    whole, parts = Meter(site), Meter(site)
    whole.feed(traffic(flows, samples, **tables))
    batches = data.draw(st.integers(1, 5))
    for number in range(batches):
        cut = {name: rows[number::batches] for name, rows in tables.items()}
        parts.feed(traffic(flows[number::batches], samples[number::batches], **cut))
    expected, found = whole.finish(), parts.finish()
    assert isinstance(found, pa.RecordBatch)
    assert found.equals(expected)
