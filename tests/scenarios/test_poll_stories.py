"""Outages and flapping of the samples: the same in any cut, with SPAN copies, and on an interface that goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analyzers.conversations import Conversations
from analyzers.findings import Finding, canonical_line
from analyzers.polls.watch import Polls
from geophone.runner import replay
from pcaps import sample
from pcaps.lab.scenarios import SCENARIOS
from pcaps.lab.synth.pcapng import Interface, encode
from policy.loader import load
from policy.zoning import CompiledSite, compile_site
from sensors.capture import Capture, open_capture
from sensors.engine import decode
from tests.scenarios.pipeline import outcome

STORIES = ("link-cut", "modbus-diagnostics", "poll-flapping")
MICROSECOND = 1_000


def told(name: str) -> list[Finding]:
    return [
        one for one in outcome(name).result.findings if one.kind.startswith("SLA-") and one.kind < "SLA-03"
    ]


def site_of(name: str) -> CompiledSite:
    return compile_site(load(sample(name).policy).site)


def fed(capture: Capture, site: CompiledSite, policy_sha256: str, max_packets: int) -> list[Finding]:
    conversations, polls = Conversations(site), Polls(site, policy_sha256, "1")
    with decode(capture, max_packets=max_packets) as run:
        for batches in run:
            polls.feed(conversations.enrich(batches), batches.get("coverage"))
    return polls.finish(capture.sha256)


@pytest.mark.parametrize("name", STORIES)
def test_findings_are_the_same_bytes_however_the_capture_is_cut(name: str) -> None:
    capture, policy = open_capture(sample(name).capture), load(sample(name).policy)
    site = compile_site(policy.site)
    lines = [
        b"".join(map(canonical_line, fed(capture, site, policy.sha256, cut))) for cut in (65_536, 100, 7)
    ]
    assert lines[0]
    assert lines[1:] == lines[:1] * 2


@pytest.mark.parametrize("name", STORIES)
def test_span_copies_change_nothing_but_the_frames_numbers(name: str, tmp_path: Path) -> None:
    scenario = next(one for one in SCENARIOS if one.name == name)
    frames = [
        copy
        for frame in scenario.make(scenario.seed).frames
        for copy in (frame, replace(frame, ts_ns=frame.ts_ns + 3 * MICROSECOND))
    ]
    file = tmp_path / "copies.pcapng"
    file.write_bytes(encode(frames, [Interface("span", "everything twice")], comment="copies"))
    doubled = replay(open_capture(file), load(sample(name).policy)).findings
    copies = [one for one in doubled if one.kind.startswith("SLA-") and one.kind < "SLA-03"]
    same = ("id", "kind", "title", "why", "severity", "confidence", "count", "first_ns", "last_ns")
    assert [one.model_dump(include=set(same)) for one in copies] == [
        one.model_dump(include=set(same)) for one in told(name)
    ]


@pytest.mark.parametrize("name", STORIES)
def test_an_interface_tells_each_once_and_under_the_same_id(name: str) -> None:
    policy, site = load(sample(name).policy), site_of(name)
    conversations, polls = Conversations(site), Polls(site, policy.sha256, "1")
    found: list[Finding] = []
    with decode(open_capture(sample(name).capture), max_packets=50) as run:
        for batches in run:
            polls.feed(conversations.enrich(batches), batches.get("coverage"))
            found += polls.so_far("c" * 64)
    found += polls.so_far("c" * 64, ended=True)
    assert [one.id for one in found] == [one.id for one in told(name)]


def test_a_policys_poll_is_declared_to_its_finding() -> None:
    (finding,) = told("link-cut")
    assert "(declared, jitter" in finding.why and "(learned, jitter" in finding.why
