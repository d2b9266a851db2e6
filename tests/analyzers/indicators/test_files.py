from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analyzers.indicators.indicator import NO_END_NS
from analyzers.indicators.loading import load_indicators
from tests.policy.factories import NOON

SAMPLES = Path(__file__).resolve().parents[3] / "docs" / "samples" / "indicators"
ID = "indicator--11a7c5d0-9c1d-4a0a-9bb8-0f3a6e1d2b01"
SOURCE = "identity--b5437038-eb96-4652-88bc-5f94993b7326"
GOOD: dict[str, Any] = {
    "type": "indicator", "spec_version": "2.1", "id": ID, "created_by_ref": SOURCE,
    "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "staging server",
    "confidence": 85, "pattern": "[ipv4-addr:value = '198.51.100.66']", "pattern_type": "stix",
    "valid_from": "2026-11-23T12:00:00Z", "valid_until": "2026-11-23T12:00:00.5Z",
}  # fmt: skip
IDENTITY = {"type": "identity", "spec_version": "2.1", "id": SOURCE, "name": "Example CERT"}


def bundle(tmp_path: Path, *objects: Any) -> Path:
    """A bundle of these objects, as a file."""
    file = tmp_path / "feed.json"
    file.write_text(json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects}))
    return file


def table(tmp_path: Path, text: str) -> Path:
    """A table of this text, as a file."""
    file = tmp_path / "feed.csv"
    file.write_text(text)
    return file


def test_an_indicator_of_stix_has_its_source_validity_and_confidence(tmp_path: Path) -> None:
    loaded = load_indicators([bundle(tmp_path, GOOD, IDENTITY, {"type": "malware"})])
    (one,) = loaded.indicators.indicators
    assert loaded.not_taken == ()
    assert (one.what, one.value, one.id) == ("address", "198.51.100.66", ID)
    assert (one.name, one.source, one.confidence) == ("staging server", "Example CERT", 85)
    assert (one.valid_from_ns, one.valid_until_ns) == (NOON, NOON + 500_000_000)


def test_what_is_left_out_is_open(tmp_path: Path) -> None:
    short = {
        name: GOOD[name]
        for name in GOOD
        if name not in ("valid_until", "confidence", "created_by_ref", "name")
    }
    (one,) = load_indicators([bundle(tmp_path, short)]).indicators.indicators
    assert (one.valid_until_ns, one.confidence, one.source, one.name) == (NO_END_NS, -1, "feed.json", "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"revoked": True}, "revoked by its source"),
        ({"pattern_type": "sigma"}, "a pattern of type sigma is not read"),
        ({"spec_version": "2.0"}, "not of STIX 2.1"),
        ({"valid_until": "2026-01-01T00:00:00Z"}, "valid_until is not after valid_from"),
        ({"valid_from": None}, "valid_from: "),
        ({"confidence": 101}, "confidence: "),
        ({"id": "indicator--1"}, "id: "),
        ({"pattern": "[file:name = 'x']"}, "file:name"),
    ],
)
def test_what_is_not_taken_of_a_bundle_is_told_by_its_object(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    file = bundle(tmp_path, {**GOOD, **change}, {**GOOD, "id": ID[:-1] + "2"})
    loaded = load_indicators([file])
    assert len(loaded.indicators.indicators) == 1
    (told,) = loaded.not_taken
    assert told.startswith(f"{file} {change.get('id', ID)}: ")
    assert reason in told


def test_of_one_object_the_version_modified_last_counts(tmp_path: Path) -> None:
    newer = {**GOOD, "modified": "2026-02-01T00:00:00.000Z", "pattern": "[ipv4-addr:value = '198.51.100.67']"}
    gone = {**newer, "modified": "2026-03-01T00:00:00.000Z", "revoked": True}
    for objects in ((GOOD, newer), (newer, GOOD)):
        (one,) = load_indicators([bundle(tmp_path, *objects)]).indicators.indicators
        assert one.value == "198.51.100.67"
    assert load_indicators([bundle(tmp_path, newer, gone, GOOD)]).indicators.indicators == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a STIX bundle"),
        ('{"type": "indicator"}', "not a STIX bundle"),
        ("[" * 100_000, "not JSON"),
        ("", "empty"),
    ],
)
def test_a_file_that_is_no_bundle_is_told_and_stops_no_other(tmp_path: Path, text: str, reason: str) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(text)
    loaded = load_indicators([bad, bundle(tmp_path, GOOD)])
    assert len(loaded.indicators.indicators) == 1
    assert [told.startswith(str(bad)) and reason in told for told in loaded.not_taken] == [True]


def test_a_table_has_one_indicator_a_line(tmp_path: Path) -> None:
    text = (
        "value,type,confidence,valid_from\n203.0.113.0/28,network,40,2026-11-23T12:00:00+00:00\n"
        "*.C2.example,domain,,\n"
    )
    one, two = sorted(load_indicators([table(tmp_path, text)]).indicators.indicators, key=lambda i: i.what)
    assert (one.what, one.value, one.valid_from_ns, one.source) == (
        "domain",
        "*.c2.example",
        -NO_END_NS,
        "feed.csv",
    )
    assert (two.what, two.value, two.valid_from_ns, two.confidence) == ("network", "203.0.113.0/28", NOON, 40)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("typ,value\n", ":1 there is no column 'typ'; did you mean 'type'?"),
        ("type,name\n", ":1 the column value is missing"),
        ("type,value\nadress,198.51.100.1\n", ":2 there is no type 'adress'; did you mean 'address'?"),
        ("type,value\naddress,198.51.100.1\naddress,198.51.100\n", ":3 '198.51.100' is not an IPv4"),
        ("type,value\nnetwork,198.51.100.1/24\n", ":2 '198.51.100.1/24' is not a network"),
        ("type,value\naddress\n", ":2 has more or fewer values"),
        ("type,value\naddress,198.51.100.1,x\n", ":2 has more or fewer values"),
        ("type,value,valid_from\naddress,198.51.100.1,monday\n", ":2 valid_from 'monday' is not a time"),
        ("type,value,confidence\naddress,198.51.100.1,sure\n", ":2 confidence is a number from 0 to 100"),
        ('type,value\n"address" x,198.51.100.1\n', ":2 not CSV"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(tmp_path: Path, text: str, told: str) -> None:
    file = table(tmp_path, text)
    (reason,) = load_indicators([file]).not_taken
    assert reason.startswith(f"{file}{told}")


def test_the_samples_are_taken_whole_and_the_hash_is_of_what_is_said(tmp_path: Path) -> None:
    files = [SAMPLES / "bundle.json", SAMPLES / "feed.csv"]
    loaded = load_indicators(files)
    assert loaded.not_taken == ()
    assert {one.what for one in loaded.indicators.indicators} == {"address", "network", "domain", "ja4"}
    assert load_indicators(reversed(files)).indicators.sha256 == loaded.indicators.sha256
    assert load_indicators(files[:1]).indicators.sha256 != loaded.indicators.sha256
