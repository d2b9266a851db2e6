"""A policy with suppressions, replayed: told, written, and out of the exit code; an expired one speaks up."""

from __future__ import annotations

import json
from pathlib import Path

from tests.geophone.conftest import POLICY, Geophone


def policy_with(folder: Path, expires: str, what: str = "SEG-01, SEG-02, SEG-09") -> Path:
    """The small site's policy; the capture is of 2023, see `tests.support.pcap_bytes`."""
    file = folder / "small.yaml"
    file.write_text(
        POLICY + f"suppressions:\n- {{id: sup-office, what: [{what}], scope: {{client: [10.40.0.7]}}, "
        f"reason: moved next week, owner: ana, expires: {expires}}}\n"
    )
    return file


def test_what_is_suppressed_is_kept_and_does_not_count(
    geophone: Geophone, intruder_capture: Path, tmp_path: Path
) -> None:
    out = tmp_path / "findings.jsonl"
    policy = policy_with(tmp_path, "2099-01-01")
    outcome = geophone("replay", intruder_capture, "--policy", policy, "--findings", out)
    found = [json.loads(line) for line in out.read_text().splitlines()]
    covered = [one for one in found if one["src_ip"] == "10.40.0.7"]
    assert covered
    assert all(one["suppression"]["id"] == "sup-office" for one in covered)
    assert {one["suppression"]["until"] for one in covered} == {"2099-01-01"}
    still_open = [one for one in found if one["suppression"] is None]
    assert outcome.returncode == (1 if still_open else 0), outcome
    assert f"sup-office (ana, until 2099-01-01): {len(covered)} finding" in outcome.stdout


def test_an_expired_one_covers_nothing_and_says_so(
    geophone: Geophone, intruder_capture: Path, tmp_path: Path
) -> None:
    out = tmp_path / "findings.jsonl"
    policy = policy_with(tmp_path, "2001-01-01")
    outcome = geophone("replay", intruder_capture, "--policy", policy, "--findings", out)
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert outcome.returncode == 1
    assert all(one["suppression"] is None for one in found)
    assert any(
        "sup-office (ana) covered this until 2001-01-01 and has expired" in one["why"] for one in found
    )
    assert "expired: " in outcome.stdout
    checked = geophone("policy", "check", policy, "--strict")
    assert checked.returncode == 1
    assert "small.yaml:8 suppressions[0]: suppression sup-office expired on 2001-01-01" in checked.stdout


def test_one_that_met_nothing_is_told(geophone: Geophone, quiet_capture: Path, tmp_path: Path) -> None:
    outcome = geophone("replay", quiet_capture, "--policy", policy_with(tmp_path, "2099-01-01", "M5"))
    assert "suppression sup-office (ana, until 2099-01-01): met nothing here" in outcome.stdout
