"""A filled store and the whole application over it: what the tests of the API and the pages share."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.settings import ApiSettings
from dashboards.app import add_pages
from store.baselines import keep_baseline
from store.client import Store, open_store
from tests.analyzers.baseline.teaching import taught
from tests.support import plausible_day

OPERATOR = "a.ito"


#: What is usual at a site that the store has no replay of.
ELSEWHERE: Final = replace(taught(), site="elsewhere")


@pytest.fixture(scope="session")
def day_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store of the plausible day, one hostile finding and a baseline: copied, never opened, by the tests."""
    folder = tmp_path_factory.mktemp("day") / "store"
    with open_store(folder) as store:
        plausible_day.fill(store, extra=(plausible_day.hostile_finding(),))
        keep_baseline(store, ELSEWHERE)
    return folder


@contextmanager
def _copy(day_folder: Path, folder: Path) -> Iterator[Store]:
    # symbolic links: the engine's own, from its databases to their files
    shutil.copytree(day_folder, folder, symlinks=True)
    with open_store(folder) as store:
        yield store


def application(store: Store) -> FastAPI:
    """The API and the pages over a store."""
    app = create_app(store, ApiSettings(operator=OPERATOR, poll_seconds=1))
    add_pages(app, store)
    return app


class Client(httpx.Client):
    """A client of one served application."""

    def __init__(self, app: FastAPI, origin: str) -> None:
        super().__init__(base_url=origin, timeout=30)
        self.app = app
        self.origin = origin


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve the application on a free port of the loopback address; its origin."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", lifespan="off", ws="none", http="h11")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            # the socket listens already: a first request waits for the server, it is not refused
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(30)


@contextmanager
def client_of(store: Store) -> Iterator[Client]:
    """A client of the whole application over a store."""
    app = application(store)
    with served(app) as origin, Client(app, origin) as client:
        yield client


# The embedded engine serves one folder at a time in a process: a module uses one of these three fixtures.


@pytest.fixture(scope="module")
def client(day_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of the application over the plausible day, for tests that only read."""
    with _copy(day_folder, tmp_path_factory.mktemp("read") / "store") as store, client_of(store) as opened:
        yield opened


@pytest.fixture
def deciding_client(day_folder: Path, tmp_path: Path) -> Iterator[Client]:
    """A client of the application over a day of its own, for tests that change something."""
    with _copy(day_folder, tmp_path / "store") as store, client_of(store) as opened:
        yield opened


@pytest.fixture(scope="module")
def empty_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of the application over a store in which nothing is."""
    with open_store(tmp_path_factory.mktemp("empty") / "store") as store, client_of(store) as opened:
        yield opened


def form_token(page: str) -> str:
    """The token of the last form of a page."""
    found: list[str] = re.findall(r'name="token" value="([^"]+)"', page)
    return found[-1]
