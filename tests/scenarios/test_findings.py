"""What was planted is found, nothing else is, and a second run finds the same bytes."""

from __future__ import annotations

import pytest

from geophone.runner import canonical_bytes
from pcaps import sample, samples
from tests.scenarios.pipeline import outcome, replayed, structure

SAMPLES = samples()
PLANTED = [one for one in SAMPLES if one.expected]
NAMES = [one.name for one in SAMPLES]


@pytest.mark.parametrize("name", NAMES)
def test_finds_what_was_planted_and_nothing_else(name: str) -> None:
    found = sorted(structure(finding) for finding in outcome(name).result.findings)
    planted = sorted(
        (one.kind, one.src_ip, one.dst_ip, one.dst_port, one.conduit, one.service, one.severity)
        for one in sample(name).expected
    )
    assert found == planted


@pytest.mark.parametrize("name", [one.name for one in PLANTED])
def test_counts_how_often_it_happened(name: str) -> None:
    counts = {structure(finding): finding.count for finding in outcome(name).result.findings}
    for one in sample(name).expected:
        subject = (one.kind, one.src_ip, one.dst_ip, one.dst_port, one.conduit, one.service, one.severity)
        if one.count_is == "exactly":
            assert counts[subject] == one.count, one
        else:
            assert counts[subject] >= one.count, one


@pytest.mark.parametrize("name", [one.name for one in PLANTED])
def test_evidence_points_at_frames_of_the_conversation(name: str) -> None:
    one = sample(name)
    for finding in outcome(name).result.findings:
        assert finding.evidence.capture_sha256 == one.sha256
        assert finding.evidence.operations
        assert all(1 <= operation.frame <= one.frames for operation in finding.evidence.operations)


@pytest.mark.parametrize("name", NAMES)
def test_a_second_run_finds_the_same_bytes(name: str) -> None:
    # Another run, whose decoding goes ahead on a thread of its own: neither may show.
    first = canonical_bytes(outcome(name).result.findings)
    assert canonical_bytes(replayed(name, threads=2).findings) == first
