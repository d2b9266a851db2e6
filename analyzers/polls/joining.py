"""Outages of single polls in; one outage of a conduit, a server or a client out, where all of its polls fail together.

Members of one outage overlap, all of them at one moment. A poll that was answered well at that moment is a witness that
the server, or the conduit, was there: then what fails is told by conversation. A poll that was not due is no witness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analyzers.polls.outages import Run
from analyzers.polls.relation import Relation


class Scope(StrEnum):
    """What is out."""

    CONDUIT = "conduit"
    SERVER = "server"
    CLIENT = "client"
    CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage: the bad runs of the polls that are in it, by start."""

    scope: Scope
    runs: tuple[Run, ...]

    @property
    def first(self) -> Run:
        """The run that it begins with."""
        return self.runs[0]

    @property
    def start_ns(self) -> int:
        """The first bad slot."""
        return self.first.start_ns

    @property
    def end_ns(self) -> int | None:
        """The first good answer of the last poll to get one; None while one still fails."""
        ends = [run.end_ns for run in self.runs]
        return None if None in ends else max(end for end in ends if end is not None)

    @property
    def until_ns(self) -> int:
        """Its end, or the last that is known of it."""
        return max(run.until_ns for run in self.runs)

    @property
    def only_missed(self) -> bool:
        """No request of any of its polls came, and no connection was tried."""
        return all(run.only_missed for run in self.runs)


def joined(runs: Iterable[Run], relations: Sequence[Relation]) -> list[Outage]:
    """Every outage, each bad run in one of them; `relations` are all that keep a period."""
    left = sorted(runs, key=_order)
    found: list[Outage] = []
    for scope, key, least in (
        (Scope.CONDUIT, _conduit, _servers),
        (Scope.SERVER, _server, _one),
        (Scope.CLIENT, _client, _servers),
    ):
        taken: list[Outage] = []
        for group in _groups(left, key):
            of_server = any(not run.only_missed for run in group)
            if of_server == (scope is Scope.CLIENT) or not least(group):
                continue
            if not _witness(group, relations, key):
                taken.append(Outage(scope, tuple(group)))
        gone = {id(run) for outage in taken for run in outage.runs}
        left = [run for run in left if id(run) not in gone]
        found += taken
    found += [Outage(Scope.CONVERSATION, tuple(group)) for group in _groups(left, _conversation)]
    return sorted(found, key=lambda outage: (_order(outage.first), outage.scope))


def _order(run: Run) -> tuple[int, bytes, bytes, int, int, str, str]:
    subject = run.relation.subject
    return run.start_ns, *subject.conversation, subject.service, subject.what


_Key = Callable[[Relation], object]


def _conduit(relation: Relation) -> object:
    return relation.subject.conduit or None


def _server(relation: Relation) -> object:
    return relation.subject.server_ip


def _client(relation: Relation) -> object:
    return relation.subject.client_ip


def _conversation(relation: Relation) -> object:
    return relation.subject.conversation


def _servers(group: Sequence[Run]) -> bool:
    return len({run.relation.subject.server_ip for run in group}) > 1


def _one(group: Sequence[Run]) -> bool:
    return bool(group)


def _groups(runs: Sequence[Run], key: _Key) -> list[list[Run]]:
    """Runs of one key that share a moment; `runs` and each group are by start."""
    found: list[list[Run]] = []
    open_groups: dict[object, tuple[list[Run], int]] = {}
    for run in runs:
        of = key(run.relation)
        if of is None:
            continue
        group, until_ns = open_groups.get(of, (None, 0))
        if group is not None and run.start_ns <= until_ns:
            group.append(run)
            open_groups[of] = group, min(until_ns, run.last_bad_ns)
        else:
            group = [run]
            found.append(group)
            open_groups[of] = group, run.last_bad_ns
    return found


def _witness(group: Sequence[Run], relations: Sequence[Relation], key: _Key) -> bool:
    """Whether a poll of the same key was answered well while all of the group failed."""
    from_ns = max(run.start_ns for run in group)
    to_ns = min(run.last_bad_ns for run in group)
    of = key(group[0].relation)
    return any(key(relation) == of and _good_between(relation, from_ns, to_ns) for relation in relations)


def _good_between(relation: Relation, from_ns: int, to_ns: int) -> bool:
    """Whether a good slot certainly lies between two moments."""
    if relation.first is None or relation.last is None or to_ns - from_ns < relation.period_ns:
        return False
    if relation.last.ts_ns < from_ns or relation.first.ts_ns > to_ns:
        return False
    return not any(
        one.before.ts_ns < from_ns and one.after is not None and one.after.ts_ns > to_ns
        for one in relation.stretches
    )
