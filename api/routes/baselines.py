"""Baselines: what a replay was compared with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from api.context import StoreDependency
from api.problems import UnknownThing, refuse_parameters
from store.baselines import baseline_text

router = APIRouter(tags=["policies"])


@router.get(
    "/baselines/{sha256}.baseline",
    dependencies=[Depends(refuse_parameters)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
def kept_baseline(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the baseline")],
    store: StoreDependency,
) -> Response:
    """A baseline that is kept in the store, byte for byte as its file: for `geophone replay --baseline`."""
    text = baseline_text(store, sha256)
    if text is None:
        raise UnknownThing("baseline", sha256, "/api/v1/replays names the baseline of each replay")
    return Response(text, media_type="text/plain; charset=utf-8")
