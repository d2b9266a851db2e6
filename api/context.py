"""What the routes and pages work with, handed to them by dependency: the store, the settings, the form tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from api.csrf import FormTokens
from api.settings import ApiSettings
from store.client import Store


@dataclass(frozen=True, slots=True)
class Context:
    """One application's parts."""

    store: Store
    settings: ApiSettings
    tokens: FormTokens = field(default_factory=FormTokens)


def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


def _store(request: Request) -> Store:
    return _context(request).store


ContextDependency = Annotated[Context, Depends(_context)]
StoreDependency = Annotated[Store, Depends(_store)]
