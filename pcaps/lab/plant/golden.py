"""Recordings of the plant that are worth keeping: made once, committed, remade by one command."""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pcaps import ExpectedFinding
from pcaps.lab import files
from pcaps.lab.notes import Notes, Table
from pcaps.lab.plant.captures import stamped, times_ns
from pcaps.lab.plant.golden_tools import TOOLS, Setting
from pcaps.lab.plant.layout import SPAN_ROUTER, SSH_PORT, address
from pcaps.lab.plant.needed import missing_packages, tools_of
from pcaps.lab.plant.plant import borrowed
from pcaps.lab.plant.planted import planted
from pcaps.lab.plant.playing import Played, play
from pcaps.lab.plant.plays import scenario
from pcaps.lab.plant.recording import as_capture
from pcaps.lab.plant.stations.names import OLD_PORT
from pcaps.lab.problems import LabError
from pcaps.lab.synth.pcapng import Frame

_PLANT: Final = Setting("policies/lab-plant.yaml")
_TAP: Final = "SPAN of every port of the plant's router, ingress only: each frame as its sender sent it"


def _undeclared(
    client: str, server: str, port: int, service: str, kind: str, severity: int
) -> ExpectedFinding:
    because = {
        5: "high, one more for a session that was established",
        4: "medium, one more for a session that was established",
    }[severity]
    return ExpectedFinding(
        kind=kind,
        src_ip=address(client),
        dst_ip=address(server),
        dst_port=port,
        conduit="",
        service=service,
        severity=severity,
        count=1,
        count_is="at least",
        because=because,
    )


def _not_allowed(client: str, server: str, port: int, service: str, conduit: str) -> ExpectedFinding:
    return ExpectedFinding(
        kind="SEG-04",
        src_ip=address(client),
        dst_ip=address(server),
        dst_port=port,
        conduit=conduit,
        service=service,
        severity=4,
        count=1,
        count_is="at least",
        because="medium, one more for a session that was established",
    )


def _done(
    kind: str,
    client: str,
    server: str,
    port: int,
    service: str,
    severity: int,
    because: str,
    conduit: str = "",
) -> ExpectedFinding:
    return ExpectedFinding(
        kind=kind,
        src_ip=address(client),
        dst_ip=address(server),
        dst_port=port,
        conduit=conduit,
        service=service,
        severity=severity,
        count=1,
        count_is="at least",
        because=because,
    )


_LOST: Final = "high: the password is lost"
_PUT_OFF: Final = "medium: the station is put off for a moment"

#: Scenario -> what it must give under the plant's policy, and nothing else.
GOLDEN: Final[Mapping[str, Sequence[ExpectedFinding]]] = MappingProxyType(
    {
        "day": (),
        "opcua-password": (
            _not_allowed("ua-client1", "ua1", OLD_PORT, "opcua", "c-room-control"),
            _done("O2", "ua-client1", "ua1", OLD_PORT, "opcua", 4, _LOST, "c-room-control"),
        ),
        "opcua-certificate": (),
        "mqtt-same-name": (
            _undeclared("office1", "broker1", 1883, "mqtt", "SEG-01", 4),
            _done("Q5", "office1", "broker1", 1883, "mqtt", 3, _PUT_OFF),
        ),
        "mqtt-will": (),
        "ssh-jump": (),
        "ssh-past": (
            _undeclared("vendor1", "plc1", SSH_PORT, "ssh", "SEG-01", 5),
            _undeclared("vendor1", "plc1", SSH_PORT, "ssh", "RA-01", 5),
        ),
        **{name: setting.expected for name, setting in TOOLS.items()},
    }
)


def record(names: Sequence[str], folder: Path, lab: str) -> int:
    """Record them anew and write each with its notes; 0, or 1 with one line on stderr."""

    def tell(text: str) -> None:
        sys.stderr.write(text + "\n")

    try:
        for name in names:
            if name not in GOLDEN:
                raise LabError(f"{name} is no golden recording; these are: {', '.join(GOLDEN)}")
        chosen = [scenario(name) for name in names or _playable(tell)]
        services = dict.fromkeys(service for one in chosen for service in one.services)
        with (
            tempfile.TemporaryDirectory(prefix="geophone-golden-") as scratch,
            borrowed(lab, services, tell) as plant,
        ):
            for one in chosen:
                played = play(plant, one, Path(scratch) / one.name)
                begin_at(played, TOOLS.get(one.name, _PLANT).begins)
                size = _files(played).write(folder)
                tell(f"lab-{one.name}: {size:,} bytes")
    except (LabError, subprocess.SubprocessError) as error:
        tell(str(error))
        return 1
    return 0


def _playable(tell: Callable[[str], None]) -> list[str]:
    """The recordings whose tools are here; of the others it is told what they miss."""
    here = []
    for name in GOLDEN:
        if missing := missing_packages(scenario(name)):
            tell(f"lab-{name}: left as it is; it needs the Debian packages {', '.join(missing)}")
        else:
            here.append(name)
    return here


def begin_at(played: Played, begins: datetime | None) -> None:
    """Move a recording's times, all by the same, so that it begins then: windows are of the week's days and hours."""
    if begins is None:
        return
    capture = played.capture(SPAN_ROUTER)
    frames = stamped(capture)
    later_ns = int(begins.timestamp()) * 1_000_000_000 - frames[0].ts_ns
    moved = [Frame(frame.ts_ns + later_ns, frame.data) for frame in frames]
    capture.write_bytes(as_capture(moved, SPAN_ROUTER, played.scenario.name))


def _files(played: Played) -> files.Files:
    name = f"lab-{played.scenario.name}"
    capture = played.capture(SPAN_ROUTER)
    times = times_ns(capture)
    return files.Files(
        name=name,
        capture_name=f"{name}.pcapng",
        plain=capture.read_bytes(),
        notes=_notes(played),
        frames=len(times),
        first_ns=times[0],
        last_ns=times[-1],
    )


def _notes(played: Played) -> Notes:
    one = played.scenario
    modbus = [line for line in played.operations if line["protocol"] == "modbus"]
    operations: list[Table] = [dict(line) for line in played.operations]
    setting = TOOLS.get(one.name, _PLANT)
    how = "network namespaces, real servers and clients, tcpdump on a SPAN port made with tc mirred"
    if setting.begins is not None:
        how += f"; all times moved by the same, to begin at {setting.begins:%Y-%m-%dT%H:%M:%SZ}"
    truth: dict[str, Any] = {
        "modbus_requests": sum(int(line["asked"]) for line in modbus),
        "modbus_answers": sum(int(line["answered"]) for line in modbus),
        "removed_frames": 0,
        "span_duplicates": 0,
    }
    if setting.secrets:
        truth["planted_secrets"] = list(setting.secrets)
    return Notes(
        title=one.title[0].upper() + one.title[1:],
        story=one.story,
        origin={
            "kind": "real stack",
            "how": how,
            "command": f"sudo python -m pcaps.lab plant {one.name}",
            "tools": [
                *(tools_of(one) or _usual_tools()),
                f"Linux {platform.release().split('-')[0]}",
                f"Python {platform.python_version()}",
            ],
            "tap": _TAP,
        },
        policy=setting.policy,
        truth=truth,
        truth_lists={"operation": operations},
        twin=setting.twin,
        twin_of=setting.twin_of,
        expected=GOLDEN[one.name],
        planted=planted(one.name, played.capture(SPAN_ROUTER)),
    )


def _usual_tools() -> list[str]:
    packages = (f"{package} {version(package)}" for package in ("pymodbus", "asyncua", "paho-mqtt"))
    return [*packages, "mosquitto", "OpenSSH"]
