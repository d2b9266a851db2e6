"""Rules and indicators over what a store holds: what is found, what is written when asked, and what stays."""

from __future__ import annotations

import hashlib
import shlex
import shutil
from pathlib import Path

import pytest

from geophone.given import load_given
from geophone.hunting import hunt
from geophone.runner import canonical_bytes, replay
from pcaps import sample
from policy.loader import load
from sensors.capture import open_capture
from store.answers import AlertFilter
from store.client import open_store
from store.queries.alerts import get_alert, list_alerts
from store.queries.replays import active_policies, findings, list_replays
from tests.geophone.conftest import Geophone
from tests.geophone.test_given import INDICATORS, RULE
from tests.support.web import client_of


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder with a feed and a folder of rules."""
    folder = tmp_path / "given"
    (folder / "rules").mkdir(parents=True)
    (folder / "feed.csv").write_text(INDICATORS)
    (folder / "rules/office-write.yml").write_text(RULE)
    return folder


@pytest.fixture
def kept(policy: Path, intruder_capture: Path, tmp_path: Path) -> Path:
    """A store that holds the intruder's capture, replayed before anybody gave rules or indicators."""
    with open_store(tmp_path / "kept") as store:
        replay(open_capture(intruder_capture), load(policy), store=store)
    return tmp_path / "kept"


def test_indicators_find_in_history_what_they_would_have_found_at_ingest(
    geophone: Geophone, policy: Path, intruder_capture: Path, kept: Path, given: Path, tmp_path: Path
) -> None:
    later = tmp_path / "later.jsonl"
    outcome = geophone(
        "indicators", "run", "--store", kept, "--indicators", given / "feed.csv", "--findings", later
    )
    assert outcome.returncode == 1, outcome
    assert "critical TI-01 contact with an address of a threat indicator: 10.40.0.7" in outcome.stdout
    at_ingest = replay(
        open_capture(intruder_capture), load(policy), given=load_given(None, [given / "feed.csv"])
    ).findings
    # The conversation lies within a minute: every byte is the same.
    assert later.read_bytes() == canonical_bytes([one for one in at_ingest if one.kind == "TI-01"])
    with open_store(kept) as store:
        assert store.one("SELECT count() AS n FROM findings WHERE kind = 'TI-01'") == 0
    (given / "feed.csv").write_text(INDICATORS.replace("10.40.0.7", "10.40.0.8"))
    assert geophone("indicators", "run", "--store", kept, "--indicators", given / "feed.csv").returncode == 0


def test_names_in_history_are_found_whatever_the_conversation_was(tmp_path: Path) -> None:
    name = "beacon"
    one = sample(name)
    loaded, feed = load(one.policy), tmp_path / "feed.csv"
    feed.write_text("type,value\nnetwork,0.0.0.0/0\n")
    at_ingest = replay(open_capture(one.capture), loaded, given=load_given(None, [feed])).findings
    with open_store(tmp_path / "kept") as store:
        replay(open_capture(one.capture), loaded, store=store)
    later = hunt(str(tmp_path / "kept"), None, indicators=[feed], replay_id="", findings_file=None)
    ids = {found.id for found in at_ingest if found.kind == "TI-02"}
    assert later
    # Of a conversation that goes on for hours the store keeps when it began.
    assert {found.id for found in later} <= ids
    talks = {(found.src_ip, found.dst_ip, found.dst_port) for found in at_ingest if found.kind == "TI-02"}
    assert {(found.src_ip, found.dst_ip, found.dst_port) for found in later} == talks


def test_what_is_raised_is_an_alert_and_leaves_the_replay_as_it_was(kept: Path, given: Path) -> None:
    with open_store(kept) as store:
        (before,) = list_replays(store).replays
        known = {alert.id for alert in list_alerts(store, AlertFilter()).alerts}
    found = hunt(str(kept), given / "rules", replay_id="", findings_file=None, raised=True)
    assert [one.kind for one in found] == ["rule:office-write"]
    with open_store(kept) as store:
        replays = {one.id: one for one in list_replays(store).replays}
        assert replays.pop(before.id) == before
        assert (
            hashlib.sha256(canonical_bytes(findings(store, before.id))).hexdigest() == before.findings_sha256
        )
        (record,) = replays.values()
        assert (record.capture_name, record.findings) == ("intruder.pcap, as stored", 1)
        assert [(file.role, file.name) for file in record.inputs] == [
            ("replay", before.id),
            ("rules", "rules"),
            ("rule", "office-write.yml"),
        ]
        new = {alert.id for alert in list_alerts(store, AlertFilter()).alerts} - known
        assert new == {found[0].id}
        detail = get_alert(store, found[0].id)
        assert detail is not None
        assert detail.finding == found[0]
        assert len(active_policies(store)) == 1
        counted = "SELECT count() AS n FROM findings"
        rows = store.one(counted)
    # Again: nothing is written, nor is it looked at as if it were a capture.
    assert hunt(str(kept), given / "rules", replay_id="", findings_file=None, raised=True) == found
    with open_store(kept) as store:
        assert store.one(counted) == rows
        assert len(list_replays(store).replays) == 2


def test_a_raised_record_shows_the_command_that_finds_the_same(
    geophone: Geophone, kept: Path, given: Path
) -> None:
    hunt(str(kept), None, indicators=[given / "feed.csv"], replay_id="", findings_file=None, raised=True)
    with open_store(kept) as store, client_of(store) as client:
        record = client.get("/api/v1/replays").json()["replays"][0]
        page = client.get(f"/audit/{record['id']}").text
    assert "as replayed" in page
    assert record["command"] in page.replace("&#39;", "'")
    # As an auditor gets them: the store and the feed, side by side.
    shutil.move(kept, given / "STORE")
    words = shlex.split(record["command"])
    assert words[:3] == ["geophone", "indicators", "run"]
    named = {word: given / word for word in ("STORE", "feed.csv", "findings.jsonl")}
    again = geophone(*[named.get(word, word) for word in words[1:]])
    assert again.returncode == 1, again
    content = (given / "findings.jsonl").read_bytes()
    assert hashlib.sha256(content).hexdigest() == record["findings_sha256"]
