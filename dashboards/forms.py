"""Forms of our pages: read once, and only where they carry our token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import Request
from starlette.datastructures import UploadFile

from api import csrf
from api.context import ContextDependency
from api.problems import FieldProblem, Problem

#: Fields and their lengths are few and short; more is not a form of ours.
_FIELDS_LIMIT = 16


def form_with(*fields: str) -> Callable[[Request, ContextDependency], Awaitable[Mapping[str, str]]]:
    """A dependency: the form's text fields.

    It raises `Problem`: 403 without our token, 422 with a field that is none of `fields`.
    """

    async def read(request: Request, context: ContextDependency) -> Mapping[str, str]:
        async with request.form(max_files=0, max_fields=_FIELDS_LIMIT) as form:
            values = {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
        if not context.tokens.accepts(request.cookies.get(csrf.COOKIE), values.pop(csrf.FIELD, "")):
            raise Problem(
                403, "the form carries no valid token", "load the page again and repeat what you did"
            )
        strange = sorted(values.keys() - set(fields))
        if strange:
            errors = [
                FieldProblem(parameter=name, problem="unknown field", repair="leave it out")
                for name in strange
            ]
            raise Problem(
                422, f"refused because of: {', '.join(strange)}", "use the form of the page", errors
            )
        return values

    return read
