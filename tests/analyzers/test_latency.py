"""Where the time went: the way to each side, and what is left for who answers."""

from __future__ import annotations

from typing import Any

import pytest

from analyzers.sketch import percentile
from analyzers.sla import Meter
from policy.zoning import CompiledSite
from tests.analyzers.test_sla_meter import MS, flow_minute, path_sample, site, traffic, transaction

__all__ = ["site"]


def _measured(site: CompiledSite, samples: list[dict[str, object]], **tables: Any) -> dict[str, Any]:
    meter = Meter(site)
    meter.feed(traffic([flow_minute(0)], samples, tables.pop("modbus", []), **tables))
    return dict(meter.finish().to_pylist()[0])


def _server_time_ns(row: dict[str, Any], share: float = 1.0) -> int | None:
    return percentile(row["server_time_buckets"], row["server_time_counts"], share)


def test_server_time_is_the_transaction_less_the_shortest_way_to_the_server(site: CompiledSite) -> None:
    samples = [path_sample(0, ns * MS, kind="ack_server") for ns in (15, 18, 55)]
    row = _measured(site, samples, modbus=[transaction(0, "answered", 195 * MS)])
    # 195 ms as seen from the tap, of which 15 ms were the way there and back.
    assert _server_time_ns(row) == pytest.approx(180 * MS, abs=0.02 * 195 * MS)
    assert row["server_half_min_ns"] == pytest.approx(15 * MS, rel=0.01)
    assert row["client_half_min_ns"] is None


def test_a_handshake_shows_the_way_too(site: CompiledSite) -> None:
    row = _measured(
        site,
        [path_sample(0, 40 * MS, kind="handshake_server"), path_sample(0, 60 * MS, kind="ack_server")],
        modbus=[transaction(0, "answered", 100 * MS)],
    )
    assert row["server_half_min_ns"] == pytest.approx(40 * MS, rel=0.01)
    assert sum(row["ack_server_counts"]) == 1
    assert _server_time_ns(row) == pytest.approx(60 * MS, abs=0.02 * 100 * MS)


def test_server_time_is_never_below_nothing(site: CompiledSite) -> None:
    samples = [path_sample(0, 30 * MS, kind="ack_server")]
    row = _measured(site, samples, modbus=[transaction(0, "answered", 10 * MS)])
    assert _server_time_ns(row) == 1  # bucket 0: at most 1 ns


@pytest.mark.parametrize(
    "sample",
    [
        path_sample(0, 5 * MS, kind="ack_server", piggybacked=True),
        path_sample(0, 5 * MS, kind="ack_client"),
        path_sample(0, 5 * MS),
        path_sample(1, 5 * MS, kind="ack_server"),
    ],
    ids=["an ACK on data", "the other side", "the whole way", "another minute"],
)
def test_server_time_is_not_measured_without_the_way_to_the_server(
    site: CompiledSite, sample: dict[str, object]
) -> None:
    row = _measured(site, [sample], modbus=[transaction(0, "answered", 195 * MS)])
    assert (row["server_time_counts"], row["transaction_counts"]) == ([], [1])
    assert row["server_half_min_ns"] is None


def test_what_the_client_answers_goes_the_clients_way(site: CompiledSite) -> None:
    samples = [path_sample(0, 70 * MS, kind="ack_client"), path_sample(0, 1 * MS, kind="ack_server")]
    published = {
        **transaction(0, "answered", 100 * MS),
        "packet_type": "publish",
        "direction": "broker_to_client",
    }
    row = _measured(site, samples, mqtt=[published])
    assert _server_time_ns(row) == pytest.approx(30 * MS, abs=0.02 * 100 * MS)
    row = _measured(site, samples, mqtt=[{**published, "direction": "client_to_broker"}])
    assert _server_time_ns(row) == pytest.approx(99 * MS, abs=0.02 * 100 * MS)


def test_each_sides_acknowledgements_are_a_histogram_of_their_own(site: CompiledSite) -> None:
    samples = [
        *(path_sample(0, ns * MS, kind="ack_client") for ns in (2, 2, 42)),
        path_sample(0, 9 * MS, kind="ack_server"),
        path_sample(0, 400 * MS, kind="ack_server", piggybacked=True),
    ]
    row = _measured(site, samples)
    client, server = (
        [percentile(row[f"ack_{side}_buckets"], row[f"ack_{side}_counts"], share) for share in (0.5, 1)]
        for side in ("client", "server")
    )
    assert client == [pytest.approx(2 * MS, rel=0.01), pytest.approx(42 * MS, rel=0.01)]
    assert server == [pytest.approx(9 * MS, rel=0.01)] * 2
    assert row["rtt_counts"] == []


def test_a_kind_of_sample_that_nobody_knows_is_a_bug(site: CompiledSite) -> None:
    meter = Meter(site)
    meter.feed(traffic([flow_minute(0)], [path_sample(0, MS, kind="guess")], []))
    with pytest.raises(ValueError, match="rtt: a kind that is none of"):
        meter.finish()


def test_samples_that_are_counted_on_the_way_are_the_same(
    site: CompiledSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [path_sample(0, (1 + number % 3) * MS, kind="ack_server") for number in range(20)]
    asked = [transaction(0, "answered" if number % 2 else "unanswered", 9 * MS) for number in range(20)]
    whole = _measured(site, samples, modbus=asked)
    monkeypatch.setattr("analyzers.samples._ROWS_LIMIT", 7)
    meter = Meter(site)
    meter.feed(traffic([flow_minute(0)], [], []))
    for number in range(20):
        meter.feed(traffic([], samples[number : number + 1], asked[number : number + 1]))
    assert meter.finish().to_pylist() == [whole]
