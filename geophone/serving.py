"""`geophone serve`: a store in, API and pages on 127.0.0.1 out."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from api.app import create_app
from api.settings import ApiSettings
from dashboards.app import add_pages
from geophone.errors import UsageProblem
from store.client import Store, open_store

#: Ports tried after the first one is taken.
_PORTS_TRIED = 50


def serve_store(store_url: str, port: int, operator: str) -> None:
    """Open the store and serve it until Ctrl-C."""
    with open_store(store_url) as store:
        serve(store, port, operator=operator, announce=lambda url: print(f"Geophone listens on {url}"))  # noqa: T201


def serve(store: Store, port: int, *, operator: str, announce: Callable[[str], None]) -> None:
    """Serve an open store on the first free port from `port` on; returns after Ctrl-C."""
    listening = _listen(port)
    app = create_app(store, ApiSettings(operator=operator))
    add_pages(app, store)
    announce(f"http://127.0.0.1:{listening.getsockname()[1]}")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=3
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        return
    finally:
        listening.close()


def _listen(first_port: int) -> socket.socket:
    for port in range(first_port, min(first_port + _PORTS_TRIED, 65536)):
        candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
            # From here on a browser that is too early waits instead of being refused.
            candidate.listen(128)
        except OSError:
            candidate.close()
            continue
        return candidate
    raise UsageProblem(
        f"--port {first_port}: this port and the next {_PORTS_TRIED} are taken; name another one"
    )
