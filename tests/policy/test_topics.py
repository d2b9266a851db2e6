"""Topics and filters within filters: the examples of MQTT 5.0, 4.7.1 and 4.7.2, and what follows from them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcaps.lab.synth.mqtt.broker import matches
from policy.topics import within

SPORT = "sport/tennis/player1"


def is_within(asked: str, wanted: str) -> bool:
    return bool(within(pl.DataFrame({"asked": [asked], "filter": [wanted]}))[0])


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (SPORT, f"{SPORT}/#"),
        (f"{SPORT}/ranking", f"{SPORT}/#"),
        (f"{SPORT}/score/wimbledon", f"{SPORT}/#"),
        ("sport", "sport/#"),
        ("sport", "#"),
        ("sport/tennis/player1", "sport/tennis/+"),
        ("sport/", "sport/+"),
        ("/finance", "+/+"),
        ("/finance", "/+"),
        ("$SYS/monitor/Clients", "$SYS/monitor/+"),
        ("$SYS/", "$SYS/#"),
        # Filters within filters.
        ("a/+", "a/+"),
        ("a/b/#", "a/#"),
        ("a/+/c", "a/#"),
        ("a/#", "a/#"),
        ("#", "#"),
        ("$share/readers/a/b", "a/+"),
    ],
)
def test_lies_within(asked: str, wanted: str) -> None:
    assert is_within(asked, wanted)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("sport/tennis/player1/ranking", "sport/tennis/+"),
        ("sport", "sport/+"),
        ("/finance", "+"),
        ("Sport", "sport"),
        ("$SYS/monitor/Clients", "#"),
        ("$SYS/monitor/Clients", "+/monitor/Clients"),
        ("a/#", "a/+"),
        ("#", "a/#"),
        ("+/b", "a/b"),
        ("a/+", "a/b"),
        ("a", "a/b/#"),
        ("$share/readers/#", "a/#"),
        ("$SYS/#", "#"),
        ("ab", "a"),
    ],
)
def test_lies_outside(asked: str, wanted: str) -> None:
    assert not is_within(asked, wanted)


LEVEL = st.sampled_from(["a", "b", "", "$x"])
TOPIC = st.lists(LEVEL, min_size=1, max_size=4).map("/".join)
FILTER = st.tuples(st.lists(LEVEL | st.just("+"), min_size=1, max_size=4), st.sampled_from(["", "/#"])).map(
    lambda parts: "/".join(parts[0]) + parts[1]
)


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(TOPIC, FILTER), min_size=1, max_size=20))
def test_a_topic_is_within_what_the_lab_s_broker_delivers_it_to(pairs: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(pairs, schema=["asked", "filter"], orient="row")
    assert within(frame).to_list() == [matches(wanted, asked) for asked, wanted in pairs]


@settings(deadline=None)
@given(asked=FILTER, wanted=FILTER, topic=TOPIC)
def test_what_is_within_matches_nothing_more(asked: str, wanted: str, topic: str) -> None:
    if is_within(asked, wanted) and matches(asked, topic):
        assert matches(wanted, topic)
