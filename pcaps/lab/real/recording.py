"""The recording of `unauthorised-write`: real kernels' TCP, pymodbus on both ends, tcpdump on a SPAN port."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final

from pcaps import ExpectedFinding, Planted
from pcaps.lab import files
from pcaps.lab.mine_a import STATIONS, ZONES
from pcaps.lab.notes import Notes, Table
from pcaps.lab.problems import LabError
from pcaps.lab.real import stations
from pcaps.lab.real.namespaces import ROUTER, SPAN, built, check, inside, namespace
from pcaps.lab.real.planted import planted
from pcaps.lab.real.recorded import frames
from pcaps.lab.scenarios.base import POLICY, TAP

NAME: Final = "unauthorised-write"
_STATIONS: Final = (*stations.CONTROLLERS, *stations.CLIENTS)
_CLIENTS_TIMEOUT_S: Final = stations.SHIFT_S + 60
_STOP_TIMEOUT_S: Final = 10
#: As a shell reports a process that Ctrl-C ended.
_INTERRUPTED: Final = 130
_STORY: Final = """
A minute at Mine A, recorded from real stacks. The operator station polls both controllers, the historian
reads trends through the DMZ's conduit, the engineering station sets setpoints that its rule allows. Then an
office workstation opens Modbus straight from the enterprise network to the mill's controller, reads its
registers and writes setpoints three times; the controller confirms. Later the historian, whose rule only
lets it read, writes a setpoint three times.
"""
EXPECTED: Final = (
    ExpectedFinding(
        kind="SEG-02",
        src_ip="10.40.0.77",
        dst_ip=stations.PLC1,
        dst_port=stations.PORT,
        conduit="",
        service="modbus",
        severity=5,
        count=1,
        count_is="at least",
        because="high, one more for a C1 target, one more for an established session, and 5 is the most",
    ),
    ExpectedFinding(
        kind="SEG-05",
        src_ip="10.35.0.10",
        dst_ip=stations.PLC1,
        dst_port=stations.PORT,
        conduit="c-hist-plant",
        service="modbus",
        severity=5,
        count=3,
        count_is="exactly",
        because="medium, one more for a C1 target, one more because the controller confirmed",
    ),
    ExpectedFinding(
        kind="M1",
        src_ip="10.40.0.77",
        dst_ip=stations.PLC1,
        dst_port=stations.PORT,
        conduit="",
        service="modbus",
        severity=5,
        count=3,
        count_is="exactly",
        because="high, one more for a C1 target, one more because the controller confirmed",
    ),
    ExpectedFinding(
        kind="M2",
        src_ip="10.40.0.77",
        dst_ip=stations.PLC1,
        dst_port=stations.PORT,
        conduit="",
        service="modbus",
        severity=4,
        count=8,
        count_is="exactly",
        because="medium, one more for a C1 target",
    ),
    ExpectedFinding(
        kind="M1",
        src_ip="10.35.0.10",
        dst_ip=stations.PLC1,
        dst_port=stations.PORT,
        conduit="c-hist-plant",
        service="modbus",
        severity=5,
        count=3,
        count_is="exactly",
        because="high, one more for a C1 target, one more because the controller confirmed",
    ),
)


def record(folder: Path) -> int:
    """Record the capture anew and write it with its notes; 0, or 1 with one line on stderr."""
    try:
        check(_STATIONS)
        with tempfile.TemporaryDirectory(prefix="gphlab-") as scratch, built(_STATIONS):
            pcap = Path(scratch) / "span.pcap"
            with _tcpdump(pcap) as tcpdump_version, _controllers():
                operations = _run_clients()
            captured = frames(pcap)
    except (LabError, subprocess.SubprocessError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: nothing was recorded, and the lab is removed\n")
        return _INTERRUPTED
    files_of_it = files.of(
        NAME,
        captured,
        _notes(operations, tcpdump_version, planted(captured, operations)),
        site="Mine A",
        comment="recorded from real stacks in network namespaces",
    )
    size = files_of_it.write(folder)
    sys.stdout.write(f"{NAME}: {len(captured)} frames, {size:,} bytes\n")
    return 0


def _notes(operations: Sequence[Table], tcpdump_version: str, done: Sequence[Planted]) -> Notes:
    return Notes(
        title="An unauthorised write",
        story=_STORY,
        origin={
            "kind": "real stack",
            "how": "network namespaces, pymodbus on both ends, tcpdump on a SPAN port made with tc mirred",
            "command": "sudo python -m pcaps.lab real",
            "tools": [
                f"pymodbus {version('pymodbus')}",
                f"Linux {platform.release().split('-')[0]}",
                f"Python {platform.python_version()}",
                tcpdump_version,
            ],
            "tap": TAP,
        },
        policy=POLICY,
        demo=True,
        truth={
            "modbus_requests": sum(int(str(one["asked"])) for one in operations),
            "modbus_answers": sum(int(str(one["answered"])) for one in operations),
            "removed_frames": 0,
            "span_duplicates": 0,
        },
        truth_lists={"operation": operations},
        twin="normal-shift",
        baseline="normal-shift",
        planted=done,
        expected=EXPECTED,
    )


@contextmanager
def _tcpdump(pcap: Path) -> Iterator[str]:
    """Tcpdump on the SPAN port, listening; its version. At the end its file is complete."""
    command = inside(
        ROUTER,
        *("tcpdump", "-i", SPAN, "-n", "-U", "--immediate-mode", "--time-stamp-precision=nano"),
        *("-Q", "in", "-Z", "root", "-s", "0", "-w", str(pcap)),
    )
    shown = subprocess.run(["tcpdump", "--version"], capture_output=True, text=True, check=True)
    version_line = (shown.stdout or shown.stderr).splitlines()[0].replace("version ", "")
    with _process(command, signal.SIGTERM, stderr=subprocess.PIPE) as tcpdump:
        _wait_for(tcpdump.stderr, "listening on", "tcpdump")
        yield version_line
        time.sleep(0.5)  # the last frames of the conversation are still on their way


@contextmanager
def _controllers() -> Iterator[None]:
    """Both controllers, answering."""
    with _station("plc1") as first, _station("plc2") as second:
        for name, process in (("plc1", first), ("plc2", second)):
            _wait_for(process.stdout, stations.READY, name)
        yield


def _run_clients() -> list[Table]:
    """Let all clients do their part at once; what they say they asked, and were answered."""
    running: list[tuple[str, subprocess.Popen[str]]] = []
    try:
        running.extend((name, _start(name)) for name in stations.CLIENTS)
        operations: list[Table] = []
        for name, process in running:
            said, _ = process.communicate(timeout=_CLIENTS_TIMEOUT_S)
            if process.returncode:
                raise LabError(f"{name} failed with exit code {process.returncode}; its message is above")
            operations.extend(
                {"client": _address(name), **one} for reports in json.loads(said) for one in reports
            )
        return operations
    finally:
        for _, process in running:
            if process.poll() is None:
                process.kill()
                process.wait()


def _address(name: str) -> str:
    station = next(station for station in STATIONS if station.name == name)
    zone = next(zone for zone in ZONES if zone.name == station.zone)
    return f"{zone.network}.{station.number}"


def _command(name: str) -> list[str]:
    return inside(namespace(name), sys.executable, "-m", stations.__name__, name)


def _start(name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(_command(name), stdout=subprocess.PIPE, text=True, env=_environment())


@contextmanager
def _station(name: str) -> Iterator[subprocess.Popen[str]]:
    with _process(_command(name), signal.SIGTERM, stdout=subprocess.PIPE) as process:
        yield process


@contextmanager
def _process(
    command: Sequence[str], stop: signal.Signals, *, stdout: int | None = None, stderr: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=stdout, stderr=stderr, text=True, env=_environment()) as process:
        try:
            yield process
        finally:
            process.send_signal(stop)
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _environment() -> dict[str, str]:
    """The package must be importable in the stations too, wherever this was started from."""
    path = os.pathsep.join(filter(None, (str(files.FOLDER.parent), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def _wait_for(stream: IO[str] | None, text: str, who: str) -> None:
    if stream is None:
        raise ValueError(f"{who} has no output to wait for")
    said = ""
    for line in stream:
        if text in line:
            return
        said += line
    raise LabError(f"{who} ended before it was ready: {said.strip()}")
