"""The model: every key is documented, nothing changes after it was read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pydantic
import pytest
from pydantic import BaseModel

from policy.loader import loads
from policy.model import Site
from tests.policy.factories import SITE


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for info in model.model_fields.values():
        yield from _inside(info.annotation)


def _inside(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _models(annotation)
    for part in get_args(annotation):
        yield from _inside(part)


@pytest.mark.parametrize("model", sorted(set(_models(Site)), key=str), ids=str)
def test_every_model_and_key_is_documented_and_closed(model: type[BaseModel]) -> None:
    assert model.__doc__
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["frozen"]
    assert not [name for name, info in model.model_fields.items() if not info.description]


def test_the_walk_above_reaches_the_deepest_models() -> None:
    names = {model.__name__ for model in _models(Site)}
    assert {"Window", "AccessPoint", "AllowRule", "SlaScope", "Poll"} <= names


def test_a_site_never_changes() -> None:
    site = loads(SITE).site
    with pytest.raises(pydantic.ValidationError):
        site.zones[0].id = "other"  # type: ignore[misc]
