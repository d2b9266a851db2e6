"""What is left of a plant on disk: which namespaces are its own, whether it is whole, and who works with it.

A folder for each lab, by its name. A process that builds, plays on or removes a plant holds the folder's lock; the
kernel gives the lock back however that process ends, so that what it left behind is known for what it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

from pcaps.lab.problems import LabError

#: Of the machine: a lab is found again by whoever is root there.
HOME: Final = Path("/var/lib/geophone-lab")
DEFAULT_NAME: Final = "geolab"
#: Names of namespaces are made of it; of interfaces they are not.
_NAME: Final = re.compile(r"[a-z][a-z0-9]{0,15}")

#: building: not whole yet; up: kept until `lab down`; own: of one command, which removes it.
Stage = Literal["building", "up", "own"]


class LabState:
    """The folder of one lab."""

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise LabError(f"--name {name}: a lab's name is up to 16 lower-case letters and digits")
        self.name = name
        self.folder = HOME / name
        self._lock = self.folder / "lock"
        self._file = self.folder / "state.json"

    @property
    def known(self) -> bool:
        """Whether anything is left of such a lab."""
        return self._file.exists()

    @property
    def stage(self) -> str:
        """How far it is, a `Stage`; empty where nothing is left of it."""
        return str(self._read()["stage"]) if self.known else ""

    @property
    def namespaces(self) -> list[str]:
        """The namespaces that it made, or was about to."""
        return [str(name) for name in self._read()["namespaces"]] if self.known else []

    def write(self, stage: Stage, namespaces: list[str]) -> None:
        """Remember, before the first namespace is made."""
        waiting = self._file.with_suffix(".new")
        waiting.write_text(json.dumps({"stage": stage, "namespaces": namespaces}))
        waiting.replace(self._file)

    def clear(self) -> None:
        """Nothing is left of the lab; the folder stays for who holds it, and goes when they let it go."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path != self._lock:
                path.unlink()

    def forget(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            HOME.rmdir()  # not empty: another lab's folder is in it

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Work with the lab, alone. LabError where another process does."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        with self._lock.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                who = lock.read().strip() or "unknown"
                raise LabError(
                    f"the lab {self.name} is in use by process {who}: wait until it ends, stop it, or name another "
                    "lab with --name"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            try:
                yield
            finally:
                if not self.known:
                    self.forget()

    def _read(self) -> dict[str, Any]:
        try:
            said = json.loads(self._file.read_text())
        except (OSError, ValueError) as error:
            raise LabError(
                f"{self._file}: cannot be read ({error}); remove {self.folder}, and the namespaces "
                f"{self.name}-… with: ip netns del"
            ) from error
        return dict(said)


def labs() -> list[LabState]:
    """Every lab of this machine of which something is left, by name."""
    if not HOME.is_dir():
        return []
    return [LabState(path.name) for path in sorted(HOME.iterdir()) if (path / "state.json").exists()]
