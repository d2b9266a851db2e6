"""A scenario in; its recording, with everything that is true of it, out."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pcaps.lab.plant import services
from pcaps.lab.plant.layout import address
from pcaps.lab.plant.link.settings import LinkSettings
from pcaps.lab.plant.needed import refuse_missing
from pcaps.lab.plant.plant import Plant
from pcaps.lab.plant.plays import scenario
from pcaps.lab.plant.plays.base import SSH, Scenario, Task
from pcaps.lab.plant.processes import Process
from pcaps.lab.plant.recording import Removed, as_capture, captured, recording, without
from pcaps.lab.plant.stations.names import KEYS
from pcaps.lab.plant.stations.report import Line
from pcaps.lab.problems import LabError

#: How long after its time a client may still wait for answers that were lost.
_PATIENCE_S: Final = 60.0
#: Frames that the link holds back still have to come out at its other end.
_SETTLE_S: Final = 0.3
_POLL_S: Final = 0.02

TRUTH: Final = "link.jsonl"
FACTS: Final = "facts.json"


@dataclass(frozen=True, slots=True)
class Played:
    """One recording: its folder, and what is true of it."""

    scenario: Scenario
    folder: Path
    #: What every client asked and was answered.
    operations: Sequence[Line]
    removed: Removed | None

    @property
    def link_log(self) -> Path:
        """What the link did to each frame."""
        return self.folder / TRUTH

    def capture(self, span: str) -> Path:
        """The capture of a mirror port."""
        return self.folder / f"{span}.pcapng"


def play(plant: Plant, chosen: Scenario, folder: Path, *, seconds: float | None = None) -> Played:
    """Play a scenario and record it into a folder that does not exist yet; whole, or not at all. LabError."""
    refuse_existing(folder)
    refuse_missing(chosen)
    for_s = chosen.seconds if seconds is None else seconds
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        half_made = Path(scratch) / "recording"
        half_made.mkdir()
        plant.set_link(chosen.link, half_made / TRUTH)
        try:
            with _serving(plant, chosen), recording(plant, chosen.spans, Path(scratch)) as pcaps:
                operations = perform(plant, chosen.tasks(for_s), patience_s=for_s + _PATIENCE_S)
                time.sleep(_SETTLE_S)
        finally:
            # Its log is about to be moved, and what comes next is no part of it.
            plant.set_link(LinkSettings(), plant.places.folder / "truth.jsonl")
        removed = _write_captures(chosen, pcaps, half_made)
        facts = {
            "scenario": chosen.name,
            "seconds": for_s,
            "operations": operations,
            "removed": None if removed is None else asdict(removed),
        }
        (half_made / FACTS).write_text(json.dumps(facts, indent=1) + "\n")
        shutil.move(half_made, folder)
    return Played(chosen, folder, operations, removed)


def played(folder: Path) -> Played:
    """A recording that was made before. LabError where the folder holds none."""
    try:
        facts = json.loads((folder / FACTS).read_text())
        removed = None if facts["removed"] is None else Removed(**facts["removed"])
        return Played(scenario(facts["scenario"]), folder, facts["operations"], removed)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{folder}: not a recording of the lab ({error}); make one with: geophone lab run SCENARIO --out {folder}"
        ) from error


def refuse_existing(folder: Path) -> None:
    """LabError where something has the recording's name already."""
    if folder.exists():
        raise LabError(f"{folder} exists already: name another folder with --out, or remove it")


def perform(
    plant: Plant,
    tasks: Sequence[Task],
    *,
    patience_s: float,
    stop: Callable[[], bool] = lambda: False,
) -> list[Line]:
    """Let every task happen at its time; what their clients report. LabError where one fails.

    Where `stop` says so, those that still run are ended, and nothing is reported.
    """
    start = time.monotonic()
    waiting = sorted(tasks, key=lambda task: task.after_s)
    started: list[tuple[Task, Process]] = []
    try:
        while waiting:
            if stop():
                return []
            if time.monotonic() - start >= waiting[0].after_s:
                task = waiting.pop(0)
                started.append((task, _start(plant, task, len(started))))
            else:
                time.sleep(_POLL_S)
        while not all(process.ended for _, process in started):
            if stop():
                return []
            if time.monotonic() - start > patience_s:
                break  # finish() says which, and that it did not end
            time.sleep(_POLL_S)
        return [line for task, process in started for line in _report(task, process.finish(1.0))]
    finally:
        for _, process in started:
            process.stop()


@contextmanager
def _serving(plant: Plant, chosen: Scenario) -> Iterator[None]:
    """The scenario's own servers, ready. LabError where one cannot start."""
    with ExitStack() as undo:
        for number, server in enumerate(chosen.servers):
            process = _start(plant, server, number)
            undo.callback(process.stop)
            services.wait(process)
        yield


def _start(plant: Plant, task: Task, number: int) -> Process:
    places = plant.places
    if task.program == SSH:
        options = task.options
        command = services.ssh_command(places, **options)
    else:
        command = services.station_command(task.program, _filled(task.options, str(places.keys)))
    log = places.logs / f"{task.station}-{task.program}-{number}.log"
    log.unlink(missing_ok=True)
    return Process(f"{task.program} of {task.station}", plant.namespace(task.station), command, log)


def _filled(options: dict[str, Any], keys: str) -> dict[str, Any]:
    return {name: keys if value == KEYS else value for name, value in options.items()}


def _report(task: Task, said: str) -> list[Line]:
    if task.program == SSH:
        host = task.options["through"] or task.options["host"]
        return [{"protocol": "ssh", "server": address(host), "operation": "login", "asked": 1, "answered": 1}]
    lines: list[Line] = json.loads(said.strip().splitlines()[-1])
    return lines


def _write_captures(chosen: Scenario, pcaps: dict[str, Path], folder: Path) -> Removed | None:
    removed = None
    for span, pcap in pcaps.items():
        seen = captured(pcap)
        if not seen:
            raise LabError(f"nothing was heard on {span}: the lab's mirror ports do not work on this machine")
        if chosen.removed_share:
            seen, removed = without(seen, chosen.removed_share, chosen.link.seed)
        (folder / f"{span}.pcapng").write_bytes(as_capture(seen, span, chosen.name))
    return removed
