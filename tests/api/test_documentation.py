"""The API's own description, usable offline."""

from __future__ import annotations

import re
from typing import Any

from api.documentation import models_of, type_of
from api.settings import ApiSettings
from tests.support.web import Client


def _description(client: Client) -> dict[str, Any]:
    body: dict[str, Any] = client.get("/api/openapi.json").json()
    return body


def test_the_page_tells_every_route_parameter_and_field(client: Client) -> None:
    page = client.get("/api/docs").text
    description = _description(client)
    for path, methods in description["paths"].items():
        assert f"<code>{path}</code>" in page
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                assert f'<th scope="row">{parameter["name"]}' in page
    for model in models_of(description):
        assert f'id="{model.name}"' in page


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing(client: Client) -> None:
    page = client.get("/api/docs").text
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', page)) <= {
        "/api/docs.css",
        "data:,",
        "/",
        "/api/openapi.json",
    }


def test_pages_are_not_part_of_the_api(client: Client) -> None:
    assert all(path.startswith("/api/v1/") for path in _description(client)["paths"])


def test_every_parameter_and_setting_says_what_it_is(client: Client) -> None:
    for path, methods in _description(client)["paths"].items():
        for operation in methods.values():
            assert operation["description"], path
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    assert parameter.get("description"), f"{path}: {parameter['name']}"
    for name, field in ApiSettings.model_fields.items():
        assert field.description, name


def test_types_are_told_in_words() -> None:
    assert type_of({"$ref": "#/components/schemas/Finding"}) == "Finding"
    assert type_of({"anyOf": [{"type": "integer"}, {"type": "null"}]}) == "integer or null"
    assert type_of({"type": "array", "items": {"enum": ["high", "low"]}}) == "list of high | low"
    assert type_of({"type": "object", "additionalProperties": {"type": "integer"}}) == "map to integer"
