"""`geophone baseline` as a security team uses it: learn, look, accept, compare."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from pcaps import sample
from tests.geophone.conftest import Geophone

WRITE = sample("unauthorised-write")
NORMAL = sample("normal-shift")


@pytest.fixture(scope="module")
def learned(geophone: Geophone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The baseline of a normal shift."""
    file = tmp_path_factory.mktemp("baseline") / "mine-a.baseline"
    outcome = geophone("baseline", "learn", NORMAL.capture, "--policy", NORMAL.policy, "-o", file)
    assert outcome.returncode == 0, outcome
    assert "Baseline of site mine-a, sha256 " in outcome.stdout
    return file


def kinds(findings: Path) -> list[str]:
    return sorted(json.loads(line)["kind"] for line in findings.read_text().splitlines())


def replayed(geophone: Geophone, folder: Path, *more: str | Path) -> tuple[list[str], str]:
    findings = folder / "findings.jsonl"
    outcome = geophone("replay", WRITE.capture, "--policy", WRITE.policy, "--findings", findings, *more)
    assert outcome.returncode == 1, outcome
    return kinds(findings), outcome.stdout


def test_the_same_captures_teach_the_same_bytes(geophone: Geophone, learned: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.baseline"
    geophone("baseline", "learn", NORMAL.capture, "--policy", NORMAL.policy, "-o", again)
    assert again.read_bytes() == learned.read_bytes()
    same = geophone("baseline", "diff", learned, again)
    assert (same.returncode, same.stdout.strip()) == (0, "Both know the same.")


def test_a_replay_beside_a_baseline_finds_what_is_new_and_without_one_says_so(
    geophone: Geophone, learned: Path, tmp_path: Path
) -> None:
    without, said = replayed(geophone, tmp_path)
    assert without == ["SEG-02", "SEG-05"]
    assert "No baseline: what is new on the network was not looked for." in said
    beside, said = replayed(geophone, tmp_path, "--baseline", learned)
    # Two clients write where they never wrote, one of them speaks Modbus for the first time.
    assert [one for one in beside if one in ("M1", "M2")].count("M1") >= 2
    assert "M2" in beside
    assert "Compared with baseline " in said


def test_what_was_accepted_is_no_finding_any_more(geophone: Geophone, learned: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine-a.baseline"
    mine.write_bytes(learned.read_bytes())
    before = replayed(geophone, tmp_path, "--baseline", mine)[0].count("M1")
    fact = "modbus.write 10.35.0.10 10.20.0.11:502 unit 1, holding 105"
    accepted = geophone("baseline", "accept", mine, fact, "--who", "ana", "--why", "CHG-9")
    assert accepted.returncode == 0, accepted
    assert replayed(geophone, tmp_path, "--baseline", mine)[0].count("M1") == before - 1
    listed = geophone("baseline", "show", mine, "--state", "accepted", "--json")
    (row,) = json.loads(listed.stdout)
    assert row["fact"] == fact
    changed = geophone("baseline", "diff", learned, mine, "--csv")
    assert changed.returncode == 1
    assert [one["change"] for one in csv.DictReader(io.StringIO(changed.stdout))] == ["new"]


def test_what_is_forbidden_is_shown_with_who_did_it_and_does_not_become_known(
    geophone: Geophone, tmp_path: Path
) -> None:
    poisoned = tmp_path / "poisoned.baseline"
    outcome = geophone("baseline", "learn", WRITE.capture, "--policy", WRITE.policy, "-o", poisoned)
    assert "were seen although the policy forbids it" in outcome.stdout
    listed = json.loads(geophone("baseline", "show", poisoned, "--state", "forbidden", "--json").stdout)
    writers = {
        (row["client"], row["what"]): row["forbidden"] for row in listed if row["kind"] == "modbus.write"
    }
    assert writers[("10.35.0.10", "unit 1, holding 105")] == 3
    assert {client for client, _ in writers} == {"10.35.0.10", "10.40.0.77"}
    found = replayed(geophone, tmp_path, "--baseline", poisoned)[0]
    assert "M2" in found


def test_a_store_keeps_the_baseline_of_its_site(geophone: Geophone, learned: Path, tmp_path: Path) -> None:
    store, out = tmp_path / "store", tmp_path / "out.baseline"
    assert geophone("baseline", "keep", learned, "--store", store).returncode == 0
    found, _ = replayed(geophone, tmp_path, "--store", store)
    assert "M2" in found
    assert geophone("baseline", "export", "--store", store, "-o", out).returncode == 0
    assert out.read_bytes() == learned.read_bytes()


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ("0123456789ab", "has no fact of this id"),
        ("modbus.writes 10.0.0.5 10.0.0.9:502 unit 1, holding 3", "did you mean 'modbus.write'?"),
        ("modbus.write", "write it like"),
        ("modbus.write 10.0.0.500 10.0.0.9:502 x", "10.0.0.500"),
    ],
)
def test_a_fact_that_is_none_is_refused_with_a_repair(
    geophone: Geophone, learned: Path, fact: str, words: str
) -> None:
    outcome = geophone("baseline", "accept", learned, fact, "--who", "ana", "--why", "x")
    assert outcome.returncode == 2
    assert words in outcome.stderr


def test_the_baseline_of_another_site_is_refused(geophone: Geophone, learned: Path, tmp_path: Path) -> None:
    other = sample("modbus-program")
    outcome = geophone("replay", other.capture, "--policy", other.policy, "--baseline", learned)
    assert outcome.returncode == 2
    assert "the baseline of site mine-a, the policy is of pump-b" in outcome.stderr
