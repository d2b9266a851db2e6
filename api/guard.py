"""What every request must satisfy and every answer must carry, before and after any route.

There is no login in this version: the application listens on the loopback address. That alone does not keep
out a page of another origin in the same browser, so:
    * Host must be the loopback's name: a foreign name that resolves to 127.0.0.1 (DNS rebinding) is refused;
    * a request that changes something must come from this origin (Fetch Metadata, else Origin; RFC 6454);
    * answers are never framed, sniffed, cached or allowed to load anything from elsewhere.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, response

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_ANSWER_HEADERS: Final = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_LOOPBACK_HOST: Final = re.compile(r"(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?", re.ASCII)
_READING_METHODS: Final = frozenset({"GET", "HEAD"})


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on; either way the answer carries the headers."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # nothing here speaks WebSocket: a close before the handshake is answered with 403
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                harden(MutableHeaders(scope=message))
            await send(message)

        problem = refusal(str(scope["method"]), Headers(scope=scope))
        if problem is None:
            await self._app(scope, receive, send_with_headers)
        else:
            await response(problem, str(scope["path"]))(scope, receive, send_with_headers)


def harden(headers: MutableHeaders) -> None:
    """Add what every answer carries. Routes may set their own Cache-Control; nothing else is theirs to weaken."""
    for name, value in _ANSWER_HEADERS:
        headers[name] = value
    headers.setdefault("Cache-Control", "no-store")


def refusal(method: str, headers: Headers) -> Problem | None:
    """Why a request must not reach any route; None where it may."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _LOOPBACK_HOST.fullmatch(hosts[0]):
        return Problem(
            421,
            "the Host header names another host",
            "use http://127.0.0.1 or http://localhost with the port",
        )
    if method in _READING_METHODS:
        return None
    if not _from_here(headers, hosts[0]):
        return Problem(403, "the request comes from another origin", "use the pages of this application")
    return None


def _from_here(headers: Headers, host: str) -> bool:
    """Whether a changing request comes from our own pages, or from a program that is no browser.

    Every browser sends Origin with a POST. A request with neither header is no browser's; it may only speak
    JSON, which a foreign page's form cannot.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        return origin == f"http://{host}"
    if site is not None:
        return True
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
