"""Tools carried into the control room from a machine in the DMZ; and the share that it may use."""

from __future__ import annotations

from typing import Final

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth import smb, winrm

_NAME: Final = "lateral-tools"
_TWIN: Final = "lateral-tools-benign"
_MINUTES: Final = 3
#: Not the port of Windows remote management: who listens may choose another.
_OTHER_PORT: Final = 8_085
_RECIPE_BYTES, _PROGRAM_BYTES = 6_000, 9_000
_ORDERS: Final = ((900, 1_400), (1_300, 600), (700, 2_200))


def _recipes(site: PumpB, second: float) -> None:
    """The historian's machine fetches a recipe and leaves a report, as its rule lets it."""
    said = smb.Session(site.chance(f"recipes/{second}"), site.at(second), "hist2", "reports", "ews2")
    said.share("recipes")
    said.read_file("pump1.csv", _RECIPE_BYTES)
    said.write_file("report.csv", _RECIPE_BYTES // 2)
    site.talk("hist2", "ews2", smb.PORT, said.lines)


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=2_410)
    site.calm()
    _recipes(site, 20)
    said = smb.Session(site.chance("program"), site.at(60), "hist2", "service", "hmi2")
    said.share("ADMIN$")
    said.write_file("PSEXESVC.exe", _PROGRAM_BYTES)
    said.share("IPC$")
    said.ask_service_manager()
    said.hear_pipe("PSEXESVC", (220, 640, 90))
    site.talk("hist2", "hmi2", smb.PORT, said.lines)
    host = f"{site.hosts['ews2'].ip}:{_OTHER_PORT}"
    orders = winrm.session(site.chance("orders"), site.at(100), host, _ORDERS)
    site.talk("hist2", "ews2", _OTHER_PORT, orders)
    captured = ran(site)
    tap = Tap(site, captured)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "Tools carried into the control room",
            """
The historian's machine in the DMZ fetches a recipe from the engineering station's share and leaves a report there, as
its rule lets it. Then it logs in at the operator station, copies a program to ADMIN$, asks the service manager (pipe
svcctl) for a service and listens to the service's pipe: what PsExec does. At last it gives the engineering station
orders by Windows remote management, on a port that is not that service's own.
""",
            planted=(
                tap.saw("G4", "hist2", "hmi2", 1, "SMB, and in it what PsExec does", service="smb"),
                tap.saw(
                    "G4",
                    "hist2",
                    "ews2",
                    1,
                    "Windows remote management, on port 8085",
                    service="winrm",
                    seconds=(99, 120),
                ),
                tap.saw("SEG-04", "hist2", "hmi2", 1, "its rule is to another server only", service="smb"),
                tap.saw(
                    "SEG-04",
                    "hist2",
                    "ews2",
                    1,
                    "the conduit knows no such service",
                    service="winrm",
                    seconds=(99, 120),
                ),
            ),
            expected=(
                *(
                    expect(
                        site,
                        kind,
                        "hist2",
                        server,
                        conduit="c-dmz-room",
                        service=service,
                        port=port,
                        severity=severity,
                        exactly=exactly,
                        because=because,
                    )
                    for server, service, port in (
                        ("hmi2", "smb", smb.PORT),
                        ("ews2", "winrm", _OTHER_PORT),
                    )
                    for kind, severity, exactly, because in (
                        ("G4", 5, 1, "high, one more for an established session"),
                        ("SEG-04", 4, 0, "medium, one more for an established session"),
                    )
                ),
            ),
            twin=_TWIN,
            baseline=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=2_416)
    site.calm()
    _recipes(site, 20)
    _recipes(site, 90)
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "Recipes fetched, reports left",
            """
The historian's machine in the DMZ fetches a recipe from the engineering station's share and leaves a report there,
twice, as its rule lets it: SMB into the control room that is usual.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_261, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_262, _make_twin, site=NAME, packed=True),
)
