"""`geophone lab live`: the plant runs, the sensor listens to its SPAN port, and the pages show what it finds."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from geophone.errors import UsageProblem
from geophone.lab.needed import with_lab_packages
from geophone.lab.plants import tell
from geophone.lab.truth import POLICY
from geophone.serving import handing_over, listening_socket
from geophone.stopping import asked_to_stop
from pcaps.lab.plant.layout import ROUTER, SPAN_ROUTER
from pcaps.lab.plant.plant import Plant, borrowed
from pcaps.lab.plant.playing import perform
from pcaps.lab.plant.plays import scenario
from pcaps.lab.plant.plays.base import Scenario, Task
from pcaps.lab.plant.services import SERVICES
from pcaps.lab.plant.shell import environment
from sensors.privileges import DEFAULT_USER

#: The normal day goes round and round; in each round one thing happens that should not.
_ROUND_S: Final = 40.0
_PLANTED_S: Final = 6.0
_STOP_S: Final = 30
#: Its first start on a busy machine loads a database engine.
_READY_S: Final = 90
_ASK_S: Final = 5

#: Different things, so that each makes a finding of its own: the same again within an hour joins the first.
PLANTED: Final = ("unauthorised-write", "ssh-past", "opcua-browse", "mqtt-same-name")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What `geophone lab live` was asked for."""

    lab: str
    port: int = 8642
    store: Path | None = None
    #: What happens, one a round, in turn.
    planted: Sequence[str] = PLANTED
    duration_s: float | None = None


@with_lab_packages
def live(options: LiveOptions) -> int:
    """Until asked to stop, or for so long; the exit status: 0, or that of a `geophone run` that ended by itself."""
    planted = [scenario(name) for name in options.planted]
    stopped = threading.Event()
    with (
        _store_folder(options.store) as store,
        borrowed(options.lab, SERVICES, tell) as plant,
        _monitor(plant, store, options.port) as monitor,
        # Up to here an interrupt ends it at once; from here on it is a request.
        asked_to_stop(stopped.set),
    ):
        _play(plant, planted, monitor, stopped, options.duration_s)
        return monitor.returncode or 0


def _play(
    plant: Plant,
    planted: Sequence[Scenario],
    monitor: subprocess.Popen[bytes],
    stopped: threading.Event,
    duration_s: float | None,
) -> None:
    start = time.monotonic()

    def over() -> bool:
        passed_s = time.monotonic() - start
        return (
            stopped.is_set()
            or monitor.poll() is not None
            or (duration_s is not None and passed_s >= duration_s)
        )

    number = 0
    while not over():
        one = planted[number % len(planted)]
        tell(f"in {_PLANTED_S:.0f} s: {one.title} ({one.name})")
        perform(plant, _round(one), patience_s=_ROUND_S * 2, stop=over)
        number += 1


def _round(one: Scenario) -> list[Task]:
    """A normal day, and in it what should not happen."""
    day = scenario("day")
    planted = [replace(task, after_s=_PLANTED_S + task.after_s) for task in one.tasks(one.seconds)]
    return [*day.tasks(_ROUND_S), *planted]


@contextmanager
def _store_folder(given: Path | None) -> Iterator[Path]:
    """A folder that the sensor, which is nobody, may write to; a temporary one is removed at the end."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="geophone-live-") as scratch:
        user = pwd.getpwnam(DEFAULT_USER)
        os.chown(scratch, user.pw_uid, user.pw_gid)
        yield Path(scratch)


@contextmanager
def _monitor(plant: Plant, store: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The real `geophone run` on the router's mirror port, with its pages out here.

    A network namespace has its own 127.0.0.1: the socket is made here and handed over (sd_listen_fds(3)).
    """
    with listening_socket(port) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        command = [
            # Not `ip netns exec`: it hides the machine's /sys, where the store's engine looks for its memory's limit.
            *("nsenter", f"--net=/run/netns/{plant.namespace(ROUTER)}"),
            *(sys.executable, "-m", "geophone", "run", "--interface", SPAN_ROUTER),
            *("--policy", str(POLICY), "--store", str(store)),
        ]
        process = subprocess.Popen(  # noqa: S603 - our own program, no word of anybody else
            handing_over(listening, command),
            pass_fds=(listening.fileno(),),
            env=environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        _wait_for_pages(url, process)
        tell(f"Geophone listens to {SPAN_ROUTER}; its pages: {url}/security/alerts")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise UsageProblem(f"geophone run did not end within {_STOP_S} s and was killed") from None


def _wait_for_pages(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the pages answer, or the process has ended: then it has said why."""
    deadline = time.monotonic() + _READY_S
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api/v1/health", timeout=_ASK_S):  # noqa: S310 - our own, loopback
                return
        except OSError:
            if time.monotonic() > deadline:
                raise UsageProblem(f"geophone run did not get ready within {_READY_S} s") from None
