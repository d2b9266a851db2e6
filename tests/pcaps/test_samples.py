"""The samples and their notes agree, and the whole set stays small."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import tomllib
from pathlib import Path

import pytest

import pcaps
from pcaps import Sample, SampleError, sample, samples
from pcaps.lab.packing import unpacked
from pcaps.lab.plant.golden import GOLDEN
from pcaps.lab.scenarios import SCENARIOS
from tests.scenarios.matrix import looked_for

SAMPLES = samples()
#: What a clone and a wheel carry along for the demo.
TOTAL_BYTES_LIMIT = 25_000_000
#: Ids of the policy's checks and of the detections.
IDS = re.compile(r"(SEG|RA|CHG|COV|SLA)-[0-9]{2}|[MOQG][0-9]{1,2}")


def test_the_four_stories_of_the_demo_are_there() -> None:
    assert {"normal-shift", "unauthorised-write", "degraded-link", "gap-and-duplicates"} <= set(pcaps.names())


def test_every_capture_has_notes_and_every_note_a_capture() -> None:
    captures = {
        path.name for path in pcaps.FOLDER.iterdir() if path.suffix in (".pcap", ".pcapng", ".gz", ".zst")
    }
    assert {one.capture.name for one in SAMPLES} == captures


def test_the_set_stays_small() -> None:
    assert sum(one.capture.stat().st_size for one in SAMPLES) <= TOTAL_BYTES_LIMIT


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_notes_name_the_very_bytes_of_the_capture(one: Sample) -> None:
    assert hashlib.sha256(one.capture.read_bytes()).hexdigest() == one.sha256


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_notes_say_where_the_capture_comes_from(one: Sample) -> None:
    assert one.title and one.story
    assert one.licence == "Apache-2.0"
    assert one.policy.is_file()
    assert one.origin["kind"] in ("synthetic", "real stack")
    assert "python -m pcaps.lab" in one.origin["command"]
    assert "seed" in one.origin or one.origin["kind"] == "real stack"


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_the_capture_says_nothing_of_the_machine_that_wrote_it(one: Sample) -> None:
    # Section options 2 to 4 are hardware, operating system and application: the writer gives only a comment.
    capture = unpacked(one.capture.read_bytes())
    section_length = int.from_bytes(capture[4:8], "little")
    options = capture[24 : section_length - 4]
    codes = []
    while options:
        code, length = int.from_bytes(options[:2], "little"), int.from_bytes(options[2:4], "little")
        codes.append(code)
        options = options[4 + length + -length % 4 :]
    assert codes == [1, 0]


def test_a_sample_is_found_by_its_name() -> None:
    assert sample("normal-shift").capture.name == "normal-shift.pcapng"


@pytest.mark.parametrize("name", ["normal_shift", "../pcaps/normal-shift", ""])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(SampleError, match=r"there are: .*normal-shift"):
        sample(name)


def test_damaged_notes_are_refused_with_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cut.toml").write_text('title = "cut')
    monkeypatch.setattr(pcaps, "FOLDER", tmp_path)
    with pytest.raises(SampleError, match=r"cut\.toml: not the notes of a sample"):
        samples()


def test_benign_samples_expect_nothing_and_the_others_something() -> None:
    silent = {one.name for one in SAMPLES if not one.expected and not one.planted}
    # A degraded link spends its error budget, which is a finding of its conduit; gaps are one of the sensor.
    benign = {"normal-shift"}
    recorded = {f"lab-{name}" for name, expected in GOLDEN.items() if not expected}
    assert silent == benign | recorded | {one.name for one in SAMPLES if one.twin_of}


def test_the_demo_shows_a_good_day_and_bad_ones() -> None:
    silent = {one.name for one in SAMPLES if one.demo and not one.expected}
    assert silent == {"normal-shift"}
    assert any(one.expected for one in SAMPLES if one.demo)


@pytest.mark.parametrize("one", [one for one in SAMPLES if one.planted], ids=lambda one: one.name)
def test_what_was_planted_is_expected_as_far_as_this_version_judges_it(one: Sample) -> None:
    judged = {planted.id for planted in one.planted if looked_for(one, planted)}
    assert {finding.kind for finding in one.expected} == judged


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_notes_have_no_key_that_nobody_reads(one: Sample) -> None:
    notes = tomllib.loads((pcaps.FOLDER / f"{one.name}.toml").read_text())
    known = {"title", "licence", "policy", "story", "origin", "capture", "truth", "planted", "expected"}
    assert set(notes) <= known | {"twin", "twin_of", "baseline", "demo"}


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_what_was_planted_happened_within_the_capture(one: Sample) -> None:
    capture = tomllib.loads((pcaps.FOLDER / f"{one.name}.toml").read_text())["capture"]
    for planted in one.planted:
        assert IDS.fullmatch(planted.id), planted
        assert capture["first"] <= planted.first <= planted.last <= capture["last"], planted
        assert planted.count > 0 and planted.because, planted
        # One of both ends is known always; the wire may not show who did it, or there may be many targets.
        # A rule that nobody uses is of no host at all.
        assert planted.src_ip or planted.dst_ip or planted.id in ("SEG-11", "COV-01"), planted
        assert not planted.src_ip or ipaddress.ip_address(planted.src_ip), planted
        assert not planted.dst_ip or ipaddress.ip_address(planted.dst_ip), planted


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_twins_know_each_other_and_the_benign_one_has_nothing_planted(one: Sample) -> None:
    made = {scenario.name for scenario in SCENARIOS} | set(pcaps.names())
    if one.twin:
        assert one.twin in made, "no scenario makes the twin"
        assert one.planted, "a capture without anything planted needs no twin"
    if one.twin_of:
        assert sample(one.twin_of).twin == one.name
        assert not one.planted and not one.expected
