"""A policy that is edited while a session listens: what it found names the version that judged it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from geophone.live.session import Listened, Session
from policy.loader import load
from sensors.capture import open_capture
from sensors.engine import decode
from store.answers import AlertFilter
from store.client import Store, open_store
from store.queries.alerts import get_alert, list_alerts
from store.queries.replays import list_replays, policy_text
from tests.geophone.conftest import POLICY, Geophone

_BEGUN_NS = 1_795_435_200_000_000_000
SUPPRESSED = POLICY + (
    "suppressions:\n- {id: s1, what: [SEG-02], scope: {zones: [office]}, reason: r, owner: ana, expires: 2099-01-01}\n"
)


def listen(store: Store, policy: Path, capture: Path, begun_ns: int, edited: str | None = None) -> set[str]:
    """A session over what a capture brings; the policy file is edited before the first packet. Its policies' hashes."""
    with Session(Listened("eth0", begun_ns), load(policy), store) as session:
        if edited is not None:
            policy.write_text(edited)
        with decode(open_capture(capture)) as run:
            for batches in run:
                session.feed(batches, 1)
    return {finding.policy_sha256 for finding in session.findings}


def test_findings_name_the_policy_that_judged_them(
    policy: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    first = load(policy).sha256
    with open_store(tmp_path / "store") as store:
        # edited while the session goes on: it goes on under the policy that it began with
        assert listen(store, policy, intruder_capture, _BEGUN_NS, SUPPRESSED) == {first}
        second = load(policy).sha256
        assert second != first
        assert listen(store, policy, intruder_capture, _BEGUN_NS + 1) == {second}
        # each finding stays explainable by the text that judged it
        assert policy_text(store, first) == POLICY
        assert policy_text(store, second) == SUPPRESSED
        jumped = [a for a in list_alerts(store, AlertFilter(suppressed=True)).alerts if a.kind == "SEG-02"]
        details = [detail for alert in jumped if (detail := get_alert(store, alert.id))]
        states = {detail.finding.policy_sha256: detail.alert.state for detail in details}
        assert states == {first: "new", second: "suppressed"}


def test_a_session_says_which_imported_files_it_is_held_against(
    policy: Path, quiet_capture: Path, tmp_path: Path
) -> None:
    imported = tmp_path / "vpn.jsonl"
    imported.write_text(
        '{"at":"2026-01-01T00:00:00Z","second_factor":true,"source":"10.40.0.7","user":"ana"}\n'
    )
    with open_store(tmp_path / "store") as store:
        session = Session(Listened("eth0", _BEGUN_NS), load(policy, None, imported), store)
        with session, decode(open_capture(quiet_capture)) as run:
            for batches in run:
                session.feed(batches, 1)
        (kept,) = list_replays(store).replays
    assert [(file.role, file.name) for file in kept.inputs] == [("gateway_log", "vpn.jsonl")]
    assert kept.inputs[0].sha256 == hashlib.sha256(imported.read_bytes()).hexdigest()


def test_run_reads_the_imported_files_that_it_is_given(
    geophone: Geophone, policy: Path, tmp_path: Path
) -> None:
    given = ("--approvals", tmp_path / "nowhere.jsonl", "--store", tmp_path / "store")
    refused = geophone("run", "-i", "lo", "--policy", policy, *given)
    assert refused.returncode == 2
    assert "nowhere.jsonl: cannot be read: No such file or directory" in refused.stderr
