"""Who is there, and what listens: asked of everything by a stranger, and of the same few by the monitoring."""

from __future__ import annotations

import random
from functools import partial
from typing import Final

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told, undeclared
from pcaps.lab.synth.background import Exchange
from pcaps.lab.synth.modbus import PORT
from pcaps.lab.synth.probes import Knock, Port, nobody, ping

_NAME: Final = "network-scan"
_TWIN: Final = "network-scan-benign"
_MINUTES: Final = 4
_HALL: Final = "10.220.0"
_SWEPT: Final = range(1, 81)
#: What a scanner tries first, and what today's decoder takes it for by the port alone.
_PORTS: Final = {
    21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "dns", 80: "http", 102: "s7comm", 110: "", 111: "",
    135: "msrpc", 139: "netbios", 143: "", 443: "https", 445: "smb", 502: "modbus", 1433: "mssql", 1883: "mqtt",
    2404: "iec104", 3306: "mysql", 3389: "rdp", 4840: "opcua", 5432: "postgres", 5900: "vnc", 8080: "http",
    9600: "fins", 20000: "dnp3", 34964: "profinet", 44818: "enip",
}  # fmt: skip
_WATCHED: Final = ("pump1", "pump2", "valve1", "gw1")


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=145)
    site.calm()
    network, visitor = site.network, site.hosts["visitor"]
    there = {host.ip: host for host in site.hosts.values() if host.zone == "pumps" and host.name != "laptop"}
    for number, last in enumerate(_SWEPT):
        ip = f"{_HALL}.{last}"
        host = there.get(ip, nobody(site.hosts["pump1"], ip))
        site.clock.at(
            site.at(45) + number * 250_000_000,
            partial(ping, network, visitor, host, number + 1, answered=ip in there),
        )
    ports = list(_PORTS)
    random.Random(f"{seed}/ports").shuffle(ports)
    for number, port in enumerate(ports):
        found = Port.OPEN if port in (80, PORT) else Port.CLOSED
        knock = Knock(network, visitor, 61_000 + number, site.hosts["pump2"], port, found)
        site.clock.at(site.at(90) + number * 200_000_000, knock.send)
    captured = ran(site)
    tap = Tap(site, captured)
    stranger = "medium: a scan carries nothing; one more for an answered ping, and for a C1 target"
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A scan",
            """
A laptop in the control room, unknown to the policy, pings 80 addresses of the pump hall in twenty seconds, five of
which answer, then knocks on 28 ports of the second pump's controller in six seconds: two are open, and their
connections are reset before anything is said. Between zones the policy lets some stations ping and knock; this one is
none of them.
""",
            planted=(
                tap.sent(
                    "G1",
                    "visitor",
                    "",
                    len(_SWEPT),
                    "80 addresses pinged in 20 seconds",
                    seconds=(45, 66),
                    service="icmp",
                ),
                tap.saw(
                    "G1",
                    "visitor",
                    "pump2",
                    len(_PORTS),
                    "28 ports in 6 seconds",
                    service="",
                    seconds=(89, 100),
                ),
                tap.sent("SEG-04", "visitor", "", 33, "conversations that no rule allows", seconds=(45, 100)),
                tap.appeared("visitor"),
            ),
            expected=(
                undeclared(site, "visitor"),
                expect(
                    site,
                    "G1",
                    "visitor",
                    "",
                    conduit="",
                    service="icmp",
                    port=0,
                    severity=4,
                    exactly=len(_SWEPT),
                    because="high: a scan of addresses",
                ),
                expect(
                    site,
                    "G1",
                    "visitor",
                    "pump2",
                    conduit="c-room-pumps",
                    service="",
                    port=0,
                    severity=4,
                    exactly=len(_PORTS),
                    because="high: a scan of ports",
                ),
                *(
                    expect(
                        site,
                        "SEG-04",
                        "visitor",
                        name,
                        conduit="c-room-pumps",
                        service="",
                        port=0,
                        because=stranger,
                        severity=5 if name == "pump1" else 4,
                    )
                    for name in sorted(host.name for host in there.values())
                ),
                *(
                    expect(
                        site,
                        "SEG-04",
                        "visitor",
                        "pump2",
                        conduit="c-room-pumps",
                        service=service,
                        port=port,
                        because=stranger,
                        severity=3,
                    )
                    for port, service in _PORTS.items()
                ),
            ),
            twin=_TWIN,
        ),
    )


def _watch(site: PumpB, name: str, number: int) -> None:
    """The monitoring pings a station, now."""
    ping(site.network, site.hosts["nms2"], site.hosts[name], number, answered=True)


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=150)
    site.calm()
    for order, name in enumerate(_WATCHED):
        site.every(30, 10 + order, partial(_watch, site, name))
        for minute in range(_MINUTES - 1):
            hello = (site.at(60 * minute + 20 + 5 * order), Exchange(b"", b""))
            site.visit("nms2", name, PORT, (hello,))
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "The monitoring looks whether all are there",
            """
The monitoring server pings the four controllers of the pump hall every half minute and opens, once a minute, a
connection to the Modbus port of each, says nothing on it and closes it. The policy lets it: few addresses, one port,
always the same.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_211, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_212, _make_twin, site=NAME, packed=True),
)
