"""MQTT's and Sparkplug's stories: what was planted is in the rows, what their twin does is not taken for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from geophone.runner import replay
from pcaps import Planted, sample
from policy.loader import load
from sensors.capture import open_capture
from tests.scenarios.decoded import rows
from tests.scenarios.pipeline import learned

MISUSE, BROKEN, PROPER = "mqtt-misuse", "sparkplug-broken", "mqtt-proper-benign"
STORIES = (MISUSE, BROKEN, PROPER)
STRANGER, NODE, SCADA = "10.40.0.77", "10.20.0.42", "10.25.0.20"
EVERYTHING = {"#", "$SYS/#", "spBv1.0/#"}


def only(check: str, *, because: str = "") -> tuple[Planted, pl.DataFrame]:
    """The stranger's or the script's planted deed, and the rows of that time."""
    (one,) = [one for one in sample(MISUSE).planted if one.id == check and because in one.because]
    return one, within(one)


def within(one: Planted, name: str = MISUSE) -> pl.DataFrame:
    return rows(name, "mqtt").filter(
        (pl.col("client_ip") == one.src_ip) & (pl.col("ts") >= one.first) & (pl.col("ts") <= one.last)
    )


def sent(name: str, kind: str, client: str = "") -> pl.DataFrame:
    """What clients sent to the broker, of one kind of packet."""
    said = rows(name, "mqtt").filter(
        (pl.col("direction") == "client_to_broker") & (pl.col("packet_type") == kind)
    )
    return said.filter(pl.col("client_ip") == client) if client else said


@pytest.mark.parametrize("name", STORIES)
def test_every_packet_that_opens_an_exchange_is_a_row(name: str) -> None:
    truth = {one["kind"]: one["sent"] for one in sample(name).truth["mqtt_packet"]}
    assert Counter(rows(name, "mqtt")["packet_type"]) == truth
    assert set(rows(name, "mqtt")["outcome"]) <= {"answered", "one_way", "refused"}


def test_a_password_in_clear_is_told() -> None:
    one, seen = only("Q1", because="name and password")
    login = seen.filter(pl.col("has_password"))
    assert (login.height, login["client_id"].to_list()) == (one.count, ["scada1-script"])
    one, seen = only("Q1", because="refused")
    assert seen.filter(pl.col("has_password")).height == one.count


def test_the_twin_sends_no_password_in_clear() -> None:
    assert not rows(PROPER, "mqtt")["has_password"].any()
    assert not rows(PROPER, "mqtt")["has_user_name"].any()


def test_a_subscription_to_everything_is_told_with_its_filters() -> None:
    one, seen = only("Q2")
    asked = seen.filter(pl.col("packet_type") == "subscribe")
    assert set(asked["filters"].explode()) == EVERYTHING
    assert asked["filters"].list.len().sum() == one.count
    opened = sent(MISUSE, "connect", STRANGER).filter(pl.col("client_id") == "explorer-1f")
    assert opened["has_user_name"].to_list() == [False]
    assert not EVERYTHING & set(sent(PROPER, "subscribe")["filters"].explode())


def test_a_command_by_a_stranger_is_told() -> None:
    one, seen = only("Q3")
    commands = seen.filter((pl.col("sparkplug_type") == "ncmd") & (pl.col("direction") == "client_to_broker"))
    assert commands.height == one.count
    assert commands["metric_names"].to_list() == [["Node Control/Rebirth"]]
    assert set(
        sent(PROPER, "publish").filter(pl.col("sparkplug_type").is_in(["ncmd", "dcmd"]))["client_ip"]
    ) == {SCADA}


def test_a_retained_message_overwritten_and_cleared_is_told() -> None:
    one, seen = only("Q4", because="overwritten")
    kept = seen.filter(pl.col("retain") & (pl.col("direction") == "client_to_broker"))
    assert kept.height == one.count
    assert set(kept["topic"]) == {"mine-a/plant/conveyor/setpoint"}
    assert kept["payload_bytes"].to_list() == [13, 0]
    owner = sent(PROPER, "publish").filter(pl.col("topic") == "mine-a/plant/conveyor/setpoint")
    assert set(owner["client_ip"]) == {NODE}


def test_a_retained_will_is_told() -> None:
    _, seen = only("Q4", because="will")
    (opened,) = seen.filter(pl.col("packet_type") == "connect").to_dicts()
    assert (opened["will_topic"], opened["will_retain"]) == ("mine-a/plant/conveyor/status", True)


@pytest.mark.parametrize(
    ("name", "taught_by", "new"),
    [
        # The same three on another half an hour, with nothing that they never did.
        (BROKEN, PROPER, []),
        # There nobody commanded, and nobody set the belt's speed: one DCMD, one NCMD, two setpoints.
        (PROPER, BROKEN, [("Q3", SCADA, 2), ("Q4", NODE, 2)]),
        # A stranger who is there while it learns stays new: what no rule allows does not become known.
        (MISUSE, MISUSE, [("Q2", STRANGER, 3), ("Q3", STRANGER, 1), ("Q4", STRANGER, 3)]),
    ],
)
def test_what_is_new_depends_on_what_taught(
    name: str, taught_by: str, new: list[tuple[str, str, int]]
) -> None:
    one = sample(name)
    found = replay(open_capture(one.capture), load(one.policy), baseline=learned(taught_by)).findings
    assert sorted((f.kind, f.src_ip, f.count) for f in found if f.kind in ("Q2", "Q3", "Q4")) == new


def test_a_topic_of_thousands_of_bytes_is_told_and_cut() -> None:
    longest = sent(MISUSE, "publish", STRANGER).sort("request_bytes").row(-1, named=True)
    # First byte, two of the length, two of the topic's length, the topic, no properties, one byte of payload.
    assert longest["request_bytes"] == sample(MISUSE).truth["longest_topic_bytes"] + 7
    assert len(longest["topic"]) == 1_024


def addresses_of_a_client_id(name: str, client_id: str) -> list[str]:
    """Where its connections come from, in the order of time; refused ones left out."""
    opened = sent(name, "connect").filter(
        (pl.col("client_id") == client_id) & (pl.col("outcome") == "answered")
    )
    return opened.sort("ts")["client_ip"].to_list()


def test_a_client_id_from_two_addresses_is_told() -> None:
    one, _ = only("Q5")
    assert addresses_of_a_client_id(MISUSE, "edge2") == [NODE] + [STRANGER, NODE] * one.count


def test_the_twin_comes_back_with_its_client_id_from_its_own_address() -> None:
    assert addresses_of_a_client_id(PROPER, "edge2") == [NODE, NODE]


def test_refused_logins_are_told_one_by_one() -> None:
    one, seen = only("Q6")
    refused = seen.filter((pl.col("packet_type") == "connect") & (pl.col("outcome") == "refused"))
    assert refused.height == one.count >= 20
    assert (one.last - one.first).total_seconds() < 60
    assert sent(PROPER, "connect").filter(pl.col("outcome") == "refused").height == 1


def breaks(name: str) -> Iterator[tuple[datetime, str]]:
    """Where the node's messages break Sparkplug's order (3.0, 6.4.2 and 6.4.7 to 6.4.16): when, and which rule."""
    seq: int | None = None
    birth: int | None = None
    alive: set[str] = set()
    said = rows(name, "mqtt").filter(
        (pl.col("direction") == "client_to_broker")
        & (pl.col("client_ip") == NODE)
        & ~pl.col("sparkplug_type").is_in(["", "ncmd", "dcmd", "state"])
    )
    for one in said.sort("request_frame").to_dicts():
        kind, device, number = one["sparkplug_type"], one["sparkplug_device"], one["sparkplug_seq"]
        if kind == "ndeath":
            if one["sparkplug_bd_seq"] != birth:
                yield one["ts"], "death of another birth"
            continue
        if kind == "nbirth":
            if number != 0 or one["sparkplug_bd_seq"] is None:
                yield one["ts"], "birth out of order"
            birth = one["sparkplug_bd_seq"] if one["sparkplug_bd_seq"] is not None else birth
            alive = set()
        elif seq is not None and number != (seq + 1) % 256:
            yield one["ts"], "sequence"
        yield from _of_device(one, kind, device, alive)
        seq = number


def _of_device(
    one: dict[str, Any], kind: str, device: str, alive: set[str]
) -> Iterator[tuple[datetime, str]]:
    if kind == "dbirth":
        alive.add(device)
    elif kind == "ddeath":
        alive.discard(device)
    elif kind == "ddata" and device not in alive:
        yield one["ts"], f"data of {device}, that is not there"


def test_what_is_out_of_order_in_sparkplug_shows_in_the_rows() -> None:
    found = list(breaks(BROKEN))
    assert Counter(what for _, what in found) == {
        "sequence": 2,
        "data of belt8, that is not there": 1,
        "birth out of order": 1,
        "death of another birth": 1,
        "data of belt7, that is not there": 9,
    }
    planted = sample(BROKEN).planted
    assert len(found) == sum(one.count for one in planted)
    for one in planted:
        assert sum(one.first <= at <= one.last for at, _ in found) == one.count, one


def test_the_twin_counts_from_255_to_0_and_breaks_nothing() -> None:
    assert list(breaks(PROPER)) == []
    numbers = sent(PROPER, "publish", NODE)["sparkplug_seq"].drop_nulls().to_list()
    assert (255, 0) in set(pairwise(numbers))


def test_what_crosses_in_tls_is_named_and_not_read() -> None:
    sealed = rows(PROPER, "services").filter(pl.col("server_port") == 8883)
    assert set(sealed["service"]) == {"mqtt-tls"}
    assert 8883 not in set(rows(PROPER, "mqtt")["server_port"])
