"""The application: guard, routes, errors and the API's own description."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response

from api.context import Context
from api.documentation import add_documentation
from api.guard import Guard, harden
from api.problems import Problem, ProblemDetails, from_validation, response
from api.routes import ROUTES
from api.settings import ApiSettings
from store.client import Store
from store.errors import StoreError

PREFIX: Final = "/api/v1"
_DESCRIPTION: Final = (
    "What the network shows: zones and conduits against their targets, alerts with their evidence, replays. "
    "Times are UTC, durations are ns, shares are 0 to 1; `null` is 'not measured', never zero. "
    "Unknown query parameters are refused. Errors are problem details (RFC 9457)."
)


def create_app(store: Store, settings: ApiSettings) -> FastAPI:
    """The API over an open store. The caller opens and closes the store, and binds to the loopback address only."""
    settings = settings if settings.version else settings.model_copy(update={"version": _installed_version()})
    app = FastAPI(
        title="Geophone",
        version=settings.version,
        description=_DESCRIPTION,
        # the built-in pages load scripts from elsewhere; ours is rendered here
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
    )
    app.state.context = Context(store, settings)
    problems: dict[int | str, dict[str, object]] = {
        "4XX": {"model": ProblemDetails, "description": "Refused: the problem and its repair"},
        "5XX": {"model": ProblemDetails, "description": "Our failure"},
    }
    for router in ROUTES:
        app.include_router(router, prefix=PREFIX, responses=problems)
    add_documentation(app)
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_problem)
    app.add_exception_handler(StoreError, _answer_problem)
    app.add_exception_handler(Exception, _answer_failure)
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(Guard)
    return app


def problem_of(request: Request, error: Exception) -> Problem:
    """Whatever went wrong, as a problem."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        route = request.scope.get("route")
        return from_validation(error, getattr(route, "endpoint", None))
    if isinstance(error, HTTPException):
        if error.status_code == 404:
            return Problem(404, f"there is no {request.url.path}", "the API's routes: /api/docs")
        return Problem(error.status_code, str(error.detail))
    if isinstance(error, StoreError):
        return Problem(503, str(error), "try again; `geophone` on the command line says more")
    return Problem(500, "the application failed", "its log says where")


async def _answer_problem(request: Request, error: Exception) -> Response:
    return response(problem_of(request, error), request.url.path)


async def _answer_failure(request: Request, error: Exception) -> Response:
    """Our own failure: answered outside of the guard, so it is hardened here; the server logs it afterwards."""
    answer = response(problem_of(request, error), request.url.path)
    harden(answer.headers)
    return answer


def _installed_version() -> str:
    try:
        return version("geophone")
    except PackageNotFoundError:
        return "unknown"
