"""`geophone policy diff` as somebody asks it before a change goes live."""

from __future__ import annotations

import json
from pathlib import Path

from tests.geophone.conftest import POLICY, Geophone

ALLOWED = POLICY.replace(
    "conduits: []",
    "conduits:\n- {id: c1, from: office, to: control, allow: [{id: r1, service: modbus, reason: r, owner: o}]}",
)


def test_the_same_meaning_exits_with_0(geophone: Geophone, policy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("# reviewed\n" + POLICY.replace("internet: deny, ", ""))
    outcome = geophone("policy", "diff", policy, other)
    assert (outcome.returncode, outcome.stdout.strip()) == (0, "The policies mean the same.")


def test_tells_what_changed_and_which_verdicts(
    geophone: Geophone, policy: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    after = tmp_path / "after.yaml"
    after.write_text(ALLOWED)
    text = geophone("policy", "diff", policy, after, "--capture", intruder_capture)
    assert text.returncode == 1
    assert "+ conduits c1" in text.stdout
    assert "+ rules r1" in text.stdout
    assert "- high SEG-02" in text.stdout or "- critical SEG-02" in text.stdout
    told = json.loads(
        geophone("policy", "diff", policy, after, "--capture", intruder_capture, "--json").stdout
    )
    assert [(one["section"], one["entry"], one["what"]) for one in told["changes"]] == [
        ("conduits", "c1", "added"),
        ("rules", "r1", "added"),
    ]
    (capture,) = told["captures"]
    assert "SEG-02" in {one["kind"] for one in capture["gone"]}
    assert {"scope": "conduit c1", "before": "not there"}.items() <= capture["statuses"][0].items()


def test_a_suppression_is_a_changed_verdict_and_not_a_gone_finding(
    geophone: Geophone, policy: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    after = tmp_path / "after.yaml"
    after.write_text(
        POLICY + "suppressions:\n- {id: s1, what: [SEG-02], scope: {zones: [office]}, reason: r, owner: o, "
        "expires: 2099-01-01}\n"
    )
    told = json.loads(
        geophone("policy", "diff", policy, after, "--capture", intruder_capture, "--json").stdout
    )
    (capture,) = told["captures"]
    assert capture["gone"] == capture["new"] == []
    assert [one["fields"] for one in capture["changed"]] == [{"suppression": ["(none)", "s1"]}]
