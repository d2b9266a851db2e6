"""Policies: the text that a finding was judged under."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from api.context import StoreDependency
from api.problems import UnknownThing, refuse_parameters
from store.queries import replays

router = APIRouter(tags=["policies"])


@router.get(
    "/policies/{sha256}.yaml",
    dependencies=[Depends(refuse_parameters)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
def policy_text(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the policy file")],
    store: StoreDependency,
) -> Response:
    """The policy as it was loaded, byte for byte."""
    text = replays.policy_text(store, sha256)
    if text is None:
        raise UnknownThing("policy", sha256, "/api/v1/replays names the policy of each replay")
    # plain text, not YAML: a browser shows it and nothing interprets it
    return Response(text, media_type="text/plain; charset=utf-8")
