"""`geophone policy` as a network engineer asks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pcaps import sample
from tests.geophone.conftest import Geophone

MINE_A = sample("normal-shift").policy


def test_a_sound_policy_is_counted_and_what_is_not_judged_is_said(geophone: Geophone) -> None:
    outcome = geophone("policy", "check", MINE_A, "--strict")
    assert outcome.returncode == 0, outcome
    assert "mine-a" in outcome.stdout
    assert "No errors, no remarks." in outcome.stdout
    assert "polls" not in outcome.stdout
    assert "services" not in outcome.stdout


def test_a_remark_has_its_line_and_fails_only_when_strict(geophone: Geophone, tmp_path: Path) -> None:
    file = tmp_path / "bare.yaml"
    text = """\
schema: 1
site: {id: small, name: "Small", tz: UTC}
zones:
- {id: control, purdue: 2, cidrs: [10.20.0.0/24]}
conduits: []
"""
    file.write_text(text)
    relaxed, strict = geophone("policy", "check", file), geophone("policy", "check", file, "--strict")
    assert (relaxed.returncode, strict.returncode) == (0, 1)
    assert "bare.yaml:4 zones[0]: no sensor sees zone control" in relaxed.stdout


@pytest.mark.parametrize(
    ("question", "code", "words"),
    [
        (("hmi1", "plc1", "modbus"), 0, ("allowed", "r-hmi-read", "reads addresses 0–199; writes nothing")),
        (("scada1", "ua1", "opcua"), 0, ("allowed", "by r-opc: services read; writes nothing")),
        (("edge1", "mq1", "mqtt"), 0, ("by r-vibration: clients edge1; publishes mine-a/plant/#",)),
        (("edge1", "dns1", "ntp"), 0, ("by r-plant-time: anything",)),
        (("10.25.0.21", "10.20.0.11", "modbus"), 0, ("allowed", "r-hmi-read")),
        (("ent-ws7", "plc1", "modbus"), 1, ("not allowed", "SEG-02")),
        (("jump1", "plc3", "modbus"), 1, ("not allowed",)),
        (("hmi1", "plc1", "http"), 1, ("not allowed", "SEG-04")),
        (("hmi1", "nobody", "modbus"), 2, ("nobody",)),
        (("hmi1", "plc1", "carrier-pigeon"), 2, ("carrier-pigeon",)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_explains_who_may_talk(
    geophone: Geophone, question: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    outcome = geophone("policy", "explain", MINE_A, *question)
    assert outcome.returncode == code, outcome
    for word in words:
        assert word in outcome.stdout + outcome.stderr


def test_a_policy_is_drafted_from_a_capture_and_loads(geophone: Geophone, tmp_path: Path) -> None:
    capture, draft = sample("split-write").capture, tmp_path / "draft.yaml"
    outcome = geophone("policy", "learn", capture, "--site", "pump-b", "-o", draft)
    assert outcome.returncode == 0, outcome
    assert "Drafted: " in outcome.stderr
    checked = geophone("policy", "check", draft)
    assert checked.returncode == 0, checked
    assert "site pump-b" in checked.stdout


def test_learn_drafts_from_one_source(
    geophone: Geophone, policy: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    kept, learned = tmp_path / "kept", tmp_path / "small.baseline"
    assert geophone("replay", intruder_capture, "--policy", policy, "--store", kept).returncode == 1
    from_store = geophone("policy", "learn", "--store", kept)
    assert from_store.returncode == 0, from_store
    from_capture = geophone("policy", "learn", intruder_capture, "--site", "small")
    assert from_store.stdout == from_capture.stdout
    assert "id: small" in from_store.stdout
    # The policy forbids what the office does, so the baseline does not know it.
    geophone("baseline", "learn", intruder_capture, "--policy", policy, "-o", learned, "--min-count", "1")
    from_baseline = geophone("policy", "learn", "--baseline", learned)
    assert (from_baseline.returncode, from_baseline.stdout) == (2, "")
    assert "there is nothing to draft" in from_baseline.stderr
    for sources in ((), (intruder_capture, "--store", kept), ("--store", kept, "--baseline", learned)):
        refused = geophone("policy", "learn", *sources)
        assert refused.returncode == 2
        assert "one of the three" in refused.stderr


def test_explain_says_which_operations_a_rule_names(geophone: Geophone, policy: Path) -> None:
    rule = "{id: r1, service: s7comm, operations: [read, 'start (*)']}"
    policy.write_text(
        policy.read_text().replace(
            "conduits: []", f"conduits:\n- {{id: c1, from: office, to: control, allow: [{rule}]}}"
        )
    )
    answer = geophone("policy", "explain", policy, "10.40.0.7", "10.20.0.11", "s7comm")
    assert "by r1: operations read, start (*)" in answer.stdout
