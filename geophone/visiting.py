"""`geophone access`: a capture and a policy in; its visitors' book out: who came in from outside, and what it broke."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from analyzers.access.visitors import Visitors
from analyzers.conversations import Conversations
from geophone.errors import UsageProblem
from geophone.listing import Form, Head, warn, write_rows
from policy.checks import CHECKS
from policy.checks.base import AccessCheck
from policy.hours import length_text, local_text
from policy.loader import load
from policy.visits import ONWARD
from policy.zoning import CompiledSite, compile_site
from sensors.addresses import address_text
from sensors.capture import open_capture
from sensors.engine import EngineLimits, decode

_FIELDS: Final = (
    "begins",
    "ends",
    "seconds",
    "idle_seconds",
    "rule",
    "vendor",
    "origin",
    "came",
    "via",
    "client",
    "server",
    "service",
    "port",
    "approval",
    "second_factor",
    "at_once",
    "established",
    "frame",
    "breaks",
)
_HEADS: Final = (
    Head("begins_shown", "Begins", whole=True),
    Head("length_shown", "Lasts", number=True),
    Head("idle_shown", "Idle", number=True),
    Head("visitor_shown", "Visitor"),
    Head("way_shown", "Way"),
    Head("server_shown", "To"),
    Head("service", "By"),
    Head("approval", "Approval", whole=True),
    Head("second_factor", "2nd factor"),
    Head("breaks", "Breaks"),
)
_SECOND_NS: Final = 1_000_000_000


def print_visits(
    capture: Path,
    policy_file: Path,
    *,
    form: Form = "table",
    limits: EngineLimits | None = None,
    approvals: Path | None = None,
    gateway_log: Path | None = None,
) -> None:
    """Print every session of remote access in a capture, with what it breaks of the policy's rules.

    Raises UsageProblem where the policy has no rules of remote access.
    """
    policy = load(policy_file, approvals, gateway_log)
    site = compile_site(policy.site, policy.evidence)
    if not site.site.remote_access:
        raise UsageProblem(
            f"{policy_file.name} has no `remote_access`; say there who may come in from outside"
        )
    conversations, visitors = Conversations(site), Visitors(site)
    with decode(open_capture(capture), limits=limits) as run:
        for batches in run:
            visitors.feed(conversations.enrich(batches))
        seen = run.summary()["frames"]
    visits = visitors.visits()
    broken = _broken(site, visits)
    rows = [_row(site, visit, broken[visit["visit"]], form) for visit in visits.to_dicts()]
    write_rows(
        rows,
        form,
        _HEADS,
        _FIELDS,
        "Nobody came in from outside." if seen else "No packet was seen: who came in cannot be told.",
    )
    warn(visitors.not_kept, "minutes of sessions had no room and are left out.")
    warn(site.evidence.of_other_rules, "imported approvals name rules that this policy does not have.")


def _broken(site: CompiledSite, visits: pl.DataFrame) -> Mapping[int, list[str]]:
    """The checks that each visit breaks, by the visit's number."""
    broken: defaultdict[int, list[str]] = defaultdict(list)
    for check in CHECKS:
        if isinstance(check, AccessCheck):
            for visit in check.found(site, visits)["visit"].unique().sort():
                broken[visit].append(check.id)
    return broken


def _row(site: CompiledSite, visit: Mapping[str, Any], breaks: list[str], form: Form) -> dict[str, Any]:
    zone = ZoneInfo(site.site.tz)
    rule = next(one for one in site.site.remote_access if one.id == visit["rule"])
    first_ns, last_ns = visit["first_ns"], visit["last_ns"]
    length_ns = last_ns - first_ns
    origin = "" if visit["origin_ip"] is None else address_text(visit["origin_ip"])
    legs = (visit["origin_ip"], visit["jump_client_ip"], visit["client_ip"])
    # Each machine once: without a gateway the origin is who came to the jump host.
    way = list(dict.fromkeys(_named(site, one) for one in legs if one is not None))
    return {
        "begins": _iso(first_ns),
        "ends": _iso(last_ns),
        "seconds": length_ns // _SECOND_NS,
        "idle_seconds": visit["idle_ns"] // _SECOND_NS,
        "rule": rule.id,
        "vendor": rule.vendor,
        "origin": origin,
        "came": visit["came"],
        "via": way if form == "json" else " > ".join(way),
        "client": address_text(visit["client_ip"]),
        "server": address_text(visit["server_ip"]),
        "service": visit["service"],
        "port": visit["server_port"],
        "approval": visit["approval"],
        "second_factor": visit["second_factor"],
        "at_once": visit["at_once"],
        "established": visit["confirmed"],
        "frame": visit["frame"],
        "breaks": breaks,
        "begins_shown": local_text(first_ns, zone),
        "length_shown": length_text(length_ns),
        "idle_shown": length_text(visit["idle_ns"]) if visit["idle_ns"] >= 60 * _SECOND_NS else "",
        "visitor_shown": "" if visit["came"] == ONWARD else (rule.vendor or "own staff"),
        "way_shown": " → ".join(way),
        "server_shown": _named(site, visit["server_ip"]),
    }


def _named(site: CompiledSite, address: bytes) -> str:
    """An asset's id, or the address of what is none."""
    asset = site.asset_of(address)
    return asset.id if asset else address_text(address)


def _iso(at_ns: int) -> str:
    """A moment in UTC, to the second."""
    return datetime.fromtimestamp(at_ns // _SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
