"""The plant: built whole, played on, removed however it ends, and never somebody else's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pcaps.lab.plant import network, playing, services
from pcaps.lab.plant import plant as plants
from pcaps.lab.plant.captures import frames
from pcaps.lab.plant.layout import (
    SPAN_CONTROL,
    SPAN_DOUBLE,
    SPAN_ROUTER,
    STATIONS,
    SWITCH,
    UPLOAD_PORT,
    address,
)
from pcaps.lab.plant.link.frames import TCP
from pcaps.lab.plant.link.settings import TO_CONTROL, both
from pcaps.lab.plant.link.truth import crossings, faults, middle_ns
from pcaps.lab.plant.network import names, namespace
from pcaps.lab.plant.plant import Plant, borrowed, down, up
from pcaps.lab.plant.playing import FACTS, play, played
from pcaps.lab.plant.plays import SCENARIOS, scenario
from pcaps.lab.plant.plays.base import Scenario, streams
from pcaps.lab.plant.shell import inside
from pcaps.lab.plant.state import HOME, LabState
from pcaps.lab.plant.stations.report import Line
from pcaps.lab.problems import LabError
from tests.support.lab import lab_name, namespaces_of, needs_lab

SECONDS = 4.0
#: The same streams at every loss, so that the draws can be compared.
LOSSY = Scenario(
    *("test", "a test", "A test.", ("stream-server",), lambda seconds: [streams(seconds)], SECONDS),
    link=both(delay_ms=10, loss=0.02),
    spans=(SPAN_ROUTER, SPAN_CONTROL, SPAN_DOUBLE),
)


def quiet(_: str) -> None:
    """Told, and not interested."""


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    """A plant with a stream server and an SSH host, for the tests that only play."""
    with borrowed(lab_name("p"), ("stream-server", "ssh"), quiet) as built:
        yield built


@pytest.fixture
def name() -> Iterator[str]:
    """A name for a lab of the test's own; whatever is left of it is removed."""
    chosen = lab_name("x")
    yield chosen
    for left in namespaces_of(chosen):
        subprocess.run(["ip", "netns", "del", left], check=True)
    LabState(chosen).forget()


class TestWithoutRoot:
    def test_building_says_in_one_line_that_it_needs_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        with pytest.raises(LabError, match=r"^the lab needs root, .*: run it with sudo$"):
            up("geolab", quiet)

    def test_a_missing_package_is_named_with_the_command_that_installs_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(
            shutil, "which", lambda tool: None if tool in ("sshd", "mosquitto") else "/bin/true"
        )
        with pytest.raises(LabError, match=r"apt-get install mosquitto openssh-server$"):
            up("geolab", quiet)

    @pytest.mark.parametrize("bad", ["", "Lab", "lab-1", "../lab", "a" * 17, "1lab"])
    def test_a_name_that_is_none_is_refused(self, bad: str) -> None:
        with pytest.raises(LabError, match="lower-case letters and digits"):
            LabState(bad)

    def test_an_unknown_scenario_is_refused_with_the_known_ones(self) -> None:
        with pytest.raises(LabError, match=r"no scenario 'flood'; there are: clean, delay-5ms"):
            scenario("flood")

    def test_scenarios_have_names_of_their_own_and_ask_stations_that_exist(self) -> None:
        assert len({one.name for one in SCENARIOS}) == len(SCENARIOS)
        for one in SCENARIOS:
            tasks = one.tasks(one.seconds)
            assert tasks, one.name
            assert {task.station for task in tasks} <= set(STATIONS), one.name
            assert max(task.after_s for task in tasks) < one.seconds, one.name

    def test_a_folder_that_holds_no_recording_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(LabError, match="not a recording of the lab"):
            played(tmp_path)


