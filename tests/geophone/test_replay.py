"""Replay as a user runs it: exit codes, findings files, stores."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from geophone.runner import replay
from pcaps import sample
from policy.loader import load
from sensors.capture import CaptureUnreadable, open_capture
from store.client import open_store
from store.queries.replays import list_replays
from tests.geophone.conftest import Geophone
from tests.support import pcap_bytes


def test_clean_capture_exits_with_0(geophone: Geophone, policy: Path, quiet_capture: Path) -> None:
    outcome = geophone("replay", quiet_capture, "--policy", policy)
    assert outcome.returncode == 0, outcome
    assert "No findings." in outcome.stdout
    assert "9 packets, 1 flow," in outcome.stdout
    assert "modbus 1 flow (1 answered)" in outcome.stdout


def test_findings_exit_with_1(geophone: Geophone, policy: Path, intruder_capture: Path) -> None:
    outcome = geophone("replay", intruder_capture, "--policy", policy)
    assert outcome.returncode == 1, outcome
    assert "10.40.0.7 → 10.20.0.11:502" in outcome.stdout


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("info", 1), ("high", 1)])
def test_fail_on_draws_the_line(
    geophone: Geophone, policy: Path, intruder_capture: Path, fail_on: str, code: int
) -> None:
    assert geophone("replay", intruder_capture, "--policy", policy, "--fail-on", fail_on).returncode == code


def test_findings_are_the_same_bytes_on_one_thread_and_on_two(
    geophone: Geophone, policy: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    files = []
    for number, threads in enumerate(("1", "2", "2")):
        files.append(tmp_path / f"{number}.jsonl")
        geophone(
            "replay", intruder_capture, "--policy", policy, "--threads", threads, "--findings", files[-1]
        )
    first, *others = (file.read_bytes() for file in files)
    assert first
    assert all(other == first for other in others)


def test_findings_name_capture_frames_and_policy(
    geophone: Geophone, policy: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    target = tmp_path / "findings.jsonl"
    geophone("replay", intruder_capture, "--policy", policy, "--findings", target)
    lines = target.read_bytes().splitlines()
    assert lines
    for line in lines:
        finding = json.loads(line)
        assert (
            finding["evidence"]["capture_sha256"] == hashlib.sha256(intruder_capture.read_bytes()).hexdigest()
        )
        assert finding["policy_sha256"] == hashlib.sha256(policy.read_bytes()).hexdigest()
        assert all(1 <= operation["frame"] <= 9 for operation in finding["evidence"]["operations"])
        canonical = json.dumps(finding, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert canonical.encode() == line


def test_second_replay_into_a_store_adds_nothing_and_says_so(
    geophone: Geophone, policy: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    first = geophone("replay", intruder_capture, "--policy", policy, "--store", folder)
    second = geophone("replay", intruder_capture, "--policy", policy, "--store", folder)
    assert (first.returncode, second.returncode) == (1, 1), (first, second)
    assert "Already in the store" not in first.stdout
    assert "Already in the store" in second.stdout


def test_another_protocol_behind_an_allowed_port_is_found(geophone: Geophone, tmp_path: Path) -> None:
    capture, findings = tmp_path / "tunnel.pcap", tmp_path / "findings.jsonl"
    frames = pcap_bytes.tcp_exchange(
        "10.25.0.21",
        "10.20.0.11",
        b"GET / HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        sport=40000,
        dport=502,
    )
    capture.write_bytes(pcap_bytes.pcap(frames))
    outcome = geophone("replay", capture, "--policy", sample("normal-shift").policy, "--findings", findings)
    assert outcome.returncode == 1, outcome
    found = {one["kind"]: one for one in map(json.loads, findings.read_text().splitlines())}
    # What is on Modbus's port is not Modbus; and made-up MAC addresses are none of the conduit's access point.
    assert set(found) == {"M11", "SEG-04", "SEG-08"}
    service = found["SEG-04"]
    assert (service["service"], service["confidence"], service["conduit"]) == ("http", "high", "c-room-plant")


def test_the_summary_says_whose_it_is(geophone: Geophone) -> None:
    bad = sample("degraded-link")
    shown = geophone("replay", bad.capture, "--policy", bad.policy).stdout
    assert "c-room-plant: round trips: packets wait on the way" in shown
    assert "c-room-plant: loss between the tap and Concentrator: 31 of 31 segments" in shown


def test_several_captures_share_one_findings_file(
    geophone: Geophone, policy: Path, quiet_capture: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    alone, both = tmp_path / "alone.jsonl", tmp_path / "both.jsonl"
    geophone("replay", intruder_capture, "--policy", policy, "--findings", alone)
    outcome = geophone(
        "replay", quiet_capture, intruder_capture, intruder_capture, "--policy", policy, "--findings", both
    )
    assert outcome.returncode == 1, outcome
    assert alone.read_bytes() == both.read_bytes()


def test_a_reader_that_left_is_not_taken_for_findings(policy: Path, quiet_capture: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "geophone", "replay", quiet_capture, "--policy", policy],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        errors = running.stderr.read()
        assert running.wait(timeout=60) == 141, errors
    assert "Traceback" not in errors


def test_an_interrupt_is_not_taken_for_findings(tmp_path: Path) -> None:
    slow = tmp_path / "slow.yaml"
    os.mkfifo(slow)
    with subprocess.Popen(
        [sys.executable, "-m", "geophone", "policy", "check", slow],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        # Opens when the command has opened its end: from then on it waits for a policy that never comes.
        with slow.open("wb"):
            running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=60)
        assert running.returncode == 130, errors
    assert "Traceback" not in errors


def test_findings_go_into_a_pipe_without_replacing_it(
    geophone: Geophone, policy: Path, quiet_capture: Path, tmp_path: Path
) -> None:
    pipe = tmp_path / "findings.pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        outcome = geophone("replay", quiet_capture, "--policy", policy, "--findings", pipe)
    finally:
        os.close(reader)
    assert outcome.returncode == 0, outcome
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_capture_that_grows_while_it_is_replayed_is_not_stored(
    policy: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    growing = open_capture(intruder_capture)
    with intruder_capture.open("ab") as more:
        more.write(intruder_capture.read_bytes()[24:])
    with open_store(tmp_path / "store") as store:
        with pytest.raises(CaptureUnreadable, match="changed while it was being read"):
            replay(growing, load(policy), store=store)
        (kept,) = list_replays(store).replays
        assert (kept.state, kept.packets) == ("failed", 0)
        assert "changed while it was being read" in kept.reason
