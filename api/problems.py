"""Errors as problem details (RFC 9457): what is wrong, where, and what to do about it."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, get_args, get_origin, get_type_hints

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MEDIA_TYPE: Final = "application/problem+json"


class FieldProblem(BaseModel):
    """One thing that is wrong with one parameter or body field."""

    parameter: str
    problem: str
    repair: str


class ProblemDetails(BaseModel):
    """The body of every error answer (RFC 9457, clause 3)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    repair: str = ""
    errors: list[FieldProblem] = []


class Problem(Exception):
    """An answer that is an error: raised by routes, rendered as JSON by the API and as a page by the pages."""

    def __init__(
        self, status: int, detail: str, repair: str = "", errors: Sequence[FieldProblem] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.repair = repair
        self.errors = tuple(errors)

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def body(self, path: str) -> ProblemDetails:
        """The problem as it is sent for a request of `path`."""
        return ProblemDetails(
            type="about:blank",
            title=self.title,
            status=self.status,
            detail=self.detail,
            instance=path,
            repair=self.repair,
            errors=list(self.errors),
        )


class UnknownThing(Problem):
    """Something was asked for that is not there: 404."""

    def __init__(self, noun: str, name: str, where: str) -> None:
        super().__init__(404, f"there is no {noun} '{name}'", f"the list of what there is: {where}")


def response(problem: Problem, path: str) -> Response:
    """The problem as an HTTP response."""
    return JSONResponse(problem.body(path).model_dump(), problem.status, media_type=MEDIA_TYPE)


def from_validation(error: RequestValidationError, endpoint: Callable[..., object] | None) -> Problem:
    """Every refused parameter or field at once, each with its repair: 422."""
    known = known_parameters(endpoint) if endpoint else ()
    errors = [_field_problem(entry, known) for entry in error.errors()]
    names = ", ".join(sorted({entry.parameter for entry in errors}))
    return Problem(
        422, f"refused because of: {names}", "see `errors`: each names its parameter and the repair", errors
    )


def known_parameters(endpoint: Callable[..., object]) -> tuple[str, ...]:
    """The query parameters that an endpoint declares: the fields of its parameter models, by alias."""
    names: list[str] = []
    for hint in get_type_hints(endpoint, include_extras=True).values():
        for candidate in get_args(hint) if get_origin(hint) is not None else ():
            if inspect.isclass(candidate) and issubclass(candidate, BaseModel):
                names += [field.alias or name for name, field in candidate.model_fields.items()]
    return tuple(names)


def refuse_parameters(request: Request) -> None:
    """A dependency for routes without query parameters: any is refused."""
    refuse_unknown(request.query_params.keys(), ())


def refuse_unknown(names: Iterable[str], known: Sequence[str]) -> None:
    """Raise a 422 that names every parameter that is not among the known ones."""
    errors = [_unknown(name, known) for name in names if name not in known]
    if errors:
        raise Problem(
            422, f"refused because of: {', '.join(e.parameter for e in errors)}", errors[0].repair, errors
        )


def _unknown(name: str, known: Sequence[str]) -> FieldProblem:
    near = difflib.get_close_matches(name, known, 1)
    if near:
        repair = f"did you mean '{near[0]}'?"
    elif known:
        repair = f"known parameters: {', '.join(sorted(known))}"
    else:
        repair = "leave it out: no parameters are taken here"
    return FieldProblem(parameter=name, problem="unknown parameter", repair=repair)


def _field_problem(entry: Mapping[str, Any], known: Sequence[str]) -> FieldProblem:
    place = [str(part) for part in entry["loc"]]
    name = ".".join(place[1:]) or place[0]
    if entry["type"] == "extra_forbidden" and place[0] == "query":
        return _unknown(name, known)
    return FieldProblem(parameter=name, problem=str(entry["msg"]), repair=_repair(entry))


def _repair(entry: Mapping[str, Any]) -> str:
    """What to do, from what pydantic knows about the refusal."""
    context: Mapping[str, Any] = entry.get("ctx") or {}
    kind = str(entry["type"])
    if "expected" in context:
        return f"use one of {context['expected']}"
    if kind == "missing":
        return "add it"
    if kind == "extra_forbidden":
        return "leave it out"
    if kind.startswith(("datetime", "timezone")):
        return "use a time like 2026-03-03T05:00:00Z"
    limits = [f"{word} {context[key]}" for key, word in _LIMITS if key in context]
    return f"use a value {' and '.join(limits)}" if limits else "correct the value"


_LIMITS: Final = (
    ("ge", "of at least"),
    ("le", "of at most"),
    ("gt", "above"),
    ("lt", "below"),
    ("max_length", "no longer than"),
    ("min_length", "no shorter than"),
    ("pattern", "that matches"),
)
