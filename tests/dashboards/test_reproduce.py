"""The command that the audit page shows, typed where the files lie: the same findings file, byte for byte."""

from __future__ import annotations

import hashlib
import html
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analyzers.baseline.file import save
from geophone.baselining import learn
from geophone.replaying import replay_all
from policy.loader import load
from sensors.capture import open_capture
from store.baselines import keep_baseline
from store.client import open_store
from tests.support import pcap_bytes
from tests.support.web import Client, client_of

POLICY = """\
schema: 1
site: {id: small, name: "Small site", tz: UTC}
zones:
- {id: control, purdue: 2, cidrs: [10.20.0.0/24]}
- {id: office, purdue: 4, cidrs: [10.40.0.0/24]}
assets:
- {id: vpn, zone: office, ip: 10.40.0.7, role: vpn}
- {id: plc, zone: control, ip: 10.20.0.11, role: plc}
conduits: []
remote_access:
- {id: ra-acme, vendor: acme, sources: [10.40.0.7/32], gateway: vpn, targets: [plc], service: [modbus],
   mfa_evidence: gateway_log, approval: required}
suppressions:
- {id: s1, what: ["rule:a-write"], scope: {zones: [control]}, reason: a test, owner: ot, expires: 2099-01-01}
"""
RULE = """\
title: a write
name: a-write
logsource: {product: geophone, service: modbus}
detection:
  write: {function: [6, 16]}
  condition: write
level: low
"""
FEED = (
    "type,value,name,source,valid_from,valid_until,confidence\naddress,10.40.0.7,laptop,Example CERT,,,90\n"
)
APPROVAL = (
    '{"approver":"ops","end":"2026-01-02T00:00:00Z","ref":"T-1","rule":"ra-acme",'
    '"start":"2026-01-01T00:00:00Z"}\n'
)
LOGIN = '{"at":"2026-01-01T00:00:00Z","second_factor":true,"source":"10.40.0.7","user":"ana"}\n'


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A capture, and everything that it can be judged by, in folders of their own; two feeds have one name."""
    for folder in ("wires", "papers/rules/night", "papers/cert", "papers/own"):
        (tmp_path / folder).mkdir(parents=True)
    frames = pcap_bytes.modbus_exchange(
        "10.40.0.7", "10.20.0.11", pcap_bytes.WRITE_REQUEST, pcap_bytes.WRITE_RESPONSE
    )
    (tmp_path / "wires/a day.pcap").write_bytes(pcap_bytes.pcap(frames))
    papers = tmp_path / "papers"
    (papers / "site.yaml").write_text(POLICY)
    (papers / "rules/night/a-write.yml").write_text(RULE)
    (papers / "cert/feed.csv").write_text(FEED)
    (papers / "own/feed.csv").write_text(FEED.replace("10.40.0.7,laptop", "10.20.0.11,controller"))
    (papers / "approvals.jsonl").write_text(APPROVAL)
    (papers / "vpn.jsonl").write_text(LOGIN)
    capture = open_capture(tmp_path / "wires/a day.pcap")
    save(learn([capture], load(papers / "site.yaml"), min_count=1), papers / "site.baseline")
    return tmp_path


def _stored(desk: Path, **more: object) -> None:
    given = {
        "store_url": str(desk / "kept"),
        "findings_file": desk / "first.jsonl",
        "threads": 1,
        "limits": None,
        **more,
    }
    replay_all([desk / "wires/a day.pcap"], desk / "papers/site.yaml", **given)  # type: ignore[arg-type]


def _everything(desk: Path) -> dict[str, object]:
    papers = desk / "papers"
    return {
        "baseline_file": papers / "site.baseline",
        "approvals_file": papers / "approvals.jsonl",
        "gateway_file": papers / "vpn.jsonl",
        "rules": papers / "rules",
        "indicators": (papers / "cert/feed.csv", papers / "own/feed.csv"),
    }


def _shown(client: Client) -> tuple[dict[str, object], str]:
    replay = client.get("/api/v1/replays").json()["replays"][0]
    page = client.get(f"/audit/{replay['id']}").text
    found = re.search(r'<p class="command"><code>(.*?)</code>', page)
    assert found
    return replay, html.unescape(found[1])


def _typed(command: str, folder: Path) -> bytes:
    words = shlex.split(command)
    assert words[0] == "geophone"
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stderr
    return (folder / "findings.jsonl").read_bytes()


def test_the_command_names_every_file_and_gives_the_same_findings(desk: Path, tmp_path: Path) -> None:
    _stored(desk, **_everything(desk))
    with open_store(desk / "kept") as store, client_of(store) as client:
        replay, command = _shown(client)
    assert replay["command"] == command
    assert command == (
        "geophone replay 'a day.pcap' --policy site.yaml --baseline site.baseline --approvals approvals.jsonl "
        "--gateway-log vpn.jsonl --rules rules --indicators cert/feed.csv --indicators own/feed.csv "
        "--findings findings.jsonl"
    )
    # As an auditor gets them: side by side in one folder.
    audit = tmp_path / "audit"
    shutil.copytree(desk / "papers", audit)
    shutil.copy(desk / "wires/a day.pcap", audit)
    again = _typed(command, audit)
    assert again == (desk / "first.jsonl").read_bytes()
    assert hashlib.sha256(again).hexdigest() == replay["findings_sha256"]
    for kind in (b'"rule:a-write"', b'"TI-01"', b'"evidence_sha256"', b'"suppression"', b'"M1"'):
        assert kind in again, kind
    inputs = {(file["role"], file["name"]): file["sha256"] for file in replay["inputs"]}  # type: ignore[attr-defined]
    for name in ("site.baseline", "approvals.jsonl", "vpn.jsonl", "cert/feed.csv", "own/feed.csv"):
        role = next(role for role, named in inputs if named == name)
        assert inputs[role, name] == hashlib.sha256((audit / name).read_bytes()).hexdigest()
    assert ("rule", "night/a-write.yml") in inputs


def test_a_baseline_of_the_store_is_offered_and_named(desk: Path, tmp_path: Path) -> None:
    loaded = load(desk / "papers/site.yaml")
    baseline = learn([open_capture(desk / "wires/a day.pcap")], loaded, min_count=1)
    with open_store(desk / "kept") as store:
        keep_baseline(store, baseline)
    _stored(desk)
    audit = tmp_path / "audit"
    audit.mkdir()
    with open_store(desk / "kept") as store, client_of(store) as client:
        replay, command = _shown(client)
        assert "--baseline small.baseline" in command
        page = client.get(f"/audit/{replay['id']}").text
        link = re.search(r'href="(/api/v1/baselines/[^"]+)" download="small.baseline"', page)
        assert link
        (audit / "small.baseline").write_bytes(client.get(link[1]).content)
        assert client.get(f"/api/v1/baselines/{'0' * 64}.baseline").status_code == 404
    shutil.copy(desk / "papers/site.yaml", audit)
    shutil.copy(desk / "wires/a day.pcap", audit)
    assert _typed(command, audit) == (desk / "first.jsonl").read_bytes()


def test_a_replay_whose_files_an_older_version_did_not_keep_says_so(desk: Path) -> None:
    _stored(desk, rules=desk / "papers/rules")
    with open_store(desk / "kept") as store:
        store.command("ALTER TABLE replays DROP COLUMN input_roles")
        store.command("ALTER TABLE replays DROP COLUMN input_names")
        store.command("ALTER TABLE replays DROP COLUMN input_sha256s")
        for name in ("input_roles", "input_names", "input_sha256s"):
            store.command(f"ALTER TABLE replays ADD COLUMN {name} Array(String)")
        with client_of(store) as client:
            replay, _ = _shown(client)
            assert replay["inputs_known"] is False
            assert "did not keep their names" in client.get(f"/audit/{replay['id']}").text
