"""What counts as a request of each protocol, how it ended, and in whose conversation."""

from __future__ import annotations

from typing import Any

import pytest

from analyzers.sla import Meter
from policy.zoning import CompiledSite
from tests.analyzers.test_sla_meter import MS, flow_minute, site, traffic, transaction

__all__ = ["site"]

#: What sla_minutes says of requests.
COUNTS = (
    "transactions",
    "good",
    "late",
    "exceptions",
    "unanswered",
    "not_measurable_encrypted",
    "not_measurable_unmatched",
    "not_measurable_clock",
)


def _measured(site: CompiledSite, **tables: list[dict[str, object]]) -> dict[str, Any]:
    meter = Meter(site)
    meter.feed(traffic([flow_minute(0)], [], tables.pop("modbus", []), **tables))
    (row,) = meter.finish().to_pylist()
    return dict(row)


def _counted(site: CompiledSite, **tables: list[dict[str, object]]) -> dict[str, int]:
    row = _measured(site, **tables)
    return {name: row[name] for name in COUNTS if row[name]}


def _one(outcome: str, latency_ns: int | None = 5 * MS, **columns: object) -> dict[str, object]:
    return {**transaction(0, outcome, latency_ns), **columns}


@pytest.mark.parametrize("table", ["modbus", "opcua", "mqtt", "operations"])
def test_a_request_is_good_whatever_protocol_answers_it(site: CompiledSite, table: str) -> None:
    row = _measured(site, **{table: [_one("answered")]})
    assert (row["transactions"], row["good"], row["transaction_counts"]) == (1, 1, [1])


@pytest.mark.parametrize(
    ("table", "rows", "expected"),
    [
        ("opcua", [_one("exception"), _one("unanswered", None)], {"transactions": 2, "exceptions": 1, "unanswered": 1}),
        ("mqtt", [_one("refused"), _one("unanswered", None)], {"transactions": 2, "exceptions": 1, "unanswered": 1}),
        ("operations", [_one("exception"), _one("unanswered", None)],
         {"transactions": 2, "exceptions": 1, "unanswered": 1}),
        ("operations", [_one("answered", 2000 * MS)], {"transactions": 1, "late": 1}),
    ],
    ids=["opcua", "mqtt", "operations", "late"],
)  # fmt: skip
def test_a_request_that_ends_badly_is_a_bad_one(
    site: CompiledSite, table: str, rows: list[dict[str, object]], expected: dict[str, int]
) -> None:
    assert _counted(site, **{table: rows}) == expected


def test_a_long_poll_is_no_request(site: CompiledSite) -> None:
    held_back = [_one("answered", 9000 * MS, service="Publish"), _one("unanswered", None, service="Publish")]
    assert _counted(site, opcua=[*held_back, _one("orphan", None, service="Publish")]) == {}
    assert _counted(site, opcua=[*held_back, _one("answered", service="Read")]) == {
        "transactions": 1,
        "good": 1,
    }


@pytest.mark.parametrize("outcome", ["one_way", "pending", "aborted"])
@pytest.mark.parametrize("table", ["opcua", "mqtt", "operations"])
def test_what_nothing_answers_is_no_request(site: CompiledSite, table: str, outcome: str) -> None:
    assert _counted(site, **{table: [_one(outcome, None)]}) == {}


def test_ciphertext_is_not_measurable_and_only_the_asking_half_is_counted(site: CompiledSite) -> None:
    half = _one("encrypted", None, request_frame=7, response_frame=None)
    other = _one("encrypted", None, request_frame=None, response_frame=8)
    row = _measured(site, opcua=[half, half, other])
    assert row["not_measurable_encrypted"] == 2
    assert (row["transactions"], row["transaction_counts"]) == (0, [])


def test_an_answer_without_its_request_is_not_measurable(site: CompiledSite) -> None:
    assert _counted(site, modbus=[_one("orphan", None)]) == {"not_measurable_unmatched": 1}


def test_an_answer_before_its_request_is_the_clocks_and_no_bad_answer(site: CompiledSite) -> None:
    assert _counted(site, modbus=[_one("answered", None), _one("answered")]) == {
        "transactions": 1,
        "good": 1,
        "not_measurable_clock": 1,
    }


def test_who_asks_through_a_connection_opened_to_it_is_counted_in_that_conversation(
    site: CompiledSite,
) -> None:
    opened = flow_minute(0)
    client, server = (
        traffic([opened], [], []).flow_minutes[name].item() for name in ("client_ip", "server_ip")
    )
    asked = _one(
        "answered",
        turned=True,
        client_ip=server,
        server_ip=client,
        client_port=502,
        server_port=40000,
        client_zone="plant",
        server_zone="control",
    )
    assert _counted(site, opcua=[asked]) == {"transactions": 1, "good": 1}
    assert _counted(site, operations=[asked]) == {"transactions": 1, "good": 1}


def test_operations_without_a_flow_are_in_no_conversation(site: CompiledSite) -> None:
    assert _counted(site, operations=[_one("answered", flow_id=None)]) == {}


def test_half_a_dialogue_tells_neither_good_nor_bad(site: CompiledSite) -> None:
    meter = Meter(site)
    half = flow_minute(0, packets_s2c=0, unseen_segments_s2c=3)
    asked = [_one("unanswered", None)] * 3
    meter.feed(traffic([half], [], asked))
    (row,) = meter.finish().to_pylist()
    assert (row["one_sided"], row["not_measurable_one_sided"]) == (True, 3)
    assert (row["transactions"], row["unanswered"]) == (0, 0)


def test_a_dead_device_is_not_half_a_dialogue(site: CompiledSite) -> None:
    meter = Meter(site)
    meter.feed(traffic([flow_minute(0, packets_s2c=0)], [], [_one("unanswered", None)] * 3))
    (row,) = meter.finish().to_pylist()
    assert (row["one_sided"], row["transactions"], row["unanswered"]) == (False, 3, 3)
