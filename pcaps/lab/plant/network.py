"""The plant's cables: namespaces, bridges, a router, and mirror ports. Made by name, removed by name."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from typing import Final

from pcaps.lab.plant.layout import (
    CONTROL,
    LINK,
    ROUTER,
    SPAN_CONTROL,
    SPAN_DOUBLE,
    SPAN_ROUTER,
    SPANS,
    STATIONS,
    SWITCH,
    ZONES,
    Station,
)
from pcaps.lab.plant.shell import batch, inside, run

#: The switch's own; the range is RFC 7042's, for documentation.
_SWITCH_MAC: Final = "00:00:5e:00:53:f0"
#: How long a process of a namespace has to end by itself.
_GRACE_S: Final = 1.0

#: Of every namespace. The machine's own congestion control may be one that paces by a model of the path (BBR), which
#: no PLC has; the metrics of one run must not shape the next; IPv6 announces itself.
_QUIET: Final = (
    "net.ipv6.conf.all.disable_ipv6=1",
    "net.ipv6.conf.default.disable_ipv6=1",
    "net.ipv4.tcp_congestion_control=reno",
    "net.ipv4.tcp_no_metrics_save=1",
)
_ROUTES: Final = (
    "net.ipv4.ip_forward=1",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
    "net.ipv4.conf.all.send_redirects=0",
    "net.ipv4.conf.default.send_redirects=0",
)
#: A capture must show what a wire carries: no super-frames, checksums filled in.
_OFFLOADS_OFF: Final = ("tx", "off", "tso", "off", "gso", "off", "gro", "off")


def namespace(lab: str, place: str) -> str:
    """The namespace of a station, the switch or the router."""
    return f"{lab}-{place}"


def names(lab: str) -> list[str]:
    """Every namespace of a lab, in the order in which they are made."""
    return [namespace(lab, place) for place in (ROUTER, SWITCH, *STATIONS)]


def make_namespaces(lab: str) -> None:
    """All namespaces, quiet, without a cable."""
    batch("ip", [f"netns add {name}" for name in names(lab)])
    for name in names(lab):
        routes = _ROUTES if name == namespace(lab, ROUTER) else ()
        run(*inside(name, "sysctl", "-qw", *_QUIET, *routes))
        run("ip", "-n", name, "link", "set", "lo", "up")


def make_cables(lab: str) -> None:
    """Bridges, addresses and the stations' cables; the link's two ends exist already (the emulator made them)."""
    router, switch = namespace(lab, ROUTER), namespace(lab, SWITCH)
    control = ZONES[CONTROL]
    batch(
        "ip",
        [
            # Pinned: what answers for the router's address must be the same in every recording.
            f"link set {LINK} address {control.router_mac} up",
            f"address add {control.router_ip}/24 dev {LINK}",
            *_bridges(zone for zone in ZONES if zone != CONTROL),
        ],
        "-n",
        router,
    )
    batch(
        "ip",
        [
            f"link add br-{CONTROL} type bridge mcast_snooping 0",
            # Pinned: a bridge otherwise takes the MAC of whichever port was added last.
            f"link set br-{CONTROL} address {_SWITCH_MAC} up",
            f"link set {LINK} master br-{CONTROL} up",
        ],
        "-n",
        switch,
    )
    for station in STATIONS.values():
        _connect(lab, station)


def make_spans(lab: str) -> None:
    """The mirror ports: a copy of every frame that enters a port, and the badly set one."""
    ports = {
        place: [
            LINK,
            *(f"p-{s.name}" for s in STATIONS.values() if (s.zone == CONTROL) == (place == SWITCH)),
        ]
        for place in (ROUTER, SWITCH)
    }
    for span, place in SPANS.items():
        batch(
            "ip",
            [
                # Larger than any frame: a copy that does not fit is dropped without a word.
                f"link add {span} mtu 9000 type veth peer name to-{span}",
                f"link set {span} up",
                f"link set to-{span} mtu 9000 up",
            ],
            "-n",
            namespace(lab, place),
        )
    for place, into in ((ROUTER, (SPAN_ROUTER, SPAN_DOUBLE)), (SWITCH, (SPAN_CONTROL,))):
        lines = []
        for port in ports[place]:
            lines.append(f"qdisc add dev {port} clsact")
            lines.append(_mirror(port, "ingress", into))
            if place == ROUTER:
                lines.append(_mirror(port, "egress", (SPAN_DOUBLE,)))
        batch("tc", lines, "-n", namespace(lab, place))


def remove(namespaces: Iterable[str]) -> None:
    """Namespaces with all that is in them: first the processes, which would keep them alive without a name."""
    doomed = list(namespaces)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not _signal_all(doomed, number):
            break
        if number == signal.SIGTERM:
            _wait_until_empty(doomed)
    if doomed:
        batch("ip", [f"netns del {name}" for name in doomed], "-force")


def _bridges(zones: Iterable[str]) -> list[str]:
    return [
        line
        for zone in map(ZONES.__getitem__, zones)
        for line in (
            f"link add br-{zone.name} type bridge mcast_snooping 0",
            f"link set br-{zone.name} address {zone.router_mac} up",
            f"address add {zone.router_ip}/24 dev br-{zone.name}",
        )
    ]


def _connect(lab: str, station: Station) -> None:
    zone = ZONES[station.zone]
    there, middle = namespace(lab, station.name), namespace(lab, SWITCH if zone.name == CONTROL else ROUTER)
    port = f"p-{station.name}"
    run(
        *("ip", "link", "add", "eth0", "netns", there, "address", station.mac, "type", "veth"),
        *("peer", "name", port, "netns", middle),
    )
    run(*inside(there, "ethtool", "-K", "eth0", *_OFFLOADS_OFF))
    run("ip", "-n", middle, "link", "set", port, "master", f"br-{zone.name}", "up")
    batch(
        "ip",
        [
            "link set eth0 up",
            f"address add {station.ip}/24 dev eth0",
            f"route add default via {zone.router_ip}",
        ],
        "-n",
        there,
    )


def _mirror(port: str, way: str, spans: Iterable[str]) -> str:
    copies = " ".join(f"action mirred egress mirror dev to-{span} pipe" for span in spans)
    return f"filter add dev {port} {way} protocol all prio 1 u32 match u32 0 0 {copies}"


def _signal_all(namespaces: Iterable[str], number: signal.Signals) -> int:
    """Signal every process of the namespaces; how many there were."""
    found = [pid for name in namespaces for pid in _pids(name)]
    for pid in found:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue  # it ended by itself in between: what we wanted
    return len(found)


def _pids(namespace: str) -> list[int]:
    said = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False)
    return [int(pid) for pid in said.stdout.split()]


def _wait_until_empty(namespaces: list[str]) -> None:
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline and any(map(_pids, namespaces)):
        time.sleep(0.05)
