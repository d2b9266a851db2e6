"""Replays: captures judged under a policy, and their canonical findings."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from analyzers.findings import canonical_line
from api.context import StoreDependency
from api.models import ReplayAnswer, ReplaysAnswer
from api.parameters import PageParameters
from api.problems import UnknownThing, refuse_parameters
from store.answers import Replay
from store.client import Store
from store.queries import replays

router = APIRouter(tags=["replays"])


def replay_or_problem(store: Store, replay_id: str) -> Replay:
    """The replay; 404 where there is none of that id."""
    replay = replays.get_replay(store, replay_id)
    if replay is None:
        raise UnknownThing("replay", replay_id, "/api/v1/replays")
    return replay


def canonical_findings(store: Store, replay_id: str) -> bytes:
    """The findings file of a replay, byte for byte as `geophone replay --findings` writes it."""
    return b"".join(canonical_line(finding) for finding in replays.findings(store, replay_id))


@router.get("/replays")
def list_replays(store: StoreDependency, parameters: Annotated[PageParameters, Query()]) -> ReplaysAnswer:
    """A page of replays, newest first."""
    page = replays.list_replays(store, parameters.after, parameters.limit)
    return ReplaysAnswer(replays=[ReplayAnswer.of(row) for row in page.replays], next=page.next)


@router.get("/replays/{replay_id}", dependencies=[Depends(refuse_parameters)])
def get_replay(replay_id: str, store: StoreDependency) -> ReplayAnswer:
    """One replay."""
    return ReplayAnswer.of(replay_or_problem(store, replay_id))


@router.get(
    "/replays/{replay_id}/findings.jsonl",
    dependencies=[Depends(refuse_parameters)],
    response_class=Response,
    responses={200: {"content": {"application/jsonl": {}}}},
)
def get_findings(replay_id: str, store: StoreDependency) -> Response:
    """The findings as canonical JSON lines: their SHA-256 is the replay's `findings_sha256`."""
    replay = replay_or_problem(store, replay_id)
    return Response(
        canonical_findings(store, replay.id),
        media_type="application/jsonl",
        headers={"Content-Disposition": 'attachment; filename="findings.jsonl"'},
    )
