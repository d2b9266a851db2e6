"""The command line's captures: standard input, folders, files that grow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.geophone.conftest import Geophone
from tests.sensors.talks import talk, write_pcap
from tests.support.pcap_bytes import START_S


def piped(capture: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    """`cat CAPTURE | geophone …`"""
    with subprocess.Popen(["cat", str(capture)], stdout=subprocess.PIPE) as cat:
        return subprocess.run(
            [sys.executable, "-m", "geophone", *args],
            stdin=cat.stdout,
            capture_output=True,
            check=False,
            timeout=60,
        )


def test_standard_input_decodes_as_the_file_does(quiet_capture: Path, geophone: Geophone) -> None:
    from_pipe = piped(quiet_capture, "decode", "-", "--table", "modbus")
    from_file = geophone("decode", quiet_capture, "--table", "modbus")
    assert from_pipe.returncode == 0
    assert from_pipe.stdout.decode() == from_file.stdout != ""


def test_standard_input_replays_to_the_same_findings(
    intruder_capture: Path, policy: Path, tmp_path: Path, geophone: Geophone
) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    done = piped(intruder_capture, "replay", "-", "--policy", str(policy), "--findings", str(one))
    assert done.returncode == 1, done.stderr
    geophone("replay", intruder_capture, "--policy", policy, "--findings", two)
    assert one.read_bytes() == two.read_bytes() != b""


def test_standard_input_without_a_capture_is_refused(policy: Path) -> None:
    nothing = piped(Path("/dev/null"), "replay", "-", "--policy", str(policy))
    assert (nothing.returncode, nothing.stderr.decode()) == (
        2,
        "-: standard input is empty; pipe a capture to it\n",
    )
    noise = piped(policy, "stats", "-")
    assert noise.returncode == 2
    assert noise.stderr.decode().startswith("-: byte 0: not a capture")


def test_a_folder_replays_as_one_capture(
    intruder_capture: Path, policy: Path, tmp_path: Path, geophone: Geophone
) -> None:
    folder = tmp_path / "captures"
    folder.mkdir()
    whole = intruder_capture.read_bytes()
    record = 16 + 60
    # Cut in the middle of the handshake: the write in the second file belongs to the flow of the first.
    (folder / "1.pcap").write_bytes(whole[: 24 + 2 * record])
    (folder / "2.pcap").write_bytes(whole[:24] + whole[24 + 2 * record :])
    found = [geophone("decode", path, "--table", "modbus").stdout for path in (folder, intruder_capture)]
    assert found[0] == found[1] != ""
    replayed = geophone("replay", folder, "--policy", policy)
    assert replayed.returncode == 1
    assert "captures" in replayed.stdout


def test_following_without_a_file_is_refused(geophone: Geophone) -> None:
    refused = geophone("decode", "-", "--follow", "--table", "modbus")
    assert refused.returncode == 2
    assert refused.stderr.startswith("--follow goes without -")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_following_writes_rows_as_they_come_and_ends_in_order(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "captures"
    folder.mkdir()
    write_pcap(folder / "1.pcap", talk(3))
    out = tmp_path / "rows.jsonl"
    command = [sys.executable, "-m", "geophone", "decode", str(folder), "--follow", "--table", "modbus"]
    with out.open("wb") as rows, subprocess.Popen(command, stdout=rows, stderr=subprocess.PIPE) as running:
        assert wait_for_lines(out, 3) == [0, 1, 2]
        write_pcap(folder / "2.pcap", talk(2, sport=50_000), start_s=START_S + 60)
        assert wait_for_lines(out, 5) == [0, 1, 2, 0, 1]
        os.kill(running.pid, number)
        assert running.wait(timeout=120) == 0
        assert running.stderr is not None
        assert running.stderr.read() == b""


def wait_for_lines(file: Path, count: int) -> list[int]:
    """The transaction ids in the file, once there are so many."""
    deadline = time.monotonic() + 120
    while (lines := file.read_text().splitlines()) == [] or len(lines) < count:
        assert time.monotonic() < deadline, lines
        time.sleep(0.05)
    return [json.loads(line)["transaction_id"] for line in lines]
