"""Rules and indicators as a user gives them: commands, exit codes, and that a mistake stops nothing else."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from geophone.errors import UsageProblem
from geophone.given import load_given
from geophone.hunting import hunt
from geophone.live.session import Listened, Session
from geophone.runner import canonical_bytes, replay
from policy.loader import load
from sensors.capture import open_capture
from sensors.engine import decode
from store.client import open_store
from tests.geophone.conftest import Geophone

#: The sample captures' intruder: 10.40.0.7 writes a register of 10.20.0.11.
RULE = """\
title: a Modbus write from the office
name: office-write
description: The office reads.
tags: [attack.t0855]
logsource: {product: geophone, service: modbus}
detection:
  write: {function: [6, 16], client_zone: office}
  condition: write
level: critical
"""
INDICATORS = (
    "type,value,name,source,valid_from,valid_until,confidence\naddress,10.40.0.7,laptop,Example CERT,,,90\n"
)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "office-write.yml").write_text(RULE)
    return folder


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    file = tmp_path / "feed.csv"
    file.write_text(INDICATORS)
    return file


def test_replay_finds_what_rules_and_indicators_look_for(
    geophone: Geophone, policy: Path, intruder_capture: Path, rules: Path, feed: Path, tmp_path: Path
) -> None:
    (rules / "broken.yml").write_text(RULE.replace("function", "funktion"))
    options = ("--policy", policy, "--rules", rules, "--indicators", feed, "--findings")
    written = []
    for threads in ("1", "2"):
        target = tmp_path / f"{threads}.jsonl"
        outcome = geophone("replay", intruder_capture, *options, target, "--threads", threads)
        assert outcome.returncode == 1, outcome
        assert "broken.yml:7 detection.write.funktion: modbus has no field 'funktion'" in outcome.stderr
        written.append(target.read_bytes())
    assert written[0] == written[1]
    found = {finding["kind"]: finding for finding in map(json.loads, written[0].splitlines())}
    assert {"rule:office-write", "TI-01", "SEG-02"} <= found.keys()
    rule, indicator = found["rule:office-write"], found["TI-01"]
    assert (rule["severity"], rule["techniques"], rule["count"]) == (5, ["T0855"], 1)
    assert "Example CERT" in indicator["why"]


def test_rules_run_over_a_store_finds_the_same_and_leaves_it_as_it_is(
    geophone: Geophone, policy: Path, intruder_capture: Path, rules: Path, tmp_path: Path
) -> None:
    # A suppression of the policy tags them at ingest and over history alike.
    who = "scope: {zones: [control]}, reason: a test, owner: ot, expires: 2099-01-01"
    entry = f"- {{id: s1, what: ['rule:office-write'], {who}}}\n"
    policy.write_text(policy.read_text() + "suppressions:\n" + entry)
    kept, later, loaded = tmp_path / "kept", tmp_path / "later.jsonl", load(policy)
    with open_store(kept) as store:
        replay(open_capture(intruder_capture), loaded, store=store)
    outcome = geophone("rules", "run", "--store", kept, "--rules", rules, "--findings", later)
    assert outcome.returncode == 1, outcome
    assert "critical rule:office-write a Modbus write from the office: 10.40.0.7" in outcome.stdout
    at_ingest = replay(open_capture(intruder_capture), loaded, given=load_given(rules, ())).findings
    assert later.read_bytes() == canonical_bytes(
        [one for one in at_ingest if one.kind == "rule:office-write"]
    )
    assert b'"suppression"' in later.read_bytes()
    with open_store(kept) as store:
        assert store.one("SELECT count() AS n FROM findings WHERE kind = 'rule:office-write'") == 0
    (rules / "office-write.yml").write_text(RULE.replace("office}", "control}"))
    assert hunt(str(kept), rules, replay_id="", findings_file=None) == []


def test_a_replay_that_is_not_there_is_refused(rules: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="--replay 12: the store has no finished replay of this id"):
        hunt(str(tmp_path / "new"), rules, replay_id="12", findings_file=None)


def test_rules_check_tells_each_mistake(geophone: Geophone, rules: Path) -> None:
    right = geophone("rules", "check", rules)
    assert right.returncode == 0
    assert "rule:office-write, critical, looks at modbus" in right.stdout
    (rules / "broken.yml").write_text(RULE.replace("t0855", "t9855"))
    wrong = geophone("rules", "check", rules)
    assert wrong.returncode == 2
    assert (
        f"{rules}/broken.yml:4 tags[0]: T9855 is not in ATT&CK for ICS; did you mean 'T0855'?" in wrong.stdout
    )


def test_indicators_check_lists_what_is_not_taken(geophone: Geophone, feed: Path) -> None:
    assert geophone("indicators", "check", feed).returncode == 0
    feed.write_text(INDICATORS + "address,10.40.0.300,,,,,\n")
    wrong = geophone("indicators", "check", feed)
    assert wrong.returncode == 2
    assert f"{feed}:3 '10.40.0.300' is not an IPv4 or IPv6 address" in wrong.stdout
    assert "Taken: 1 address. Not taken: 1." in wrong.stdout


@pytest.mark.parametrize(("rules_path", "files"), [("nowhere", ()), (None, ("nowhere.json",))])
def test_what_is_not_there_is_refused(tmp_path: Path, rules_path: str | None, files: tuple[str, ...]) -> None:
    with pytest.raises(UsageProblem, match=r"--(rules|indicators) .*nowhere.*: No such file or directory"):
        load_given(tmp_path / rules_path if rules_path else None, [tmp_path / file for file in files])


def test_without_the_packages_the_repair_is_told(rules: Path, policy: Path, quiet_capture: Path) -> None:
    script = (
        "import sys\nsys.modules['sigma'] = None\nfrom geophone.cli import main\n"
        f"main(['replay', {str(quiet_capture)!r}, '--policy', {str(policy)!r}, '--rules', {str(rules)!r}])"
    )
    outcome = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert outcome.returncode == 2, outcome.stderr
    assert "pip install 'geophone[rules]'" in outcome.stderr


def test_nothing_is_fetched(rules: Path, feed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    given = load_given(rules, [feed])
    assert given is not None
    assert (len(given.rules.rules), len(given.indicators.indicators)) == (1, 1)
    assert not (tmp_path / "home").exists()


def test_a_live_session_finds_the_same_as_a_replay(
    policy: Path, intruder_capture: Path, rules: Path, feed: Path, tmp_path: Path
) -> None:
    given = load_given(rules, [feed])
    loaded = load(policy)
    told: list[str] = []
    with (
        open_store(tmp_path / "kept") as store,
        Session(Listened("eth1", 1), loaded, store, given) as session,
        decode(open_capture(intruder_capture)) as run,
    ):
        for batches in run:
            told += [finding.kind for finding in session.feed(batches, 9)]
        kept = session.findings
    kinds = {"rule:office-write", "TI-01"}
    assert kinds <= set(told)
    replayed = replay(open_capture(intruder_capture), loaded, given=given).findings
    assert {one.id for one in kept if one.kind in kinds} == {one.id for one in replayed if one.kind in kinds}
