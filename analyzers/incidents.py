"""Findings in; incidents out: what belongs together because one actor, one conversation or one bad link ties it.

Two findings of a site are tied where no more than an hour lies between them and

- one actor did both (the same source), or
- both are about one conversation, in whichever direction, or
- one is about a service level and the other was done to either end of its conversation, or
- both are about service levels and have an end, or for whole scopes the conduit, in common, or
- one is about a whole scope's service level and the other went through the same conduit.

An incident is everything that is tied, directly or over others. Which findings there are decides it, not their
order and not the portions they come in. It is named by its first finding, and any finding of it leads to it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from analyzers.findings import Finding, Severity, canonical_order
from analyzers.sla_kinds import BURNING, LOSSY, SLA_KINDS

#: What lies further apart is tied by nothing.
APART_NS: Final = 3_600_000_000_000

SERVICE_LEVELS: Final = frozenset(kind.id for kind in SLA_KINDS)
#: They speak of a zone or conduit; the conversation that they name had most of it.
OF_SCOPES: Final = frozenset((BURNING.id, LOSSY.id))


@dataclass(frozen=True, slots=True)
class Tie:
    """What of a finding decides where it belongs; `incident` is where it is known to belong already."""

    id: str
    site: str
    kind: str
    src_ip: str
    dst_ip: str
    conduit: str
    first_ns: int
    last_ns: int
    incident: str = ""

    @classmethod
    def of(cls, finding: Finding) -> Tie:
        """From a finding of which no incident is known."""
        return cls(
            finding.id,
            finding.site,
            finding.kind,
            finding.src_ip,
            finding.dst_ip,
            finding.conduit,
            finding.first_ns,
            finding.last_ns,
        )


@dataclass(frozen=True, slots=True)
class Incident:
    """Findings that belong together, in canonical order: at least one."""

    findings: tuple[Finding, ...]

    @property
    def id(self) -> str:
        """The id of its first finding."""
        return self.findings[0].id

    @property
    def worst(self) -> Finding:
        """The gravest open finding, the first of those: what the incident is called by; else a suppressed one."""
        return min(
            self.findings,
            key=lambda finding: (
                finding.suppression is not None,
                -finding.severity,
                *canonical_order(finding),
            ),
        )

    @property
    def suppressed(self) -> int:
        """How many of its findings are under a suppression."""
        return sum(finding.suppression is not None for finding in self.findings)

    @property
    def severity(self) -> Severity:
        """That of the gravest finding."""
        return self.worst.severity

    @property
    def first_ns(self) -> int:
        """First packet, ns since the epoch."""
        return self.findings[0].first_ns

    @property
    def last_ns(self) -> int:
        """Last packet, ns since the epoch."""
        return max(finding.last_ns for finding in self.findings)


def incidents_of(findings: Iterable[Finding]) -> list[Incident]:
    """Every incident of the findings (each id counts once), by time of its first packet."""
    by_id = {finding.id: finding for finding in sorted(findings, key=canonical_order)}
    groups = grouped([Tie.of(finding) for finding in by_id.values()])
    return [Incident(tuple(by_id[tie.id] for tie in group)) for group in groups]


def grouped(ties: Sequence[Tie]) -> list[tuple[Tie, ...]]:
    """Ties in any order in, each id once; groups of them out, each and all in the order of their first packets.

    Ties of one known `incident` stay together, whatever else ties them.
    """
    ordered = sorted(ties, key=_order)
    groups = _Groups(len(ordered))
    for members in _by_known_incident(ordered).values():
        for place in members[1:]:
            groups.join(members[0], place)
    for members in _by_actor_and_conversation(ordered).values():
        _chain(ordered, members, groups)
    _tie_service_levels(ordered, groups)
    found: defaultdict[int, list[Tie]] = defaultdict(list)
    for place, tie in enumerate(ordered):
        found[groups.head(place)].append(tie)
    return [tuple(group) for group in found.values()]


def _order(tie: Tie) -> tuple[int, str, str]:
    return tie.first_ns, tie.kind, tie.id


class _Groups:
    """Disjoint sets of places; the head of each is its first place."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def head(self, place: int) -> int:
        """The first place of the group that a place is in."""
        parents = self._parents
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        first, second = sorted((self.head(one), self.head(other)))
        self._parents[second] = first


def _by_known_incident(ties: Sequence[Tie]) -> dict[str, list[int]]:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, tie in enumerate(ties):
        if tie.incident:
            places[tie.incident].append(place)
    return places


def _by_actor_and_conversation(ties: Sequence[Tie]) -> dict[tuple[str, ...], list[int]]:
    """Places by actor, and by conversation: nobody known is no actor, many are no end."""
    places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, tie in enumerate(ties):
        if tie.src_ip:
            places[tie.site, tie.src_ip].append(place)
        if tie.src_ip and tie.dst_ip:
            places[tie.site, *sorted((tie.src_ip, tie.dst_ip))].append(place)
    return places


@dataclass(slots=True)
class _Stretch:
    """A time in which something goes on without a pause of more than an hour."""

    first_ns: int
    last_ns: int
    place: int


def _chain(ties: Sequence[Tie], places: Sequence[int], groups: _Groups) -> list[_Stretch]:
    """Join places (in order of time) that are not too far apart; the stretches that they fill."""
    stretches: list[_Stretch] = []
    for place in places:
        tie = ties[place]
        if stretches and tie.first_ns - stretches[-1].last_ns <= APART_NS:
            groups.join(stretches[-1].place, place)
            stretches[-1].last_ns = max(stretches[-1].last_ns, tie.last_ns)
        else:
            stretches.append(_Stretch(tie.first_ns, tie.last_ns, place))
    return stretches


def _tie_service_levels(ties: Sequence[Tie], groups: _Groups) -> None:
    """Join what was done to a degraded link with its degradation; not those who did it with each other."""
    degraded: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for place, tie in enumerate(ties):
        if tie.kind in SERVICE_LEVELS:
            for address in {tie.src_ip, tie.dst_ip} - {""}:
                degraded[tie.site, "end", address].append(place)
            if tie.kind in OF_SCOPES and tie.conduit:
                degraded[tie.site, "conduit", tie.conduit].append(place)
    stretches = {key: _chain(ties, places, groups) for key, places in degraded.items()}
    for place, tie in enumerate(ties):
        if tie.kind in SERVICE_LEVELS:
            continue
        for key in ((tie.site, "end", tie.dst_ip), (tie.site, "conduit", tie.conduit)):
            near = stretches.get(key, [])
            start = bisect_left(near, tie.first_ns - APART_NS, key=lambda stretch: stretch.last_ns)
            end = bisect_right(near, tie.last_ns + APART_NS, key=lambda stretch: stretch.first_ns)
            for stretch in near[start:end]:
                groups.join(stretch.place, place)
