"""The folder of an embedded store: made where it is missing, refused where it is not ours, one process at a time.

What is in it:
    geophone.lock   held with flock(2) while a process has the store open; its text is that process's id
    engine.xml      memory and threads of the embedded engine, written again at every start
    data/           the engine's own
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Final

from store.errors import StoreDenied, StoreError, StoreFull, StoreInUse

_LOCK: Final = "geophone.lock"
_ENGINE_FILE: Final = "engine.xml"
_DATA: Final = "data"
_OURS: Final = frozenset({_LOCK, _ENGINE_FILE, _DATA, "lost+found"})

# 700 MB still serve every page; without a limit the engine takes what the machine has. Two background threads:
# merging is not worth taking the analysis's cores.
_ENGINE_SETTINGS: Final = """<clickhouse>
    <max_server_memory_usage>1500000000</max_server_memory_usage>
    <mark_cache_size>67108864</mark_cache_size>
    <background_pool_size>2</background_pool_size>
    <logger><level>none</level></logger>
</clickhouse>
"""


class StoreFolder:
    """A folder taken by this process: from construction, which may raise, until `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            _prepare(path)
            self._lock = _take_lock(path)
        except OSError as error:
            raise _explained(path, error) from error
        try:
            self.engine_file.write_text(_ENGINE_SETTINGS)
        except OSError as error:
            self.release()
            raise _explained(path, error) from error

    @property
    def data(self) -> Path:
        """Where the engine keeps its tables."""
        return self.path / _DATA

    @property
    def engine_file(self) -> Path:
        """The engine's configuration."""
        return self.path / _ENGINE_FILE

    def free_bytes(self) -> int:
        """Bytes that the folder's file system has left for us."""
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize

    def release(self) -> None:
        """Let another process have the folder. A second call does nothing."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _prepare(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise StoreError(
            f"{path} is a file, not a folder: name the folder that holds (or shall hold) the store"
        )
    path.mkdir(mode=0o700, parents=True, exist_ok=True)  # what it holds maps the plant
    names = {entry.name for entry in path.iterdir()}
    if names and not names <= _OURS:
        other = min(names - _OURS)
        if _DATA not in names or _LOCK not in names:
            raise StoreError(
                f"{path} is not a store: there is {other} in it; name an empty folder or one that does not exist yet"
            )


def _take_lock(path: Path) -> int:
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        who = "this process itself" if holder == str(os.getpid()) else f"process {holder}"
        raise StoreInUse(
            f"the store {path} is in use by {who} (pid {holder}); an embedded store serves one process at a "
            "time: stop that process, name another folder, or use a ClickHouse server"
        ) from None
    except BaseException:
        os.close(lock)
        raise
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _explained(path: Path, error: OSError) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full_disk(path)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreDenied(
            f"the store {path} cannot be written ({error.strerror}: {error.filename}): give this user write "
            "permission or name another folder"
        )
    return StoreError(f"the store {path} cannot be opened ({error.strerror}: {error.filename})")


def full_disk(path: Path) -> StoreFull:
    """The error of a full disk under an embedded store."""
    return StoreFull(
        f"the disk of the store {path} is full: what was stored before is still there; free some space (or "
        "move the folder to a larger disk) and run the same command again"
    )
