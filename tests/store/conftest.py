"""Stores for the tests: embedded, each in a folder of its own, and on a real server, each in a database of its own.

The embedded engine serves one folder at a time in a process: a test that opens its own closes the others first,
and no fixture keeps one open over several tests.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.client import Store, open_store
from tests.store.faulty_network import FaultyNetwork
from tests.store.fetch_server import LIBRARY
from tests.store.real_server import RealServer

_numbers = itertools.count(1)


#: The session's server, once a test has asked for it.
_RUNNING: list[RealServer] = []


@pytest.fixture(scope="session")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is room, else on disk: hundreds of stores are synced to it."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    if shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2 << 30:
        with tempfile.TemporaryDirectory(prefix="geophone-tests-", dir=shared) as folder:
            yield Path(folder)
    else:
        yield tmp_path_factory.mktemp("memory")


@pytest.fixture(scope="session")
def template(memory: Path) -> Path:
    """The folder of a new, empty store."""
    open_store(memory / "template").close()
    return memory / "template"


@pytest.fixture
def folder(template: Path, memory: Path) -> Iterator[Path]:
    """The folder of a new, empty store, of this test alone."""
    copy = memory / f"store-{next(_numbers)}"
    shutil.copytree(template, copy, symlinks=True)
    yield copy
    shutil.rmtree(copy)


@pytest.fixture(scope="session")
def server(memory: Path) -> Iterator[RealServer]:
    """A running ClickHouse server."""
    if not LIBRARY.exists():
        pytest.skip("no ClickHouse server was fetched: run `python -m tests.store.fetch_server`")
    with RealServer(memory / "clickhouse") as running:
        _RUNNING.append(running)
        yield running
        _RUNNING.clear()


@pytest.fixture
def database() -> Iterator[str]:
    """A database name that no other test uses; what was made of it is dropped."""
    name = f"mine_{next(_numbers)}"
    yield name
    for running in _RUNNING:
        if running.is_running:
            running.drop(name)


@pytest.fixture
def network(server: RealServer) -> Iterator[FaultyNetwork]:
    """A network in front of the server that can break."""
    with FaultyNetwork(server.port) as faulty:
        yield faulty


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.server)])
def address(request: pytest.FixtureRequest, database: str) -> str:
    """The address of a new, empty store: what is promised holds for both engines."""
    if request.param == "embedded":
        folder: Path = request.getfixturevalue("folder")
        return f"chdb://{folder}"
    running: RealServer = request.getfixturevalue("server")
    return running.url(database)


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    """A new, empty store, open."""
    with open_store(address) as opened:
        yield opened


@pytest.fixture
def embedded(folder: Path) -> Iterator[Store]:
    """A new, empty store in a folder, open."""
    with open_store(folder) as opened:
        yield opened
