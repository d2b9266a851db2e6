"""What was imported decides what a replay finds, and is part of what the replay is."""

from __future__ import annotations

import json
from pathlib import Path

from pcaps import sample
from tests.geophone.conftest import Geophone

HOURS = sample("remote-hours")
APPROVED = {"approver": "ops", "end": "2026-11-30T00:00:00Z", "ref": "CHG-99", "rule": "ra-acme"} | {
    "start": "2026-11-01T00:00:00Z"
}


def imported(folder: Path, *logins: dict[str, object]) -> tuple[Path, Path]:
    """An approval for all of the capture, and what the gateway logged."""
    approvals, gateway = folder / "approvals.jsonl", folder / "gateway.jsonl"
    approvals.write_text(json.dumps(APPROVED) + "\n")
    gateway.write_text("".join(json.dumps(login) + "\n" for login in logins))
    return approvals, gateway


def test_imported_approvals_count_and_the_findings_name_them(geophone: Geophone, tmp_path: Path) -> None:
    approvals, _ = imported(tmp_path)
    found = {}
    for name, options in (
        ("plain", ()),
        ("one", ("--approvals", approvals)),
        ("two", ("--approvals", approvals)),
    ):
        out = tmp_path / f"{name}.jsonl"
        given = ("replay", HOURS.capture, "--policy", HOURS.policy, "--findings", out, *options)
        assert geophone(*given).returncode == 1
        found[name] = out.read_bytes()
    assert found["one"] == found["two"]
    kinds = {name: [json.loads(line)["kind"] for line in text.splitlines()] for name, text in found.items()}
    assert "RA-03" in kinds["plain"]
    assert [kind for kind in kinds["plain"] if kind != "RA-03"] == kinds["one"]
    hashes = {json.loads(line)["evidence_sha256"] for line in found["one"].splitlines()}
    assert [len(one) for one in hashes] == [64]


def test_a_replay_with_other_evidence_is_another_replay(geophone: Geophone, tmp_path: Path) -> None:
    approvals, _ = imported(tmp_path)
    given = ("replay", HOURS.capture, "--policy", HOURS.policy, "--store", tmp_path / "store")
    assert "Already in the store" not in geophone(*given).stdout
    assert "Already in the store" not in geophone(*given, "--approvals", approvals).stdout
    assert "Already in the store" in geophone(*given, "--approvals", approvals).stdout


def test_the_visitors_book_says_what_the_gateway_s_log_says(geophone: Geophone, tmp_path: Path) -> None:
    origin = next(one for one in HOURS.truth["remote_session"] if one["client"].startswith("203.0.113."))
    login = {"at": origin["first"].strftime("%Y-%m-%dT%H:%M:%SZ"), "source": origin["client"]} | {
        "second_factor": True,
        "user": "j",
    }
    _, gateway = imported(tmp_path, login)
    outcome = geophone("access", HOURS.capture, "--policy", HOURS.policy, "--gateway-log", gateway, "--json")
    book = json.loads(outcome.stdout)
    known = [one["second_factor"] for one in book if one["origin"] == origin["client"]]
    # The log has one login, so one tunnel's visits are evidenced and no other's.
    assert known[0] == "evidenced"
    assert {one["second_factor"] for one in book} == {"evidenced", ""}
