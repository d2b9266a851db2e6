"""A capture that was cut short keeps what it had: findings before the cut are the findings of the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzers.findings import Finding
from geophone.runner import replay
from pcaps import sample
from policy.loader import load
from sensors.capture import CaptureUnreadable, open_capture
from tests.scenarios.pipeline import learned, outcome, structure

ONE = sample("unauthorised-write")
WHOLE = ONE.capture.read_bytes()


def findings_of(data: bytes, folder: Path) -> list[Finding]:
    file = folder / "cut.pcapng"
    file.write_bytes(data)
    return list(replay(open_capture(file), load(ONE.policy), baseline=learned(ONE.baseline)).findings)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7, 0.9, 0.999])
def test_a_cut_capture_finds_what_happened_before_the_cut(share: float, tmp_path: Path) -> None:
    cut = findings_of(WHOLE[: int(len(WHOLE) * share)], tmp_path)
    whole = {structure(finding)[:5] for finding in outcome(ONE.name).result.findings}
    assert {structure(finding)[:5] for finding in cut} <= whole


def test_a_cut_after_the_last_write_finds_everything(tmp_path: Path) -> None:
    cut = findings_of(WHOLE[: int(len(WHOLE) * 0.999)], tmp_path)
    assert sorted(map(structure, cut)) == sorted(map(structure, outcome(ONE.name).result.findings))


def test_a_cut_before_the_intruder_finds_nothing(tmp_path: Path) -> None:
    assert findings_of(WHOLE[: int(len(WHOLE) * 0.2)], tmp_path) == []


def test_headers_without_packets_find_nothing(tmp_path: Path) -> None:
    section = int.from_bytes(WHOLE[4:8], "little")
    interface = int.from_bytes(WHOLE[section + 4 : section + 8], "little")
    assert findings_of(WHOLE[: section + interface], tmp_path) == []


@pytest.mark.parametrize("length", [0, 1, 11])
def test_a_capture_without_its_header_is_refused_with_its_name(length: int, tmp_path: Path) -> None:
    with pytest.raises(CaptureUnreadable, match=r"cut\.pcapng"):
        findings_of(WHOLE[:length], tmp_path)


@pytest.mark.parametrize("position", range(0, len(WHOLE), 997))
def test_a_flipped_byte_never_stops_the_replay(position: int, tmp_path: Path) -> None:
    damaged = bytearray(WHOLE)
    damaged[position] ^= 0xFF
    try:
        findings_of(bytes(damaged), tmp_path)
    except CaptureUnreadable as refused:
        # Only the file's own structure may make it unreadable, and then it is said.
        assert "cut.pcapng" in str(refused)
