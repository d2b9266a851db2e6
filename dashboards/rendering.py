"""From values to pages: templates whose every value is made visible and escaped, cookies, errors in style."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from analyzers.techniques import TECHNIQUES
from api import csrf
from api.app import problem_of
from api.context import Context
from api.guard import harden
from api.models import severity_name
from dashboards import text
from dashboards.protocol_names import protocol
from store.errors import StoreError
from store.queries.health import health

_HERE: Final = Path(__file__).parent
THEME_COOKIE: Final = "geophone_theme"
THEMES: Final = ("light", "dark")
FRAGMENT_HEADER: Final = "x-fragment"

#: The files that pages load, by name: nothing else in the folder is served.
STATIC_FILES: Final = {
    "geophone.css": "text/css",
    "geophone.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def static_body(name: str) -> bytes:
    """One static file."""
    return (_HERE / "static" / name).read_bytes()


def static_mark(name: str) -> str:
    """A mark that changes with the file's content: lets browsers keep it for ever."""
    return hashlib.sha256(static_body(name)).hexdigest()[:12]


def _shown(value: object) -> object:
    """What a template prints: text from the wire or a policy never hides or reorders characters."""
    return text.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _technique(id_: str) -> str:
    """A technique of ATT&CK for ICS with its name: rules of a site may name one that is none."""
    return f"{id_} {TECHNIQUES[id_][0]}" if id_ in TECHNIQUES else id_


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        at=text.at,
        clock=text.clock,
        clock_ns=text.clock_ns,
        count=text.count,
        day=text.day,
        duration=text.duration,
        from_ns=text.from_ns,
        milliseconds=text.milliseconds,
        headline=text.headline,
        percent=text.percent,
        protocol=protocol,
        sentence=text.sentence,
        short_hash=text.short_hash,
        significant=text.significant,
        size=text.size,
        span=text.span,
        technique=_technique,
        severity_name=severity_name,
        mark_name=lambda status: str(status).replace(" ", "-"),
    )
    environment.globals.update(
        static_marks={name: static_mark(name) for name in STATIC_FILES}, form_field=csrf.FIELD
    )
    return environment


_TEMPLATES: Final = _environment()


def is_fragment(request: Request) -> bool:
    """Whether our script asks for the part of a page that changes."""
    return FRAGMENT_HEADER in request.headers


def render(
    request: Request, context: Context, template: str, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page: the template with the values and what every page has. Sets the visit's cookie where there is none."""
    cookie = request.cookies.get(csrf.COOKIE)
    visit = context.tokens.visit(cookie)
    theme = request.cookies.get(THEME_COOKIE, "")
    body = _TEMPLATES.get_template(template).render(
        settings=context.settings,
        theme=theme if theme in THEMES else "",
        here=_here(request),
        token=lambda: context.tokens.token(visit),
        last_packet=_last_packet(context),
        **values,
    )
    response = HTMLResponse(body, status, headers={"Vary": "X-Fragment, Cookie"})
    if visit != cookie:
        response.set_cookie(csrf.COOKIE, visit, httponly=True, samesite="strict", path="/")
    return response


def render_problem(request: Request, context: Context, error: Exception) -> HTMLResponse:
    """An error as a page in style."""
    problem = problem_of(request, error)
    try:
        response = render(request, context, "problem.html", problem.status, problem=problem, section="")
    except StoreError:
        # the header asks the store too: without it the page still says what is wrong
        body = _TEMPLATES.get_template("bare_problem.html").render(problem=problem, settings=context.settings)
        response = HTMLResponse(body, problem.status)
    harden(response.headers)
    return response


def _here(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _last_packet(context: Context) -> datetime | None:
    moment = health(context.store).last_packet
    return moment.astimezone(UTC) if moment else None
