"""Adds the pages to the API's application."""

from __future__ import annotations

from typing import Any, Final, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ExceptionHandler

from api.context import Context
from api.problems import Problem
from dashboards.pages import PAGES
from dashboards.rendering import STATIC_FILES, render_problem, static_body, static_mark
from store.client import Store
from store.errors import StoreError

_FOR_EVER: Final = "public, max-age=31536000, immutable"


def add_pages(app: FastAPI, store: Store) -> None:
    """Serve the pages beside the API. The store is the one that the API was made with."""
    context = cast(Context, app.state.context)
    if context.store is not store:
        raise ValueError("the pages and the API must answer from one store")
    for router in PAGES:
        app.include_router(router, include_in_schema=False)
    app.add_api_route("/static/{name}", _static, include_in_schema=False)
    for error in (Problem, HTTPException, RequestValidationError, StoreError, Exception):
        answer_json = cast(Any, app.exception_handlers[error])
        app.add_exception_handler(error, _page_or(answer_json, context))


def _page_or(answer_json: Any, context: Context) -> ExceptionHandler:
    """Errors of the API as the API answers them; all others as a page."""

    async def answer(request: Request, error: Exception) -> Response:
        if request.url.path.startswith("/api/"):
            return cast(Response, await answer_json(request, error))
        return render_problem(request, context, error)

    return answer


def _static(name: str, v: str = "") -> Response:
    """One of our static files, kept for ever by browsers that ask with its mark."""
    if name not in STATIC_FILES:
        raise Problem(404, f"there is no static file '{name}'")
    headers = {"Cache-Control": _FOR_EVER if v == static_mark(name) else "no-cache"}
    return Response(static_body(name), media_type=STATIC_FILES[name], headers=headers)
