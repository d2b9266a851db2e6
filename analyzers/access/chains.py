"""Legs in; visits out: each with the remote access rule that it is held against and the legs that led to it.

A person who works on a machine of the plant from outside opened a tunnel to the gateway, a desktop from there to the
jump host, and a session from there to the machine. These are three conversations, and only time tells that they
belong together: each is live when the next one begins.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final

import polars as pl

from policy.evidence import EVIDENCED, INFERRED, MISSING, Evidence
from policy.levels import OFFICE
from policy.model import Approval, RemoteAccess
from policy.prefixes import address_bytes, network_range
from policy.services import UDP
from policy.visits import ONWARD, ONWARD_SERVICES, REMOTE, VISIT, no_visits
from policy.zoning import CompiledSite

_Leg = Mapping[str, Any]

#: A leg that was last seen so long before the next one begins may still be open: a desktop that nobody moves.
LIVE_NS: Final = 120 * 1_000_000_000
#: Legs that are looked at for one that is live: of an attacker's thousands the last ones.
LOOKED_AT: Final = 256
#: Visits that are listed: the first ones.
VISITS_LIMIT: Final = 10_000
#: The DMZ and what is above it is not the plant.
_DMZ: Final = 3.5


@dataclass(frozen=True)
class _Rule:
    """A remote access rule by addresses."""

    rule: RemoteAccess
    sources: tuple[tuple[int, int], ...]
    gateway: bytes | None
    jumps: frozenset[bytes]
    targets: frozenset[bytes]
    approvals: tuple[Approval, ...]

    def comes_from(self, address: bytes) -> str:
        """What the address is to the rule: jump, gateway or source; "" for none of them."""
        if address in self.jumps:
            return "jump"
        if address == self.gateway:
            return "gateway"
        return "source" if self.is_source(address) else ""

    def is_source(self, address: bytes) -> bool:
        """Whether the address is one that the vendor comes from."""
        number = int.from_bytes(address, "big")
        return any(first <= number <= last for first, last in self.sources)


class _Legs:
    """Legs by their ends: a visit looks at few of them, however many there are."""

    def __init__(self, rows: Sequence[_Leg]) -> None:
        self._to: defaultdict[bytes, list[_Leg]] = defaultdict(list)
        self._connections: defaultdict[tuple[bytes, bytes, str], list[_Leg]] = defaultdict(list)
        for leg in rows:
            if leg["confirmed"]:
                self._to[leg["server_ip"]].append(leg)
            if leg["ip_proto"] != UDP:
                self._connections[leg["client_ip"], leg["server_ip"], leg["service"]].append(leg)

    def live(self, server: bytes, as_begins: _Leg, fits: Callable[[_Leg], bool]) -> _Leg | None:
        """The leg to a machine that is live as another one begins, the last one opened of several."""
        legs = self._to[server]
        until = bisect_right(legs, as_begins["first_ns"], key=lambda one: one["first_ns"])
        for one in reversed(legs[max(until - LOOKED_AT, 0) : until]):
            if one is not as_begins and as_begins["first_ns"] <= one["last_ns"] + LIVE_NS and fits(one):
                return one
        return None

    def is_second_channel(self, leg: _Leg) -> bool:
        """Datagrams beside a connection of the same service: one session of Remote Desktop, not two (MS-RDPEUDP)."""
        if leg["ip_proto"] != UDP:
            return False
        legs = self._connections[leg["client_ip"], leg["server_ip"], leg["service"]]
        until = bisect_right(legs, leg["last_ns"], key=lambda one: one["first_ns"])
        near = legs[max(until - LOOKED_AT, 0) : until]
        return any(leg["first_ns"] <= one["last_ns"] + LIVE_NS for one in near)


def visits_of(site: CompiledSite, legs: pl.DataFrame) -> pl.DataFrame:
    """Legs by their first packet in; visits (columns of VISIT) in the same order out, VISITS_LIMIT at most."""
    rules = [_compiled(site, rule) for rule in site.site.remote_access]
    rows = legs.to_dicts()
    by_ends = _Legs(rows)
    live: defaultdict[str, list[int]] = defaultdict(list)
    #: Machine -> the visit to it that lasts longest.
    visited: dict[bytes, dict[str, Any]] = {}
    visits: list[dict[str, Any]] = []
    for leg in rows:
        held = _rule_of(site, rules, leg)
        if len(visits) == VISITS_LIMIT:
            break
        if held is None:
            visit = visited.get(leg["client_ip"])
            if visit is not None and _goes_on(visit, leg):
                visits.append(_onward(len(visits), visit, leg))
            continue
        if by_ends.is_second_channel(leg):
            continue
        rule, came = held
        at_once = live[rule.rule.id]
        while at_once and at_once[0] < leg["first_ns"]:
            heappop(at_once)
        heappush(at_once, leg["last_ns"])
        visit = _visit(len(visits), rule, came, leg, by_ends, site.evidence) | {"at_once": len(at_once)}
        visits.append(visit)
        before = visited.get(leg["server_ip"])
        if leg["confirmed"] and (before is None or before["last_ns"] < leg["last_ns"]):
            visited[leg["server_ip"]] = visit
    return pl.DataFrame(visits, schema=VISIT) if visits else no_visits()


def _compiled(site: CompiledSite, rule: RemoteAccess) -> _Rule:
    def addresses(names: Sequence[str]) -> frozenset[bytes]:
        assets = [site.assets[name] for name in names]
        return frozenset(address_bytes(asset.ip) for asset in assets if asset.ip is not None)

    gateway = addresses([rule.gateway] if rule.gateway else [])
    return _Rule(
        rule,
        tuple(network_range(ipaddress.ip_network(source)) for source in rule.sources),
        next(iter(gateway), None),
        addresses(rule.intermediate),
        addresses(rule.targets),
        tuple(one for one in site.site.approvals if one.rule == rule.id),
    )


def _rule_of(site: CompiledSite, rules: Sequence[_Rule], leg: _Leg) -> tuple[_Rule, str] | None:
    """The rule that a leg is held against, and where it comes from; None for what is no visit.

    A visit ends on a machine of the plant: below the DMZ, or a target of a rule. It comes from a rule's own machines
    or addresses, or from outside the plant; what happens between machines of the plant is local.
    """
    client, server = leg["client_ip"], leg["server_ip"]
    if leg["service"] not in REMOTE and not any(leg["service"] in one.rule.service for one in rules):
        return None
    if any(server == one.gateway or server in one.jumps for one in rules):
        return None
    level = site.purdue(leg["server_zone"])
    of_target = [one for one in rules if server in one.targets]
    if not of_target and (level is None or level >= _DMZ):
        return None
    for one in (*of_target, *rules):
        if came := one.comes_from(client):
            # A jump host may have work of its own on machines that no rule names.
            return None if came == "jump" and one not in of_target else (one, came)
    outside = site.purdue(leg["client_zone"])
    if of_target and (outside is None or outside >= OFFICE):
        return of_target[0], "outside"
    return None


def _goes_on(visit: Mapping[str, Any], leg: _Leg) -> bool:
    """A session that the visited machine opens while the visit lasts, and that no rule allows."""
    during = visit["first_ns"] < leg["first_ns"] <= visit["last_ns"]
    back = leg["server_ip"] == visit["client_ip"]
    return during and not back and not leg["allowed"] and leg["service"] in ONWARD_SERVICES


def _onward(number: int, visit: Mapping[str, Any], leg: _Leg) -> dict[str, Any]:
    return {
        **{name: leg[name] for name in VISIT if name in leg},
        "visit": number,
        "rule": visit["rule"],
        "came": ONWARD,
        "is_target": False,
        "jump_client_ip": visit["client_ip"],
        "jump_first_ns": visit["first_ns"],
        "origin_ip": visit["origin_ip"],
        "origin_first_ns": visit["origin_first_ns"],
        "approval": "",
        "second_factor": "",
        "at_once": 1,
    }


def _visit(number: int, rule: _Rule, came: str, leg: _Leg, legs: _Legs, evidence: Evidence) -> dict[str, Any]:
    jump = legs.live(leg["client_ip"], leg, lambda _: True) if came == "jump" else None
    inner = jump if came == "jump" else leg
    origin = None
    if inner is not None and rule.gateway is not None and inner["client_ip"] == rule.gateway:
        origin = legs.live(rule.gateway, inner, lambda one: rule.is_source(one["client_ip"]))
    elif inner is not None and rule.is_source(inner["client_ip"]):
        origin = inner
    approval = next(
        (
            one.ref
            for one in rule.approvals
            if one.start_ns <= leg["first_ns"] and leg["last_ns"] < one.end_ns
        ),
        "",
    ) or evidence.approval(rule.rule.id, leg["first_ns"], leg["last_ns"])
    fits = not rule.rule.service or leg["service"] in rule.rule.service
    return {
        **{name: leg[name] for name in VISIT if name in leg},
        "visit": number,
        "rule": rule.rule.id,
        "came": came,
        "is_target": leg["server_ip"] in rule.targets and fits,
        "jump_client_ip": jump["client_ip"] if jump else None,
        "jump_first_ns": jump["first_ns"] if jump else None,
        "origin_ip": origin["client_ip"] if origin else None,
        "origin_first_ns": origin["first_ns"] if origin else None,
        "approval": approval,
        "second_factor": _second_factor(rule.rule, origin, leg, evidence),
    }


def _second_factor(rule: RemoteAccess, origin: _Leg | None, leg: _Leg, evidence: Evidence) -> str:
    """What is known of it; without the tunnel it came by, a visit has no login that could be its own."""
    if origin is None:
        return ""
    logged = evidence.second_factor(origin["client_ip"], origin["first_ns"], leg["first_ns"])
    if logged is None:
        return INFERRED if rule.mfa_evidence == "gateway_log" else ""
    return EVIDENCED if logged else MISSING
