"""Scenarios with tools of others: refused with their packages' names, left out with a word, and really played."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pcaps.lab.plant import golden, needed
from pcaps.lab.plant.captures import frames, times_ns
from pcaps.lab.plant.golden_tools import TOOLS
from pcaps.lab.plant.layout import SPAN_ROUTER, address
from pcaps.lab.plant.needed import missing_packages, programs, refuse_missing
from pcaps.lab.plant.plant import borrowed
from pcaps.lab.plant.playing import play
from pcaps.lab.plant.plays import SCENARIOS, scenario
from pcaps.lab.plant.plays.base import Scenario, Task
from pcaps.lab.plant.stations.__main__ import PROGRAMS
from pcaps.lab.plant.stations.names import KEYS
from pcaps.lab.problems import LabError
from tests.support.lab import lab_name, namespaces_of, needs_lab

PORT = 40_404


def without(*tools: str) -> Callable[[str], str | None]:
    """A machine that lacks these."""
    return lambda tool: None if tool in tools else f"/usr/bin/{tool}"


def tunnel(port: int) -> Scenario:
    """A WireGuard tunnel from the engineering station to the vendor, for a moment."""
    options: dict[str, Any] = {"port": port, "folder": KEYS, "number": 7}
    visit = Task("ews1", "wireguard-client", {"server": address("vendor1"), **options, "seconds": 0.2})
    return Scenario(
        *("tunnel", "a test", "A test.", (), lambda _: [visit], 1.0),
        servers=(Task("vendor1", "wireguard-server", options),),
    )


def test_a_missing_tool_is_refused_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", without("xtigervncviewer", "x11vnc"))
    with pytest.raises(
        LabError,
        match=r"^vnc-past needs the Debian packages tigervnc-viewer, x11vnc: apt-get install tigervnc-viewer x11vnc$",
    ):
        refuse_missing(scenario("vnc-past"))
    refuse_missing(scenario("openvpn-tunnel"))
    refuse_missing(scenario("ssh-past"))


def test_recordings_without_their_tools_are_left_as_they_are_and_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", without("wireguard-go"))
    told: list[str] = []
    left = golden.GOLDEN.keys() - set(golden._playable(told.append))
    assert left == {"wireguard-tunnel", "wireguard-agreed"}
    assert told == [
        f"lab-{name}: left as it is; it needs the Debian packages wireguard-go"
        for name in ("wireguard-tunnel", "wireguard-agreed")
    ]


def test_every_program_that_runs_a_tool_says_which() -> None:
    run_tools = {program for program, (module, _) in PROGRAMS.items() if module.startswith("tools.")}
    assert run_tools == set(needed._TOOLS)
    used = {task.program for one in SCENARIOS for task in (*one.servers, *one.tasks(one.seconds))}
    assert run_tools <= used
    assert all(programs(scenario(name)) for name in TOOLS)


def test_every_agreed_recording_is_the_twin_of_one_that_is_not() -> None:
    good = {name: setting for name, setting in TOOLS.items() if not setting.expected}
    bad = {name: setting for name, setting in TOOLS.items() if setting.expected}
    assert {f"lab-{name}" for name in good} == {setting.twin for setting in bad.values()}
    for name, setting in good.items():
        assert TOOLS[setting.twin_of.removeprefix("lab-")].twin == f"lab-{name}"


MISSING = missing_packages(tunnel(PORT))
needs_wireguard = [
    *needs_lab,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


class TestPlayed:
    pytestmark = needs_wireguard

    def test_a_tunnel_is_opened_recorded_and_moved_to_its_time_and_nothing_is_left(
        self, tmp_path: Path
    ) -> None:
        lab = lab_name("w")
        with borrowed(lab, (), lambda _: None) as plant:
            played = play(plant, tunnel(PORT), tmp_path / "tunnel")
            with pytest.raises(LabError, match=r"^wireguard-server of vendor1 ended before it was ready: "):
                play(plant, tunnel(-1), tmp_path / "none")
        assert namespaces_of(lab) == []
        assert [(line["operation"], line["asked"], line["answered"]) for line in played.operations] == [
            ("session", 1, 1)
        ]
        capture = played.capture(SPAN_ROUTER)
        ends = {(who.src, who.dst) for who in frames(capture) if PORT in (who.sport, who.dport)}
        assert ends == {
            (address("ews1"), address("vendor1")),
            (address("vendor1"), address("ews1")),
        }
        before = times_ns(capture)
        begins = datetime(2026, 11, 28, 9, tzinfo=UTC)
        golden.begin_at(played, begins)
        after = times_ns(capture)
        assert after[0] == int(begins.timestamp()) * 1_000_000_000
        assert [at - after[0] for at in after] == [at - before[0] for at in before]
