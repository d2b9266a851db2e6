"""The same network, captured worse: copied, holed, by a clock that is set back. The network is no worse for it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest

from analyzers.attribution import because
from analyzers.conversations import Conversations
from analyzers.sla import Meter, ScopeReport, Status
from pcaps import sample
from policy.loader import load
from policy.zoning import compile_site
from sensors.capture import open_capture
from sensors.engine import decode
from tests.scenarios.pipeline import outcome
from tests.support.pcap_records import Record, as_pcap, records

#: What copies may change: how many there were, when the last came, and the numbers of frames.
_OF_COPIES = ("duplicate_packets", "first_frame", "last_ts")


def measured(name: str, frames: Iterable[Record], folder: Path) -> tuple[pl.DataFrame, Meter]:
    """These frames instead of the sample's, measured under its policy."""
    file = folder / "worse.pcap"
    file.write_bytes(as_pcap(frames))
    site = compile_site(load(sample(name).policy).site)
    conversations, meter = Conversations(site), Meter(site)
    with decode(open_capture(file)) as run:
        for batches in run:
            meter.feed(conversations.enrich(batches), batches.get("coverage"))
    return pl.DataFrame(meter.finish()), meter


def _loss(minutes: pl.DataFrame) -> float:
    return _sum(minutes, "lost_segments") / _sum(minutes, "data_segments")


def _sum(minutes: pl.DataFrame, name: str) -> int:
    return int(minutes[name].sum())


@pytest.mark.parametrize("name", ["degraded-link", "normal-shift"])
def test_every_frame_twice_gives_the_same_figures(name: str, tmp_path: Path) -> None:
    frames = records(sample(name).capture)
    # As from two mirrored ports: the copy comes 20 µs behind.
    twice = (
        Record(frame.ns + behind, frame.data, frame.wire_length, frame.link_type)
        for frame in frames
        for behind in (0, 20_000)
    )
    doubled, meter = measured(name, twice, tmp_path)
    whole = outcome(name)
    assert doubled.drop(_OF_COPIES).equals(whole.minutes.drop(_OF_COPIES))
    assert doubled["duplicate_packets"].sum() == whole.minutes["packets"].sum()
    assert [zone.verdict for zone in meter.zones()] == [zone.verdict for zone in whole.result.zones]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["degraded-link", "normal-shift"])
def test_a_sensor_that_misses_one_frame_in_a_hundred_says_so_and_blames_nobody(
    name: str, seed: int, tmp_path: Path
) -> None:
    dice = random.Random(seed)
    left = [frame for frame in records(sample(name).capture) if dice.random() >= 0.01]
    holed, meter = measured(name, left, tmp_path)
    whole = outcome(name).minutes
    assert _loss(holed) == pytest.approx(_loss(whole), abs=0.001)
    # Less was seen of it, and that is said.
    assert whole["unseen_segments"].sum() == 0
    assert 0.002 < _sum(holed, "unseen_segments") / _sum(holed, "packets") < 0.01
    assert not holed["valid"].all()
    # Answers that the sensor missed are in no figure.
    assert holed.filter("valid").select("unanswered", "not_measurable_unmatched").sum().row(0) == (0, 0)
    assert {zone.verdict.status for zone in meter.zones()} == {Status.NO_DATA}
    assert all(
        any("the sensor missed" in words for words in _because(zone))
        for zone in meter.zones()
        if zone.minutes_seen
    )


def _because(zone: ScopeReport) -> tuple[str, ...]:
    return because(zone.target, zone.causes, *zone.sides)


def test_an_answer_before_its_question_is_the_clocks(tmp_path: Path) -> None:
    frames = records(sample("normal-shift").capture)
    half = len(frames) // 2
    # In the middle of a shift the sensor's clock is set right: a minute and a half back.
    turned = [
        Record(
            frame.ns - (90 * 10**9 if place >= half else 0), frame.data, frame.wire_length, frame.link_type
        )
        for place, frame in enumerate(frames)
    ]
    minutes, meter = measured("normal-shift", turned, tmp_path)
    whole = outcome("normal-shift").minutes
    # One question waits at that moment.
    assert minutes["not_measurable_clock"].sum() == 1
    asked = _sum(minutes, "transactions")
    assert asked == _sum(minutes, "good") == _sum(whole, "transactions") - 1
    told = {
        zone.scope for zone in meter.zones() if any("clock was set back" in words for words in _because(zone))
    }
    assert told == {"supervisory", "plant"}


def test_a_capture_of_three_packets_is_never_green(tmp_path: Path) -> None:
    frames = records(sample("normal-shift").capture)
    for first in range(0, 300, 3):
        _, meter = measured("normal-shift", frames[first : first + 3], tmp_path)
        assert {zone.verdict.status for zone in meter.zones()} == {Status.NO_DATA}
        assert all(zone.verdict.reasons for zone in meter.zones())


def test_one_direction_alone_is_never_green_and_says_why() -> None:
    for zone in outcome("span-one-sided").result.zones:
        assert zone.verdict.status is Status.NO_DATA
        if zone.minutes_seen:
            assert any("only one direction was seen in" in words for words in _because(zone))
            assert zone.causes.unanswered == 0
