"""Everything once, on a sample and a store that is thrown away: what is imported at its first use is imported now.

What root installed, another user may not be able to read; and `geophone run` becomes another user before it starts.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any, Final

import uvicorn

from api.app import create_app
from api.settings import ApiSettings
from dashboards.app import add_pages
from geophone.live.session import Listened, Session
from geophone.serving import SERVER_PARTS
from pcaps import sample
from policy.loader import load
from sensors.capture import open_capture
from sensors.engine import decode
from store.client import Store, open_store

_SAMPLE: Final = "unauthorised-write"
_PAGES: Final = (
    "/",
    "/security/alerts",
    "/network",
    "/audit",
    "/api/v1/alerts",
    "/api/docs",
    "/static/geophone.css",
)


def everybody_reads_us() -> bool:
    """Whether any user can import what this process can: the interpreter's own modules, the packages, and ours."""
    roots = (Path(os.__file__).parent, Path(uvicorn.__file__).parent, Path(__file__).parent)
    return all(_open_to_all(folder) for root in roots for folder in (root, *root.parents))


def _open_to_all(folder: Path) -> bool:
    return folder.stat().st_mode & 0o005 == 0o005


def rehearse() -> None:
    """Judge, measure, store and serve a sample, to nowhere."""
    for module in SERVER_PARTS:
        __import__(module)
    one = sample(_SAMPLE)
    with tempfile.TemporaryDirectory(prefix="geophone-rehearsal-") as folder, open_store(folder) as store:
        with (
            Session(Listened("rehearsal", 0), load(one.policy), store) as session,
            decode(open_capture(one.capture)) as run,
        ):
            for batches in run:
                session.feed(batches, one.frames)
        asyncio.run(_ask_for_all(store))


async def _ask_for_all(store: Store) -> None:
    app = create_app(store, ApiSettings(operator="rehearsal"))
    add_pages(app, store)
    for path in _PAGES:
        await app(_scope(path), _nothing_more, _to_nowhere)


def _scope(path: str) -> dict[str, Any]:
    """A GET of a page, as an ASGI server gives it to the application (ASGI 3.0, HTTP connection scope)."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"accept-encoding", b"gzip")],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }


async def _nothing_more() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _to_nowhere(message: Any) -> None:
    """Takes a part of the answer."""
