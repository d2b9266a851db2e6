r"""A small Mine A in network namespaces: stations on bridges, a router between, and its SPAN port.

plc1 plc2 - br-plant - [router] - br-supervisory - hmi1 ews1
                           |  \- br-dmz - hist1     \- br-enterprise - ent-ws7
                         span0: a copy of every frame that enters a port of the router
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Final

from pcaps.lab.mine_a import STATIONS, ZONES
from pcaps.lab.problems import LabError
from pcaps.lab.site import Station, Zone

ROUTER: Final = "gphlab-router"
SPAN: Final = "span0"
_TOOLS: Final = ("ip", "tc", "ethtool", "tcpdump", "sysctl")
_COMMAND_TIMEOUT_S: Final = 20


def namespace(station: str) -> str:
    """The namespace of a station."""
    return f"gphlab-{station}"


def check(stations: Sequence[str]) -> None:
    """Raise LabError where the machine cannot hold the lab, or holds one already."""
    if os.geteuid() != 0:
        raise LabError("recording needs root, for network namespaces: run it with sudo")
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        raise LabError(f"recording needs {', '.join(missing)}: install iproute2, ethtool, tcpdump and procps")
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    existing = {line.split()[0] for line in listed.splitlines() if line.strip()}
    ours = [ROUTER, *map(namespace, stations)]
    if taken := [name for name in ours if name in existing]:
        raise LabError(
            f"network namespace {taken[0]} exists already: another recording runs, or one was killed; "
            f"remove it with: ip netns del {taken[0]}"
        )


@contextmanager
def built(names: Sequence[str]) -> Iterator[None]:
    """The lab with those stations, up; everything is removed at the end, on errors and on Ctrl-C too."""
    stations = [station for station in STATIONS if station.name in names]
    zones = [zone for zone in ZONES if any(station.zone == zone.name for station in stations)]
    with ExitStack() as undo:
        undo.enter_context(_ending_on_sigterm())
        for name in (ROUTER, *(namespace(station.name) for station in stations)):
            _run("ip", "netns", "add", name)
            undo.callback(_remove, name)
            _quiet_kernel(name)
        _build_router(zones)
        for station in stations:
            _connect(station, next(zone for zone in zones if zone.name == station.zone))
        yield


def inside(name: str, *command: str) -> list[str]:
    """The command line that runs a command in a namespace."""
    return ["ip", "netns", "exec", name, *command]


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Being told to stop removes the lab too, as Ctrl-C does."""

    def stop(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _quiet_kernel(name: str) -> None:
    settings = ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"]
    if name == ROUTER:
        settings += [
            "net.ipv4.ip_forward=1",
            "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.all.send_redirects=0",
        ]
    _run(*inside(name, "sysctl", "-qw", *settings))
    _run("ip", "-n", name, "link", "set", "lo", "up")


def _build_router(zones: Sequence[Zone]) -> None:
    for zone in zones:
        bridge = f"br-{zone.name}"
        _router("link", "add", bridge, "type", "bridge", "mcast_snooping", "0")
        # Pinned: a bridge otherwise takes the MAC of whichever port was added last.
        _router("link", "set", bridge, "address", zone.router_mac, "up")
        _router("address", "add", f"{zone.router_ip}/24", "dev", bridge)
    _router("link", "add", SPAN, "type", "veth", "peer", "name", "mirror")
    _router("link", "set", SPAN, "up")
    _router("link", "set", "mirror", "up")


def _connect(station: Station, zone: Zone) -> None:
    there, port = namespace(station.name), f"p-{station.name}"
    mac = f"00:00:5e:00:53:{station.mac:02x}"
    _run(
        "ip",
        "link",
        "add",
        "eth0",
        "netns",
        there,
        "address",
        mac,
        "type",
        "veth",
        "peer",
        "name",
        port,
        "netns",
        ROUTER,
    )
    # The capture must show what a wire carries: no super-frames, checksums filled in.
    _run(*inside(there, "ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off", "gro", "off"))
    _router("link", "set", port, "master", f"br-{zone.name}", "up")
    _run("ip", "-n", there, "link", "set", "eth0", "up")
    _run("ip", "-n", there, "address", "add", f"{zone.network}.{station.number}/24", "dev", "eth0")
    _run("ip", "-n", there, "route", "add", "default", "via", zone.router_ip)
    # Ingress only: ingress and egress together would copy every routed packet twice.
    _run("tc", "-n", ROUTER, "qdisc", "add", "dev", port, "clsact")
    _run(
        *("tc", "-n", ROUTER, "filter", "add", "dev", port, "ingress", "protocol", "all", "prio", "1"),
        *("u32", "match", "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev", "mirror", "pipe"),
    )


def _router(*arguments: str) -> None:
    _run("ip", "-n", ROUTER, *arguments)


def _remove(name: str) -> None:
    # A namespace with a process in it would live on, unnamed.
    pids = subprocess.run(
        ["ip", "netns", "pids", name], capture_output=True, text=True, check=False
    ).stdout.split()
    for pid in pids:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue  # it ended by itself in between: what we wanted
    subprocess.run(["ip", "netns", "del", name], check=False)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_COMMAND_TIMEOUT_S)
    if done.returncode:
        raise LabError(f"`{' '.join(command)}` failed: {done.stderr.strip() or done.stdout.strip()}")
