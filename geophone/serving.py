"""`geophone serve`: a store in, API and pages on 127.0.0.1 out."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Final

import uvicorn

from api.app import create_app
from api.settings import ApiSettings
from dashboards.app import add_pages
from geophone.errors import UsageProblem
from store.client import Store, open_store

#: What the server imports only when it starts.
SERVER_PARTS: Final = ("uvicorn.lifespan.on", "uvicorn.loops.auto", "uvicorn.protocols.http.auto")

#: Ports tried after the first one is taken.
_PORTS_TRIED = 50
#: The first descriptor that a service manager hands over (sd_listen_fds(3)).
_HANDED_OVER: Final = 3


def serve_store(store_url: str, port: int, operator: str) -> None:
    """Open the store and serve it until Ctrl-C."""
    with listening_socket(port) as listening, open_store(store_url) as store:
        pages = Pages(listening)
        print(f"Geophone listens on {pages.url}")  # noqa: T201
        pages.serve(store, operator)


def serve(store: Store, port: int, *, operator: str, announce: Callable[[str], None]) -> None:
    """Serve an open store on the first free port from `port` on; returns after Ctrl-C."""
    pages = Pages(listening_socket(port))
    announce(pages.url)
    pages.serve(store, operator)


class Pages:
    """API and pages on a socket that listens already: a browser that is too early waits instead of being refused."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._server: uvicorn.Server | None = None
        self._stopped = False

    @property
    def url(self) -> str:
        """Where they are."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def serve(self, store: Store, operator: str) -> None:
        """Until Ctrl-C, SIGTERM or `stop`."""
        app = create_app(store, ApiSettings(operator=operator))
        add_pages(app, store)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=3
        )
        self._server = uvicorn.Server(config)
        self._server.should_exit = self._stopped
        try:
            self._server.run(sockets=[self._listening])
        except KeyboardInterrupt:
            return
        finally:
            self._listening.close()

    def stop(self) -> None:
        """Come to an end. May be called from any thread, before `serve` too."""
        self._stopped = True
        if self._server is not None:
            self._server.should_exit = True


def listening_socket(first_port: int) -> socket.socket:
    """The socket that a service manager handed over; else one on the first free port from this one on.

    Raises UsageProblem where none is free.
    """
    if (handed := _handed_over()) is not None:
        return handed
    for port in range(first_port, min(first_port + _PORTS_TRIED, 65536)):
        candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
            candidate.listen(128)
        except OSError:
            candidate.close()
            continue
        return candidate
    raise UsageProblem(
        f"--port {first_port}: this port and the next {_PORTS_TRIED} are taken; name another one"
    )


def handing_over(listening: socket.socket, command: Sequence[str]) -> list[str]:
    """The command line that runs a command with this listening socket, as a service manager would (sd_listen_fds(3)).

    Give the socket's descriptor to the process (`pass_fds`): it is the same process that becomes the command.
    """
    script = (
        f"import os, sys; os.dup2(int(sys.argv[1]), {_HANDED_OVER}); "
        "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); os.execvp(sys.argv[2], sys.argv[2:])"
    )
    return [sys.executable, "-c", script, str(listening.fileno()), *command]


def _handed_over() -> socket.socket | None:
    """The one listening socket that this process was started with (sd_listen_fds(3)); None without one.

    Raises UsageProblem where it is of another address than 127.0.0.1: who may ask is decided by who can reach it.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    # What we start must not take it for its own.
    del os.environ["LISTEN_PID"], os.environ["LISTEN_FDS"]
    handed = socket.socket(fileno=_HANDED_OVER)
    if handed.family != socket.AF_INET or handed.getsockname()[0] != "127.0.0.1":
        raise UsageProblem(
            "the socket that was handed over (LISTEN_FDS) does not listen on 127.0.0.1: have it listen there"
        )
    return handed
