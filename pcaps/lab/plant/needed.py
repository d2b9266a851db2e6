"""The tools that some scenarios need and others do not: which program is of which Debian package."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pcaps.lab.plant.plays.base import Scenario
from pcaps.lab.plant.shell import run
from pcaps.lab.problems import LabError

_DESKTOP: Final = {"Xvnc": "tigervnc-standalone-server", "tigervncpasswd": "tigervnc-tools"}
_SCREEN: Final = {"Xvfb": "xvfb", "xkbcomp": "x11-xkb-utils"}
_OPENSSL: Final = {"openssl": "openssl"}

#: A station's program -> the tools that it runs, each with its Debian package.
_TOOLS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "vnc-server": _DESKTOP,
        "x11vnc-server": {**_SCREEN, "x11vnc": "x11vnc", "tigervncpasswd": "tigervnc-tools"},
        "vnc-viewer": {
            **_SCREEN,
            "xtigervncviewer": "tigervnc-viewer",
            "tigervncpasswd": "tigervnc-tools",
        },
        "rdp-server": {**_DESKTOP, **_OPENSSL, "xrdp": "xrdp"},
        "rdp-client": {**_SCREEN, "xfreerdp": "freerdp2-x11", "rdesktop": "rdesktop"},
        "openvpn-server": {**_OPENSSL, "openvpn": "openvpn"},
        "openvpn-client": {**_OPENSSL, "openvpn": "openvpn"},
        "wireguard-server": {"wireguard-go": "wireguard-go", "wg": "wireguard-tools"},
        "wireguard-client": {
            "wireguard-go": "wireguard-go",
            "wg": "wireguard-tools",
        },
        "dropbear-server": {"dropbear": "dropbear-bin", "dropbearkey": "dropbear-bin"},
        "dropbear-client": {"dbclient": "dropbear-bin", "dropbearconvert": "dropbear-bin"},
    }
)


def programs(chosen: Scenario) -> dict[str, str]:
    """The tools that a scenario needs besides the lab's own: program -> Debian package."""
    every = (*chosen.servers, *chosen.tasks(chosen.seconds))
    return {name: package for task in every for name, package in _TOOLS.get(task.program, {}).items()}


def missing_packages(chosen: Scenario) -> list[str]:
    """Debian packages that a scenario needs and that are not installed."""
    return sorted({package for name, package in programs(chosen).items() if shutil.which(name) is None})


def refuse_missing(chosen: Scenario) -> None:
    """LabError where a scenario's tools are not installed, with the command that installs them."""
    if missing := missing_packages(chosen):
        raise LabError(
            f"{chosen.name} needs the Debian packages {', '.join(missing)}: apt-get install {' '.join(missing)}"
        )


def tools_of(chosen: Scenario) -> list[str]:
    """The tools of a scenario as they are installed here, by Debian package and version; empty where it has none."""
    if not (packages := sorted(set(programs(chosen).values()))):
        return []
    if "ssh" in chosen.services:
        packages = sorted({*packages, "openssh-server", "openssh-client"})
    said = run("dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *packages)
    return said.splitlines()
