"""Incidents as a user lists them: of a file of findings and of a store alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.geophone.conftest import POLICY, Geophone
from tests.support import pcap_bytes

OFFICE, OTHER = "10.40.0.7", "10.40.0.8"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, geophone: Geophone) -> tuple[Path, Path, str]:
    """One office host at two controllers, another at the first: a findings file, a store, what the replay said."""
    folder = tmp_path_factory.mktemp("kept")
    capture, policy, findings, store = (folder / name for name in ("x.pcap", "site.yaml", "f.jsonl", "store"))
    policy.write_text(POLICY)
    frames = [
        frame
        for client, server in ((OFFICE, "10.20.0.11"), (OFFICE, "10.20.0.12"), (OTHER, "10.20.0.11"))
        for frame in pcap_bytes.modbus_exchange(
            client, server, pcap_bytes.WRITE_REQUEST, pcap_bytes.WRITE_RESPONSE
        )
    ]
    capture.write_bytes(pcap_bytes.pcap(frames))
    outcome = geophone("replay", capture, "--policy", policy, "--findings", findings, "--store", store)
    return findings, store, outcome.stdout


def listed(geophone: Geophone, *arguments: str | Path) -> list[dict[str, Any]]:
    outcome = geophone("incidents", *arguments, "--json")
    assert (outcome.returncode, outcome.stderr) == (0, ""), outcome
    rows: list[dict[str, Any]] = json.loads(outcome.stdout)
    return rows


def test_a_file_and_a_store_have_the_same_incidents(geophone: Geophone, kept: tuple[Path, Path, str]) -> None:
    findings, store, said = kept
    of_file = listed(geophone, "--findings", findings)
    assert [(one["sources"], one["findings"]) for one in of_file] == [([OTHER], 1), ([OFFICE], 2)]
    assert "2 incidents" in said
    of_store = listed(geophone, "--store", store)
    assert {one.pop("state") for one in of_store} == {"new"}
    assert {one.pop("state") for one in of_file} == {""}
    assert of_store == of_file


def test_suppressed_findings_are_counted_apart(
    geophone: Geophone, kept: tuple[Path, Path, str], tmp_path: Path
) -> None:
    under = {"id": "s1", "owner": "ot", "reason": "tuning", "until": "2099-01-01"}
    found = [json.loads(line) for line in kept[0].read_bytes().splitlines()]
    one_of_two = next(one for one in found if one["src_ip"] == OFFICE)
    for hidden, expected in (
        ([one_of_two], {(OTHER, 1, 0), (OFFICE, 1, 1)}),
        # Who is suppressed whole is no incident to look at.
        ([one for one in found if one["src_ip"] == OFFICE], {(OTHER, 1, 0)}),
    ):
        file = tmp_path / "some.jsonl"
        lines = [json.dumps(one | ({"suppression": under} if one in hidden else {})) for one in found]
        # As they are written: without spaces.
        file.write_text("\n".join(line.replace('"id": ', '"id":') for line in lines))
        rows = listed(geophone, "--findings", file)
        assert {(*one["sources"], one["findings"], one["suppressed"]) for one in rows} == expected


def test_one_incident_is_told_by_any_of_its_findings(
    geophone: Geophone, kept: tuple[Path, Path, str]
) -> None:
    findings, store, _ = kept
    ids = [json.loads(line)["id"] for line in findings.read_bytes().splitlines()]
    steps = listed(geophone, ids[1][:8], "--findings", findings)
    assert [step["id"] for step in steps] == ids[:2]
    assert listed(geophone, ids[0], "--store", store) == steps


def test_what_a_user_may_get_wrong_is_one_line(geophone: Geophone, kept: tuple[Path, Path, str]) -> None:
    findings, store, _ = kept
    for arguments, said in (
        ((), "say where the findings are"),
        (("--findings", findings, "--store", store), "one of them"),
        (("0" * 32, "--findings", findings), "has no finding 0000"),
        (("odd", "--findings", findings), "not the id of a finding"),
        (("--findings", store / "gone"), "No such file"),
    ):
        outcome = geophone("incidents", *arguments)
        assert (outcome.returncode, outcome.stderr.count("\n")) == (2, 1), outcome
        assert said in outcome.stderr
