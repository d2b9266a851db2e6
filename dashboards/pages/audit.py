"""Audit: whether a replay of this capture under this policy gives the same findings, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from analyzers.catalogue import judged_ids
from api.context import ContextDependency
from api.parameters import PageParameters
from api.problems import UnknownThing, refuse_parameters
from api.reproducing import reproduce_command
from api.routes.replays import canonical_findings, replay_or_problem
from api.sites import KnownSite, site_of_policy
from dashboards.protocol_names import protocol
from dashboards.rendering import render
from dashboards.text import from_ns
from store.answers import AlertFilter, ConduitUse, Replay
from store.baselines import baseline_text
from store.client import Store
from store.queries import alerts, replays, sla

router = APIRouter()

_FINDINGS: Final = 50


class ListParameters(PageParameters):
    """A page of replays."""

    limit: int = Field(default=50, ge=1, le=100)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A line of the policy against what was seen."""

    verdict: str  #: not allowed, findings, not seen, matches
    conduit: str
    from_zone: str
    to_zone: str
    allowed: str
    observed: str
    packets: int
    findings: int
    first_frame: int

    @property
    def mark(self) -> str:
        """The mark of the verdict."""
        return {"not allowed": "breached", "findings": "at-risk", "not seen": "no-data", "matches": "met"}[
            self.verdict
        ]


_WORST_FIRST: Final = ("not allowed", "findings", "not seen", "matches")


@router.get("/audit")
def replay_list(
    request: Request, context: ContextDependency, parameters: Annotated[ListParameters, Query()]
) -> Response:
    """Every replay, newest first."""
    page = replays.list_replays(context.store, parameters.after, parameters.limit)
    return render(request, context, "audit/list.html", section="audit", page=page)


@router.get("/audit/{replay_id}", dependencies=[Depends(refuse_parameters)])
def replay_page(replay_id: str, request: Request, context: ContextDependency) -> Response:
    """One replay: what was read, under which policy, with what result, and how to get it again."""
    store = context.store
    replay = replay_or_problem(store, replay_id)
    site = site_of_policy(store, replay.policy_name, replay.policy_sha256)
    values: dict[str, Any] = {"rows": (), "stored_sha256": "", "alerts": (), "allowed": 0}
    if replay.state == "done":
        wanted = AlertFilter(replay=replay.id, suppressed=True)
        values = {
            "rows": _comparison(store, replay, site),
            "stored_sha256": hashlib.sha256(canonical_findings(store, replay.id)).hexdigest(),
            "alerts": alerts.list_alerts(store, wanted, "", _FINDINGS).alerts,
            "allowed": len(site.site.conduits) if site else 0,
        }
    return render(
        request,
        context,
        "audit/replay.html",
        section="audit",
        replay=replay,
        site=site,
        checks=sorted(judged_ids(), key=_by_number),
        command=reproduce_command(replay),
        kept_baselines={file.sha256 for file in replay.inputs if baseline_text(store, file.sha256)},
        **values,
    )


@router.get("/audit/policies/{sha256}", dependencies=[Depends(refuse_parameters)])
def policy_page(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], request: Request, context: ContextDependency
) -> Response:
    """A policy as it was loaded, with line numbers to point at."""
    text = replays.policy_text(context.store, sha256)
    if text is None:
        raise UnknownThing("policy", sha256, "/audit")
    return render(
        request, context, "audit/policy.html", section="audit", sha256=sha256, lines=text.splitlines()
    )


def _by_number(check: str) -> tuple[str, int]:
    """M2 before M10."""
    letters = check.rstrip("0123456789")
    return letters, int(check.removeprefix(letters) or 0)


def _comparison(store: Store, replay: Replay, site: KnownSite | None) -> list[Comparison]:
    """Every conduit and every pair without one, worst first."""
    start, end = from_ns(replay.first_ns), from_ns(replay.last_ns) + timedelta(minutes=1)
    start = start.replace(second=0, microsecond=0)
    uses = [
        use for use in sla.conduit_use(store, start, end, replay=replay.id) if use.from_zone != use.to_zone
    ]
    rows = [*_declared(site, uses), *(_undeclared(site, use) for use in uses if not use.conduit)]
    return sorted(rows, key=lambda row: _WORST_FIRST.index(row.verdict))


def _declared(site: KnownSite | None, uses: Sequence[ConduitUse]) -> list[Comparison]:
    seen = {use.conduit: use for use in uses if use.conduit}
    rows = []
    for conduit in site.site.conduits if site else ():
        use = seen.get(conduit.id)
        allowed = (
            ", ".join(
                dict.fromkeys(
                    protocol(rule.service) if rule.service else "any service" for rule in conduit.allow
                )
            )
            or "nothing"
        )
        rows.append(
            Comparison(
                verdict="not seen" if use is None else "findings" if use.findings else "matches",
                conduit=conduit.id,
                from_zone=_name(site, conduit.from_zone),
                to_zone=_name(site, conduit.to_zone),
                allowed=allowed,
                observed=_observed(use) if use else "–",
                packets=use.packets if use else 0,
                findings=use.findings if use else 0,
                first_frame=use.first_frame if use else 0,
            )
        )
    return rows


def _undeclared(site: KnownSite | None, use: ConduitUse) -> Comparison:
    return Comparison(
        verdict="not allowed",
        conduit="",
        from_zone=_name(site, use.from_zone),
        to_zone=_name(site, use.to_zone),
        allowed="nothing",
        observed=_observed(use),
        packets=use.packets,
        findings=use.findings,
        first_frame=use.first_frame,
    )


def _observed(use: ConduitUse) -> str:
    return ", ".join(protocol(service) or "unknown" for service in use.services) or "unknown"


def _name(site: KnownSite | None, zone_id: str) -> str:
    return site.zone_name(zone_id) if site else zone_id
