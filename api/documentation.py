"""The API's description as a page of our own: no script, no style sheet and no font from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from api.problems import refuse_parameters

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE: Final = (_HERE / "templates" / "documentation.css").read_text(encoding="utf-8")

router = APIRouter(include_in_schema=False, dependencies=[Depends(refuse_parameters)])


@dataclass(frozen=True, slots=True)
class DocumentedParameter:
    """One parameter of a route, in words."""

    name: str
    place: str
    type: str
    required: bool
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class DocumentedRoute:
    """One route, in words."""

    method: str
    path: str
    summary: str
    anchor: str
    parameters: tuple[DocumentedParameter, ...]
    body: str
    answer: str


@dataclass(frozen=True, slots=True)
class DocumentedModel:
    """One model: its fields, in words."""

    name: str
    description: str
    fields: tuple[DocumentedParameter, ...]


def add_documentation(app: FastAPI) -> None:
    """Serve the page at /api/docs and its style sheet beside it."""
    app.include_router(router)


@router.get("/api/docs", response_class=HTMLResponse)
def documentation_page(request: Request) -> str:
    """The page, made from the description that /api/openapi.json holds."""
    description = request.app.openapi()
    return _TEMPLATES.get_template("documentation.html").render(
        title=description["info"]["title"],
        version=description["info"]["version"],
        introduction=description["info"]["description"],
        groups=routes_by_tag(description),
        models=models_of(description),
    )


@router.get("/api/docs.css")
def documentation_style() -> Response:
    """The page's style sheet."""
    return Response(_STYLE, media_type="text/css")


def routes_by_tag(description: Mapping[str, Any]) -> dict[str, list[DocumentedRoute]]:
    """Every route of an OpenAPI description, by its first tag, in the order declared."""
    groups: dict[str, list[DocumentedRoute]] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation.get("tags", ["other"])[0], []).append(_route(path, method, operation))
    return groups


def models_of(description: Mapping[str, Any]) -> list[DocumentedModel]:
    """Every model with fields of an OpenAPI description, by name."""
    models = []
    for name, schema in sorted(description["components"]["schemas"].items()):
        required = schema.get("required", ())
        fields = tuple(
            DocumentedParameter(
                field, "", type_of(part), field in required, _default(part), str(part.get("description", ""))
            )
            for field, part in schema.get("properties", {}).items()
        )
        if fields:
            models.append(DocumentedModel(name, str(schema.get("description", "")), fields))
    return models


def type_of(schema: Mapping[str, Any]) -> str:
    """A JSON schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(type_of(part) for part in schema[several])
    if "enum" in schema:
        return " | ".join(str(value) or "(empty)" for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"map to {type_of(schema['additionalProperties'])}"
    return str(schema.get("format") or schema.get("type", "any"))


def _route(path: str, method: str, operation: Mapping[str, Any]) -> DocumentedRoute:
    parameters = tuple(
        DocumentedParameter(
            part["name"],
            part["in"],
            type_of(part["schema"]),
            bool(part.get("required")),
            _default(part["schema"]),
            str(part.get("description") or part["schema"].get("description", "")),
        )
        for part in operation.get("parameters", ())
    )
    return DocumentedRoute(
        method=method.upper(),
        path=path,
        summary=str(operation.get("description") or operation.get("summary", "")),
        anchor=str(operation["operationId"]),
        parameters=parameters,
        body=_content(operation.get("requestBody", {})),
        answer=_content(operation["responses"].get("200", {})),
    )


def _content(part: Mapping[str, Any]) -> str:
    """What a body or an answer is: its model, else its media type."""
    for media_type, content in part.get("content", {}).items():
        return type_of(content["schema"]) if content.get("schema") else str(media_type)
    return ""


def _default(schema: Mapping[str, Any]) -> str:
    value = schema.get("default")
    return "" if value is None or value in ("", []) else str(value)
