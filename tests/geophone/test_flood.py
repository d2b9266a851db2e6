"""A million packets of a scan around one write: the write and its incident are seen at first sight, everywhere."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from analyzers.findings import Finding
from benchmarks.measure import measure
from store.client import open_store
from store.writer import ReplayWriter
from tests.store.samples import outcome, replay_start
from tests.support import scan_flood
from tests.support.web import client_of

ROOT = Path(__file__).resolve().parents[2]
PACKETS = 1_000_000
#: More than an empty run needs, and far less than a million packets take when each is kept.
MEMORY_MIB = 900


@dataclass(frozen=True, slots=True)
class Flooded:
    """What a replay of the flood printed, found and took."""

    said: str
    findings: tuple[Finding, ...]
    write: Finding
    peak_mib: int


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory) -> Flooded:
    folder = tmp_path_factory.mktemp("flood")
    capture, policy, findings = (folder / name for name in ("scan.pcap", "site.yaml", "f.jsonl"))
    policy.write_text(scan_flood.POLICY)
    scan_flood.write_flood(capture, PACKETS)
    command = [
        sys.executable,
        "-m",
        "geophone",
        "replay",
        capture,
        "--policy",
        policy,
        "--findings",
        findings,
    ]
    # 1: there are findings.
    cost, said = measure([str(word) for word in command], {"COLUMNS": "200"}, folder=ROOT, statuses=(1,))
    capture.unlink()
    found = tuple(Finding.model_validate_json(line) for line in findings.read_bytes().splitlines())
    (write,) = (one for one in found if one.src_ip == scan_flood.WRITER)
    return Flooded(said, found, write, cost.peak_rss_bytes >> 20)


def test_the_flood_is_seen_as_what_it_is_and_the_write_too(flooded: Flooded) -> None:
    assert f"{PACKETS + 9:,} packets" in flooded.said
    assert (flooded.write.kind, flooded.write.dst_ip) == ("SEG-05", scan_flood.CONTROLLER)
    kinds = {one.kind for one in flooded.findings if one.src_ip == scan_flood.SCANNER}
    assert {"G1", "SEG-04"} <= kinds
    assert sum(one.kind == "SEG-04" for one in flooded.findings) == 65


def test_the_text_names_the_write_and_its_incident(flooded: Flooded) -> None:
    findings, _, incidents = flooded.said.partition(" incidents\n")
    assert re.search(r"SEG-05 .*\n.*10\.40\.0\.9 → 10\.20\.0\.11:502", findings)
    assert re.search(r"1 finding: SEG-05\n.*10\.40\.0\.9 → 10\.20\.0\.11:502", incidents)


def test_the_first_page_of_alerts_and_of_incidents_has_the_write(flooded: Flooded, tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        start = replay_start(
            site="small", policy_text=scan_flood.POLICY, policy_sha256=flooded.write.policy_sha256
        )
        ReplayWriter(store, start).finish(flooded.findings, outcome())
        with client_of(store) as client:
            alerts = client.get("/security/alerts").text
            assert f'href="/security/alerts/{flooded.write.id}"' in alerts
            assert re.search(r"\d+ more of SEG-04", alerts)
            assert f'href="/security/incidents/{flooded.write.id}"' in client.get("/security/incidents").text
            flat = client.get("/security/alerts?kind=SEG-04").text
            assert len(re.findall(r'<tr class="alert', flat)) == 50


def test_memory_is_bounded(flooded: Flooded) -> None:
    assert flooded.peak_mib < MEMORY_MIB
