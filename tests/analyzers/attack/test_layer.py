"""Layers are what the Navigator's documentation of format 4.5 says, and say what findings say."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from analyzers.attack.layer import coverage_layer, findings_layer, layer_bytes, seen_in
from analyzers.findings import Severity, SuppressedBy
from analyzers.techniques import TECHNIQUES
from tests.store.samples import START_NS, finding

#: Format 4.5: key -> type, of the layer and of its parts; those that must be there.
LAYER = {
    "name": str,
    "versions": dict,
    "domain": str,
    "description": str,
    "sorting": int,
    "hideDisabled": bool,
    "techniques": list,
    "gradient": dict,
    "legendItems": list,
}
TECHNIQUE = {"techniqueID": str, "enabled": bool, "score": int, "comment": str, "metadata": list}
REQUIRED = {"name", "domain", "versions"}
UNDER = SuppressedBy(id="s1", owner="ana", reason="tuning", until="2026-12-01")


def of_findings() -> dict[str, Any]:
    found = [
        finding(0, techniques=("T0855", "T0836"), severity=Severity.HIGH),
        finding(1, techniques=("T0855",), severity=Severity.CRITICAL, kind="M5"),
        finding(2, techniques=(), possible_techniques=("T0866",), severity=Severity.LOW),
        finding(3, techniques=("T0842",), severity=Severity.CRITICAL, suppression=UNDER),
    ]
    return findings_layer(seen_in(found), "one.pcap")


@pytest.mark.parametrize("layer", [coverage_layer(), of_findings()], ids=["coverage", "findings"])
def test_is_a_layer_of_format_4_5(layer: dict[str, Any]) -> None:
    assert layer.keys() >= REQUIRED
    assert layer["versions"] == {"attack": "18", "navigator": "5.2.0", "layer": "4.5"}
    assert layer["domain"] == "ics-attack"
    for key, value in layer.items():
        assert type(value) is LAYER[key], key
    for technique in layer["techniques"]:
        assert re.fullmatch(r"T\d{4}", technique["techniqueID"])
        for key, value in technique.items():
            assert type(value) is TECHNIQUE[key], key
        assert all(one.keys() == {"name", "value"} for one in technique.get("metadata", []))
        assert all(type(text) is str for one in technique.get("metadata", []) for text in one.values())
    gradient = layer["gradient"]
    assert len(gradient["colors"]) >= 2
    assert gradient["maxValue"] > gradient["minValue"]
    scores = [one["score"] for one in layer["techniques"] if "score" in one]
    assert all(gradient["minValue"] <= score <= gradient["maxValue"] for score in scores)
    assert json.loads(layer_bytes(layer)) == layer


def test_the_coverage_layer_has_every_technique_once() -> None:
    layer = coverage_layer()
    assert [one["techniqueID"] for one in layer["techniques"]] == list(TECHNIQUES)
    by_id = {one["techniqueID"]: one for one in layer["techniques"]}
    assert by_id["T0855"]["score"] == 2
    assert by_id["T0809"] == {
        "techniqueID": "T0809",
        "enabled": True,
        "score": 1,
        "comment": "possible in O10",
    }
    assert "score" not in by_id["T0874"]
    assert by_id["T0874"]["comment"].startswith("inside a host: ")


def test_findings_are_scored_by_the_worst_that_is_open() -> None:
    by_id = {one["techniqueID"]: one for one in of_findings()["techniques"]}
    assert {technique: one.get("score") for technique, one in by_id.items()} == {
        "T0836": 4,
        "T0842": None,
        "T0855": 5,
        "T0866": 2,
    }
    assert by_id["T0855"]["comment"] == "by M5, SEG-05"
    assert by_id["T0866"]["comment"] == "possible only, by SEG-05"
    assert by_id["T0842"]["comment"] == "suppressed only, by SEG-05"
    told = {one["name"]: one["value"] for one in by_id["T0855"]["metadata"]}
    assert (told["findings that assert it"], told["first packet"]) == ("2", "2026-03-01T06:00:00Z")
    assert START_NS == 1_772_344_800_000_000_000
