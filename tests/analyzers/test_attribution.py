"""Whose a problem is, in words: device, network, sensor; and what cannot be told, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzers.attribution import because
from analyzers.causes import Causes
from policy.sla_classes import SlaTarget

MS = 1_000_000
TARGET = SlaTarget(
    sla_id="s-c1",
    sla_class="C1",
    availability=0.9999,
    rtt_p95_ns=20 * MS,
    rtt_p99_ns=50 * MS,
    transaction_p99_ns=100 * MS,
    loss=0.0005,
    deadline_ns=1000 * MS,
)
SLOW = Causes(transaction_p99_ns=195 * MS, transaction_samples=100, transactions=100)
LOSSY = Causes(data_segments=1000, lost_segments=10)


def test_nothing_is_said_of_what_is_well() -> None:
    well = Causes(
        rtt_p99_ns=50 * MS,
        rtt_min_ns=MS,
        rtt_p999_ns=60 * MS,
        transaction_p99_ns=100 * MS,
        server_time_p99_ns=99 * MS,
        server_time_samples=100,
        transaction_samples=100,
        data_segments=10_000,
        lost_segments=5,
        lost_client_side=5,
        lost_after_tap=5,
        transactions=100,
    )
    assert because(TARGET, well) == ()


@pytest.mark.parametrize(
    ("server_ms", "expected"),
    [
        (180, "slow because of the device (server time 180 ms of 195 ms)"),
        (20, "slow because of the network (server time 20 ms of 195 ms)"),
    ],
)
def test_slow_answers_are_the_devices_or_the_networks(server_ms: int, expected: str) -> None:
    told = replace(SLOW, server_time_p99_ns=server_ms * MS, server_time_samples=100)
    assert because(TARGET, told) == (expected,)


@pytest.mark.parametrize(
    ("known", "samples"), [(None, 0), (180 * MS, 49)], ids=["no way seen", "seen by few"]
)
def test_nobody_is_blamed_where_the_way_was_not_measured(known: int | None, samples: int) -> None:
    (words,) = because(TARGET, replace(SLOW, server_time_p99_ns=known, server_time_samples=samples))
    assert "device or network is not measurable: no handshake" in words


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (
            {"lost_server_side": 9, "lost_client_side": 1, "lost_before_tap": 8, "lost_after_tap": 2},
            "loss between the tap and Plant: 9 of 10 segments, most before the tap as they travel",
        ),
        (
            {"lost_server_side": 2, "lost_client_side": 8, "lost_before_tap": 1, "lost_after_tap": 9},
            "loss between Control room and the tap: 8 of 10 segments, most behind the tap as they travel",
        ),
        (
            {"lost_server_side": 5, "lost_client_side": 5, "lost_after_tap": 10},
            "loss on both sides of the tap: 5 and 5 segments",
        ),
        ({}, "loss; on which side of the tap was not kept for all minutes"),
    ],
    ids=["server side", "client side", "both", "minutes of an older version"],
)
def test_loss_is_on_one_side_of_the_tap(sides: dict[str, int], expected: str) -> None:
    assert because(TARGET, replace(LOSSY, **sides), "Control room", "Plant") == (expected,)


@pytest.mark.parametrize(
    ("shortest", "nearly_longest", "expected"),
    [
        (45, 70, "round trips: the way is long (shortest 45 ms, jitter 25 ms)"),
        (5, 85, "round trips: packets wait on the way (shortest 5 ms, jitter 80 ms)"),
    ],
)
def test_round_trips_are_long_or_wait(shortest: int, nearly_longest: int, expected: str) -> None:
    far = Causes(rtt_p99_ns=60 * MS, rtt_min_ns=shortest * MS, rtt_p999_ns=nearly_longest * MS)
    assert because(TARGET, far) == (expected,)


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ({"minutes_invalid": 3, "capture_loss": 0.012}, "the sensor missed 1.2%: no verdict for 3 minutes"),
        ({"minutes_excluded": 1}, "1 minute of a planned change left out"),
        ({"encrypted": 312}, "312 requests not measurable: encrypted"),
        ({"clock": 1}, "1 request not measurable: the capture's clock was set back"),
        ({"unmatched": 2}, "2 requests not measurable: answered, but their questions were not seen"),
        (
            {"one_sided": 40, "one_sided_minutes": 2},
            (
                "only one direction was seen in 2 minutes of conversations: their 40 requests and round trips are not "
                "measurable"
            ),
        ),
        (
            {"transactions": 195, "unanswered": 3, "exceptions": 2, "late": 4, "missed": 5},
            "of 200 requests: 3 not answered, 2 answered with an exception, 4 answered too late, 5 due and never asked",
        ),
    ],
)
def test_what_is_missing_or_bad_is_counted_and_named(causes: dict[str, Any], expected: str) -> None:
    assert because(TARGET, Causes(**causes)) == (expected,)


def test_jitter_is_not_measured_without_round_trips() -> None:
    assert Causes().jitter_ns is None
    assert Causes(rtt_min_ns=2 * MS, rtt_p999_ns=9 * MS).jitter_ns == 7 * MS


def test_the_most_frequent_reason_stands_for_a_scope_without_figures() -> None:
    assert Causes(encrypted=9, unmatched=2).why_not == "encrypted"
    assert Causes().why_not == ""
