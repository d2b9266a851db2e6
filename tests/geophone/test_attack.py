"""`geophone attack layer` as somebody uses it who fills in the Navigator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.geophone.conftest import Geophone


def test_writes_what_this_version_can_tell(geophone: Geophone, tmp_path: Path) -> None:
    out = tmp_path / "layer.json"
    outcome = geophone("attack", "layer", "-o", out)
    assert outcome.returncode == 0, outcome
    assert f"{out}: 83 techniques" in outcome.stdout
    assert json.loads(out.read_text())["domain"] == "ics-attack"


def test_a_capture_and_its_store_give_the_same_scores(
    geophone: Geophone, intruder_capture: Path, policy: Path, tmp_path: Path
) -> None:
    one, other, store = tmp_path / "one.json", tmp_path / "other.json", tmp_path / "store"
    assert not geophone("attack", "layer", intruder_capture, "--policy", policy, "-o", one).returncode
    geophone("replay", intruder_capture, "--policy", policy, "--store", store)
    assert not geophone("attack", "layer", "--store", store, "-o", other).returncode
    layer, stored = json.loads(one.read_text()), json.loads(other.read_text())
    assert layer["techniques"] == stored["techniques"]
    assert {one["techniqueID"] for one in layer["techniques"]} >= {"T0886"}
    assert layer["name"] == "Geophone: intruder.pcap"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--policy", "site.yaml"), "a policy captures"),
        (("--site", "mine-a"), "chooses among the sites of a --store"),
    ],
)
def test_contradictions_are_told(
    geophone: Geophone, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    outcome = geophone("attack", "layer", *options, "-o", tmp_path / "layer.json")
    assert (outcome.returncode, words in outcome.stderr) == (2, True), outcome
