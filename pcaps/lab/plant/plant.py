"""A plant, from nothing to running and back. What was made is removed, however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from pcaps.lab.plant import network, services
from pcaps.lab.plant.layout import ROUTER, SWITCH
from pcaps.lab.plant.link import emulator
from pcaps.lab.plant.link.settings import LinkSettings, write_order
from pcaps.lab.plant.processes import Process
from pcaps.lab.plant.services import SERVICES, Places
from pcaps.lab.plant.shell import namespaces
from pcaps.lab.plant.state import DEFAULT_NAME, LabState
from pcaps.lab.problems import LabError

#: Program -> Debian package.
PACKAGES: Final = {
    "ip": "iproute2",
    "tc": "iproute2",
    "ss": "iproute2",
    "nsenter": "util-linux",
    "ethtool": "ethtool",
    "tcpdump": "tcpdump",
    "sysctl": "procps",
    "mosquitto": "mosquitto",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
#: Where a user's PATH may not lead.
_SYSTEM_PATH: Final = "/usr/local/sbin:/usr/sbin:/sbin"
_LINK_PID: Final = "link.pid"

#: Told what goes on, a line at a time.
Tell = Callable[[str], None]


class Plant:
    """A running plant: its namespaces, its link, and where its files are."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.places = Places(name, folder)

    def namespace(self, place: str) -> str:
        """The namespace of a station, the switch or the router."""
        return network.namespace(self.name, place)

    def set_link(self, settings: LinkSettings, truth: Path) -> None:
        """From now on the link does this, and writes what it does to a new file. LabError where it has died."""
        write_order(self._order, settings, truth)
        try:
            os.kill(self._link_pid(), signal.SIGHUP)
        except ProcessLookupError as error:
            raise LabError(
                f"the link of the lab {self.name} has ended: see {self.places.logs / 'link.log'}; build the lab anew: "
                "geophone lab down, geophone lab up"
            ) from error
        _wait_until(truth.exists, f"the link of the lab {self.name} does not answer")

    @property
    def _order(self) -> Path:
        return self.places.folder / "link.json"

    def _link_pid(self) -> int:
        return int((self.places.folder / _LINK_PID).read_text())


def refuse_unusable_machine() -> None:
    """LabError where this machine cannot hold a plant, with the way out."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root, for network namespaces: run it with sudo")
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}"
    missing = sorted({package for tool, package in PACKAGES.items() if shutil.which(tool) is None})
    if missing:
        raise LabError(
            f"the lab needs the Debian packages {', '.join(missing)}: apt-get install {' '.join(missing)}"
        )


def up(name: str, tell: Tell) -> Plant:
    """A plant with every service, which stays until `down`. LabError where one is up, or it cannot be built."""
    refuse_unusable_machine()
    state = LabState(name)
    with state.held(), _ending_on_sigterm():
        if _is_up(state):
            raise LabError(f"the lab {name} is up already; remove it with: geophone lab down{_option(name)}")
        _remove_leftovers(state, tell)
        plant, processes = _build(state, SERVICES)
        state.write("up", network.names(name))
    for process in processes:
        process.leave()
    return plant


def down(name: str, tell: Tell) -> None:
    """Remove a plant, or what is left of one. LabError where there is none."""
    refuse_unusable_machine()
    state = LabState(name)
    with state.held():
        if not state.known:
            _refuse_foreign(name)
            raise LabError(f"there is no lab {name}; geophone lab up makes one")
        if _is_up(state):
            _remove(state)
        else:
            _remove_leftovers(state, tell)


@contextmanager
def borrowed(name: str, wanted: Iterable[str], tell: Tell) -> Iterator[Plant]:
    """The plant that is up, or one of our own with the wanted services, which is removed at the end.

    It is nobody else's meanwhile. LabError where it is in use, or cannot be built.
    """
    refuse_unusable_machine()
    state = LabState(name)
    with state.held(), _ending_on_sigterm():
        if _is_up(state):
            yield Plant(name, state.folder)
            return
        _remove_leftovers(state, tell)
        plant, processes = _build(state, wanted)
        try:
            yield plant
        finally:
            for process in reversed(processes):
                process.stop()
            _remove(state)


def _is_up(state: LabState) -> bool:
    """Whether a plant is kept, and still there: a restart of the machine leaves its folder only."""
    return state.stage == "up" and set(state.namespaces) <= namespaces()


def _build(state: LabState, wanted: Iterable[str]) -> tuple[Plant, list[Process]]:
    """Build it whole, or not at all."""
    name = state.name
    _refuse_foreign(name)
    state.write("building", network.names(name))
    plant = Plant(name, state.folder)
    processes: list[Process] = []
    try:
        for folder in (plant.places.logs, plant.places.keys):
            folder.mkdir(mode=0o700, exist_ok=True)
        network.make_namespaces(name)
        processes.append(_start_link(plant))
        network.make_cables(name)
        network.make_spans(name)
        for service in wanted:
            processes.extend(services.start(service, plant.places))
        for process in processes[1:]:
            services.wait(process)
        state.write("own", network.names(name))
    except BaseException:
        for process in reversed(processes):
            process.stop()
        _remove(state)
        raise
    return plant, processes


def _start_link(plant: Plant) -> Process:
    write_order(plant._order, LinkSettings(), plant.places.folder / "truth.jsonl")
    link = Process(
        "the link emulator",
        plant.namespace(SWITCH),
        [
            *(sys.executable, "-m", emulator.__name__),
            *(plant.namespace(ROUTER), plant.namespace(SWITCH), str(plant._order)),
        ],
        plant.places.logs / "link.log",
    )
    (plant.places.folder / _LINK_PID).write_text(str(link.pid))
    link.wait_for(emulator.READY)
    return link


def _refuse_foreign(name: str) -> None:
    """LabError where namespaces have our names, but nothing says that we made them."""
    if taken := sorted(set(network.names(name)) & namespaces()):
        raise LabError(
            f"network namespace {taken[0]} exists already and is no lab's of ours: name another lab with --name, or "
            f"remove it with: ip netns del {taken[0]}"
        )


def _remove_leftovers(state: LabState, tell: Tell) -> None:
    """What a lab left that was killed."""
    if not state.known:
        return
    found = sorted(set(state.namespaces) & namespaces())
    tell(
        f"the lab {state.name} was not removed when it ended; removing "
        + (", ".join(found) if found else "its folder")
    )
    _remove(state)


def _remove(state: LabState) -> None:
    network.remove(sorted(set(state.namespaces) & namespaces()))
    state.clear()


def _option(name: str) -> str:
    return "" if name == DEFAULT_NAME else f" --name {name}"


def _wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(otherwise)
        time.sleep(0.02)


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Being told to stop, or losing the terminal, removes the plant too, as Ctrl-C does."""

    def stop(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