class TestPlaying:
    pytestmark = needs_lab

    def test_every_station_reaches_its_zone_and_the_others_through_the_router(self, plant: Plant) -> None:
        for station in ("scada1", "office1", "vendor1"):
            knock = f"import socket; socket.create_connection(({address('edge1')!r}, 9002), 5)"
            subprocess.run(
                inside(plant.namespace(station), sys.executable, "-c", knock), check=True, timeout=20
            )

    def test_the_kernel_is_quiet_and_old_fashioned(self, plant: Plant) -> None:
        said = subprocess.run(
            inside(
                plant.namespace("plc1"),
                *("sysctl", "-n", "net.ipv4.tcp_congestion_control", "net.ipv6.conf.all.disable_ipv6"),
            ),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert said == ["reno", "1"]

    def test_the_link_does_what_it_is_told_and_the_taps_show_it(self, plant: Plant, tmp_path: Path) -> None:
        one = play(plant, LOSSY, tmp_path / "lossy")
        log = list(crossings(one.link_log))
        lost = faults(log, lambda crossing, who: who.proto == TCP)
        # Six standard deviations.
        allowed = 6 * (0.02 * 0.98 / lost.offered) ** 0.5
        assert lost.offered > 2_000
        assert abs(lost.loss - 0.02) < allowed
        took = middle_ns(log, lambda crossing, who: who.proto == TCP)
        assert took is not None
        assert 10e6 <= took < 20e6
        # What the tap behind the link saw of one direction is what the link let through.
        through = sum(
            crossing.way == TO_CONTROL and crossing.sent_ns is not None and crossing.frame is not None
            for crossing in log
        )
        control = {station.ip for station in STATIONS.values() if station.zone == "control"}
        behind = [who for who in frames(one.capture(SPAN_CONTROL)) if who.dst in control]
        assert len(behind) == through

    def test_the_same_seed_loses_the_same_segments(self, plant: Plant, tmp_path: Path) -> None:
        first, second = (
            _fates_of_upload(play(plant, LOSSY, tmp_path / str(number)).link_log) for number in range(2)
        )
        # Timing decides what is sent again, and how far a stream gets; what is sent first meets the same fate.
        both_times = first.keys() & second.keys()
        assert len(both_times) > 0.8 * len(first) > 500
        assert any(first[place] for place in both_times)
        assert {place: first[place] for place in both_times} == {place: second[place] for place in both_times}

    def test_a_badly_set_span_shows_everything_twice(self, plant: Plant, tmp_path: Path) -> None:
        one = play(plant, LOSSY, tmp_path / "double", seconds=2)
        single = sum(who.proto == TCP for who in frames(one.capture(SPAN_ROUTER)))
        double = sum(who.proto == TCP for who in frames(one.capture(SPAN_DOUBLE)))
        assert double == 2 * single > 0

    def test_a_vendor_gets_in_through_the_jump_host(self, plant: Plant, tmp_path: Path) -> None:
        one = play(plant, scenario("ssh-jump"), tmp_path / "jump")
        pairs = {(who.src, who.dst) for who in frames(one.capture(SPAN_ROUTER)) if who.dport == 22}
        assert pairs == {
            (address("vendor1"), address("jump1")),
            (address("jump1"), address("ews1")),
        }
        assert played(tmp_path / "jump").operations == one.operations

    def test_a_client_that_fails_leaves_no_recording(self, plant: Plant, tmp_path: Path) -> None:
        # Nobody answers Modbus in this plant.
        with pytest.raises(
            LabError, match=r"modbus-ask of scada1 failed with exit code 1: .*ConnectionError"
        ):
            play(plant, scenario("unauthorised-write"), tmp_path / "half")
        assert list(tmp_path.iterdir()) == []

    def test_a_mirror_port_that_goes_away_is_told_with_the_way_out(
        self, plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        port = ("ip", "-n", plant.namespace(SWITCH), "link", "set", SPAN_CONTROL)
        real = playing.perform

        def without_the_port(*arguments: Any, **more: Any) -> list[Line]:
            subprocess.run([*port, "down"], check=True)
            return real(*arguments, **more)

        monkeypatch.setattr(playing, "perform", without_the_port)
        with pytest.raises(LabError, match=f"the mirror port {SPAN_CONTROL} went away .* geophone lab up"):
            play(plant, LOSSY, tmp_path / "gone")
        subprocess.run([*port, "up"], check=True)
        assert list(tmp_path.iterdir()) == []

    def test_a_recording_is_never_written_over(self, plant: Plant, tmp_path: Path) -> None:
        (tmp_path / FACTS).touch()
        with pytest.raises(LabError, match="exists already: name another folder with --out"):
            play(plant, LOSSY, tmp_path)

    def test_nobody_else_can_have_it_meanwhile(self, plant: Plant) -> None:
        with (
            pytest.raises(LabError, match=f"in use by process {os.getpid()}"),
            borrowed(plant.name, (), quiet),
        ):
            pass


class TestComingAndGoing:
    pytestmark = needs_lab

    def test_up_stays_and_down_leaves_nothing(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        # All services take seconds; one shows it.
        monkeypatch.setattr(plants, "SERVICES", ("stream-server",))
        up(name, quiet)
        assert namespaces_of(name) == sorted(names(name))
        with pytest.raises(LabError, match="is up already"):
            up(name, quiet)
        with borrowed(name, ("stream-server",), quiet) as again:
            knock = f"import socket; socket.create_connection(({address('edge1')!r}, 9002), 5)"
            subprocess.run(inside(again.namespace("scada1"), sys.executable, "-c", knock), check=True)
        assert namespaces_of(name) == sorted(names(name))
        down(name, quiet)
        assert namespaces_of(name) == []
        assert not (HOME / name).exists()
        with pytest.raises(LabError, match=f"there is no lab {name}"):
            down(name, quiet)

    def test_a_plant_that_a_restart_of_the_machine_took_is_built_anew(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(plants, "SERVICES", ())
        up(name, quiet)
        for one in names(name):
            network.remove([one])
        said: list[str] = []
        up(name, said.append)
        assert said == [f"the lab {name} was not removed when it ended; removing its folder"]
        assert namespaces_of(name) == sorted(names(name))
        down(name, quiet)

    def test_somebody_elses_namespace_is_left_alone(self, name: str) -> None:
        taken = namespace(name, "plc1")
        subprocess.run(["ip", "netns", "add", taken], check=True)
        with pytest.raises(LabError, match=f"ip netns del {taken}"), borrowed(name, (), quiet):
            pass
        assert namespaces_of(name) == [taken]
        assert not (HOME / name).exists()

    def test_a_station_that_cannot_start_leaves_nothing(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            services, "station_command", lambda *_: ["sh", "-c", "echo no such stack >&2; exit 3"]
        )
        with (
            pytest.raises(LabError, match="ended before it was ready: no such stack"),
            borrowed(name, ("stream-server",), quiet),
        ):
            pass
        assert namespaces_of(name) == []

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_an_interrupt_removes_it(self, name: str, tmp_path: Path, number: signal.Signals) -> None:
        process = _run(name, tmp_path)
        _wait_for(lambda: namespaces_of(name) == sorted(names(name)))
        process.send_signal(number)
        process.communicate(timeout=120)
        assert process.returncode not in (0, None)
        assert namespaces_of(name) == []
        assert not (HOME / name).exists()
        assert list(tmp_path.iterdir()) == []

    def test_what_a_killed_run_left_is_named_and_removed_by_the_next(self, name: str, tmp_path: Path) -> None:
        process = _run(name, tmp_path)
        _wait_for(lambda: LabState(name).known and LabState(name).stage == "own")
        process.kill()
        process.communicate(timeout=120)
        assert namespaces_of(name) == sorted(names(name))
        said: list[str] = []
        down(name, said.append)
        assert said == [
            f"the lab {name} was not removed when it ended; removing {', '.join(sorted(names(name)))}"
        ]
        assert namespaces_of(name) == []
        assert not (HOME / name).exists()


def _run(name: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "geophone", "lab", "run", "clean"),
            *("--name", name, "--seconds", "60", "--out", str(folder / "recording")),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _fates_of_upload(log: Path) -> dict[int, bool]:
    """Each of the upload's segments by its place in the stream: whether it was lost when it was sent first."""
    sent = [
        (crossing.received_ns, crossing.frame.seq, crossing.sent_ns is None)
        for crossing in crossings(log)
        if crossing.frame is not None and crossing.frame.dport == UPLOAD_PORT and crossing.frame.payload
    ]
    fates: dict[int, bool] = {}
    for _, seq, lost in sorted(sent):
        fates.setdefault((seq - min(sent)[1]) % 2**32, lost)
    return fates
