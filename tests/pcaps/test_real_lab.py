"""The real recording refuses where it cannot run, cleans up after itself, and its golden file says what it must."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pcaps import sample
from pcaps.lab.__main__ import main
from pcaps.lab.problems import LabError
from pcaps.lab.real.namespaces import ROUTER, built, check, inside, namespace
from pcaps.lab.real.recording import EXPECTED, NAME
from pcaps.lab.real.stations import PLC1

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """There is one real lab on a machine: processes that share the tests out take turns."""
    with (Path(tempfile.gettempdir()) / "geophone-real-lab.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def namespaces() -> set[str]:
    """This lab's: other tests, and other programs, have their own."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0] for line in listed.splitlines() if line.strip()}
    return {name for name in names if name.startswith(namespace(""))}


def test_recording_without_root_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["real", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "recording needs root, for network namespaces: run it with sudo\n"
    assert list(tmp_path.iterdir()) == []


@needs_root
@pytest.mark.root
def test_a_lab_that_exists_already_is_left_alone() -> None:
    taken = namespace("plc1")
    subprocess.run(["ip", "netns", "add", taken], check=True)
    try:
        with pytest.raises(LabError, match=f"ip netns del {taken}"):
            check(("plc1", "plc2"))
        assert taken in namespaces()
    finally:
        subprocess.run(["ip", "netns", "del", taken], check=True)


@needs_root
@pytest.mark.root
def test_stations_of_two_zones_reach_each_other_through_the_router() -> None:
    with built(("hmi1", "plc1")):
        reached = subprocess.run(
            inside(namespace("hmi1"), "python3", "-c", _KNOCK), capture_output=True, text=True, check=False
        )
    # Nothing listens there: the refusal came from the other station, two hops away.
    assert reached.stdout.strip() == "ConnectionRefusedError"


@needs_root
@pytest.mark.root
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_the_lab_is_removed_however_it_ends(interruption: type[BaseException]) -> None:
    before = namespaces()
    with pytest.raises(interruption), built(("hmi1", "plc1")):
        assert {ROUTER, namespace("hmi1"), namespace("plc1")} <= namespaces()
        straggler = subprocess.Popen(
            inside(namespace("plc1"), "sh", "-c", "echo inside; exec sleep 600"), stdout=subprocess.PIPE
        )
        assert straggler.stdout is not None
        straggler.stdout.readline()
        raise interruption
    straggler.communicate(timeout=60)
    assert straggler.returncode == -signal.SIGKILL
    assert namespaces() == before


def test_the_golden_file_expects_what_the_recording_plants() -> None:
    said = [(one.kind, one.src_ip, one.dst_ip, one.dst_port, one.conduit) for one in sample(NAME).expected]
    assert said == [(one.kind, one.src_ip, one.dst_ip, one.dst_port, one.conduit) for one in EXPECTED]


def test_every_request_of_the_recording_was_answered() -> None:
    operations = sample(NAME).truth["operation"]
    assert all(one["asked"] == one["answered"] > 0 for one in operations)


_KNOCK = f"""
import socket
try:
    socket.create_connection(("{PLC1}", 502), 5)
except OSError as error:
    print(type(error).__name__)
"""
