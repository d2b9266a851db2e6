"""The plant's servers: which station runs what, and how it is started."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pcaps.lab.plant.layout import MQTT_PORT, SSH_PORT, address
from pcaps.lab.plant.network import namespace
from pcaps.lab.plant.processes import Process
from pcaps.lab.plant.shell import inside, run
from pcaps.lab.plant.stations.report import READY
from pcaps.lab.problems import LabError

_PYTHON_SERVERS: Final = {
    "modbus-server": ("plc1", "plc2"),
    "opcua-server": ("ua1",),
    "stream-server": ("edge1",),
}
BROKER: Final = "broker1"
#: Where an SSH server listens: the jump host, the controller behind it, the engineering station.
SSH_HOSTS: Final = ("jump1", "plc1", "ews1")
SERVICES: Final = (*_PYTHON_SERVERS, "broker", "ssh")


@dataclass(frozen=True, slots=True)
class Places:
    """Where a lab keeps what its programs need and write."""

    lab: str
    folder: Path

    @property
    def logs(self) -> Path:
        """One log a program."""
        return self.folder / "logs"

    @property
    def keys(self) -> Path:
        """Certificates and SSH keys, made anew for each plant."""
        return self.folder / "keys"


def station_command(program: str, options: dict[str, object]) -> list[str]:
    """The command line of a station's program."""
    return [sys.executable, "-m", "pcaps.lab.plant.stations", program, json.dumps(options)]


def start(service: str, places: Places) -> list[Process]:
    """Start a service on every station that runs it; `wait` for each before it is asked anything."""
    if service == "broker":
        return [_broker(places)]
    if service == "ssh":
        return _ssh(places)
    found = []
    for station in _PYTHON_SERVERS[service]:
        options: dict[str, object] = {"address": address(station)}
        if service == "opcua-server":
            options["folder"] = str(places.keys)
        found.append(
            Process(
                f"{service} of {station}",
                namespace(places.lab, station),
                station_command(service, options),
                places.logs / f"{station}-{service}.log",
            )
        )
    return found


def wait(process: Process) -> None:
    """Until the service is ready. LabError where it is not."""
    process.wait_for(READY)


def ssh_command(
    places: Places, host: str, command: str, *, through: str = "", port: int = SSH_PORT
) -> list[str]:
    """Log in to a host with the plant's key and run a command there, through a jump host where one is named."""
    common = (
        f"-i {shlex.quote(str(places.keys / 'user'))} -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=no "
        "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=10"
    )
    line = f"ssh {common}"
    if through:
        proxy = f"ssh {common} -W %h:%p root@{address(through)}"
        line += f" -o ProxyCommand={shlex.quote(proxy)}"
    line += f" -p {port} root@{address(host)} {shlex.quote(command)}"
    return ["sh", "-c", f"exec {line}"]


def _broker(places: Places) -> Process:
    configuration = places.folder / "mosquitto.conf"
    log = places.logs / "mosquitto.log"
    configuration.write_text(
        # An explicit listener: without one it listens on the loopback interface only.
        f"listener {MQTT_PORT} {address(BROKER)}\nallow_anonymous true\npersistence false\n"
        "user root\nsys_interval 0\nlog_dest stderr\n"
    )
    # mosquitto says nothing when it listens: ask until somebody answers.
    script = (
        f"mosquitto -c {shlex.quote(str(configuration))} & server=$!\n"
        'trap "kill $server" TERM\n'
        f"while ! ss -Hltn | grep -q :{MQTT_PORT}; do kill -0 $server || exit 1; sleep 0.05; done\n"
        f"echo {READY}; wait $server; wait $server"
    )
    return Process("mosquitto", namespace(places.lab, BROKER), ["sh", "-c", script], log)


def _ssh(places: Places) -> list[Process]:
    for name in ("host", "user"):
        if not (places.keys / name).exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(places.keys / name))
    keys = shlex.quote(str(places.keys))
    found = []
    for station in SSH_HOSTS:
        options = (
            f"-f /dev/null -h {keys}/host -o ListenAddress={address(station)}:{SSH_PORT} "
            f"-o AuthorizedKeysFile={keys}/user.pub -o StrictModes=no -o UsePAM=no -o PidFile=none "
            "-o PermitRootLogin=prohibit-password -o AllowTcpForwarding=yes"
        )
        # Its privilege separation wants /run/sshd: made in the mount namespace that `ip netns exec` gives it.
        script = (
            "mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd || exit 1\n"
            f"/usr/sbin/sshd -D -e {options} & server=$!\n"
            'trap "kill $server" TERM\n'
            f"while ! ss -Hltn | grep -q :{SSH_PORT}; do kill -0 $server || exit 1; sleep 0.05; done\n"
            f"echo {READY}; wait $server; wait $server"
        )
        found.append(
            Process(
                f"sshd of {station}",
                namespace(places.lab, station),
                ["sh", "-c", script],
                places.logs / f"{station}-sshd.log",
            )
        )
    return found


def check_reachable(places: Places, station: str, server: str, port: int) -> None:
    """LabError where a station cannot open a port of another one: the plant is not whole."""
    knock = f"import socket; socket.create_connection(({address(server)!r}, {port}), 5).close()"
    done = subprocess.run(
        inside(namespace(places.lab, station), sys.executable, "-c", knock),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(
            f"{station} cannot reach port {port} of {server}: {done.stderr.strip().splitlines()[-1]}"
        )
