"""What is known of relations in; outages, flapping and missed slots out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from analyzers.exclusions import is_excluded
from analyzers.polls.facts import Conversation, Seen
from analyzers.polls.going_on import GoingOn, Judged
from analyzers.polls.joining import Outage, joined
from analyzers.polls.outages import IN_A_ROW, Flapping, Run, flapping_of
from analyzers.polls.periods import periods, slots_between
from analyzers.polls.relation import Bad, Good, Relation, Stretch
from analyzers.polls.silences import Silences
from analyzers.polls.slots import Surroundings, slots_due, slots_of
from policy.violations import MINUTE_NS
from policy.zoning import CompiledSite

_ALWAYS: Final = (-(1 << 62), 1 << 62)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the polls of a capture came to."""

    #: Every relation that keeps a period.
    relations: tuple[Relation, ...]
    outages: tuple[Outage, ...]
    flapping: tuple[Flapping, ...]
    #: Slots that were due and never asked, by conversation and start of the minute.
    missed: Mapping[tuple[Conversation, int], int]
    #: Times in which a client had ended its connection in order and asked no more, by relation.
    stopped: Mapping[int, int]


def told_minutes(judgement: Judgement, since_ns: int | None = None) -> set[tuple[Conversation, int]]:
    """The minutes (their starts) of each conversation in which an outage or flapping was found; none before `since`."""
    runs = [run for one in judgement.outages for run in one.runs]
    runs += [run for one in judgement.flapping for run in one.runs]
    return {
        (run.relation.subject.conversation, at_ns)
        for run in runs
        for at_ns in range(_minute(run.start_ns, since_ns), run.last_bad_ns + 1, MINUTE_NS)
    }


def _minute(start_ns: int, since_ns: int | None) -> int:
    return (start_ns if since_ns is None else max(start_ns, since_ns)) // MINUTE_NS * MINUTE_NS


def judged(
    site: CompiledSite,
    relations: Sequence[Relation],
    in_vain: Mapping[Conversation, Sequence[int]],
    silences: Silences,
    seen: Seen,
    known_to_ns: Callable[[str], int],
    going_on: GoingOn | None = None,
) -> Judgement:
    """Judge all of them: those that keep a period, or were asked in vain only.

    `in_vain`: when each conversation's requests were not answered, by time. `known_to_ns`: until when requests are
    known, by their service, such as the last packet: nothing after it is judged. `going_on`: what earlier calls found
    of stretches that have no end yet.
    """
    going_on = going_on or GoingOn()
    known = [found for relation in relations if (found := _with_period(relation, seen)).period_ns]
    outages: list[Run] = []
    flapping: list[Flapping] = []
    missed: Counter[tuple[Conversation, int]] = Counter()
    stopped: Counter[int] = Counter()
    for number, relation in enumerate(known):
        runs: list[Run] = []
        conversation = relation.subject.conversation
        bad = sorted(relation.bad)
        heard, horizon_ns = silences.of(conversation), known_to_ns(relation.subject.service)
        others_fail, planned_at = _any_between(in_vain.get(conversation, [])), _planned(site, relation)
        for whole, resumed in _stretches(relation, bad):
            stretch = _up_to(whole, horizon_ns)
            before_ns = stretch.before.ts_ns
            if stretch.after is None and not slots_due(relation, before_ns, horizon_ns):
                continue
            to_ns = horizon_ns if stretch.after is None else stretch.after.ts_ns
            around = seen.around(conversation, before_ns, to_ns, relation.period_ns)
            surroundings = Surroundings(
                seen=seen,
                around=around,
                silent_at=heard.silent_at,
                others_fail=others_fail,
                planned_at=planned_at,
                resumed=resumed,
                horizon_ns=horizon_ns,
            )
            requests = _between(bad, stretch)
            if stretch.after is None:
                slots = going_on.judged(relation, stretch, requests, heard, surroundings)
            else:
                slots = Judged()
                for slot in slots_of(relation, stretch, requests, surroundings):
                    slots.take(slot)
            for at_ns, count in slots.missed.items():
                missed[conversation, at_ns] += count
            if slots.stopped:
                stopped[number] += slots.stopped
            runs += slots.bads.runs(relation, stretch, around)
        runs.sort(key=lambda run: run.start_ns)
        flaps = flapping_of(runs)
        flapping += flaps
        told = {id(run) for flap in flaps for run in flap.runs}
        outages += [run for run in runs if run.bad >= IN_A_ROW and id(run) not in told]
    return Judgement(tuple(known), tuple(joined(outages, known)), tuple(flapping), missed, stopped)


def _with_period(relation: Relation, seen: Seen) -> Relation:
    """A poll that was never answered well has the period in which it asks in vain.

    Not where nothing at all came from the server: then the tap may see one direction only.
    """
    if relation.earliest_ns is not None or not relation.bad:
        return relation
    if not seen.around(relation.subject.conversation, *_ALWAYS).packets_s2c:
        return replace(relation, period_ns=0)
    if relation.period_ns:
        return relation
    times = np.array(sorted(one.ts_ns for one in relation.bad), dtype=np.int64)
    kept = periods(times)
    return replace(relation, period_ns=int(kept[np.flatnonzero(kept)[0]])) if kept.any() else relation


def _stretches(relation: Relation, bad: Sequence[Bad]) -> Iterator[tuple[Stretch, bool]]:
    """Every stretch without a good answer, and whether the client goes on at its period after it."""
    if bad and (relation.earliest_ns is None or bad[0].ts_ns < relation.earliest_ns):
        yield _leading(relation, bad[0]), True
    for place, stretch in enumerate(relation.stretches):
        following = relation.stretches[place + 1] if place + 1 < len(relation.stretches) else None
        yield stretch, following is None or following.before != stretch.after
    if relation.last is not None:
        yield Stretch(relation.last, None, 0, relation.streak), True


def _up_to(stretch: Stretch, horizon_ns: int) -> Stretch:
    """A stretch as it was at the horizon: still open, where its end came later."""
    if stretch.after is None or stretch.after.ts_ns <= horizon_ns:
        return stretch
    return stretch._replace(after=None)


def _leading(relation: Relation, first: Bad) -> Stretch:
    """From one slot before the first request of all, which came to nothing, to the first good answer."""
    before = Good(first.ts_ns - relation.period_ns, 0, 0)
    if relation.earliest_ns is None:
        return Stretch(before, None, 0, 0)
    slots = slots_between(before.ts_ns, relation.earliest_ns, relation.period_ns)
    after = Good(relation.earliest_ns, 0, relation.first.frame if relation.first else 0)
    return Stretch(before, after, max(slots, 1), 0)


def _between(bad: Sequence[Bad], stretch: Stretch) -> Sequence[Bad]:
    first = bisect_left(bad, (stretch.before.ts_ns,))
    last = len(bad) if stretch.after is None else bisect_left(bad, (stretch.after.ts_ns,))
    return bad[first:last]


def _any_between(times: Sequence[int]) -> Callable[[int, int], bool]:
    return lambda from_ns, to_ns: bisect_left(times, to_ns) > bisect_right(times, from_ns)


def _planned(site: CompiledSite, relation: Relation) -> Callable[[int], bool]:
    """Whether a moment lies in a planned change of either end that leaves the SLA's denominator."""
    windows = [
        (change.start_ns, change.end_ns)
        for address in (relation.subject.server_ip, relation.subject.client_ip)
        if (asset := site.asset_of(address)) is not None
        for change in site.changes_by_asset.get(asset.id, ())
        if is_excluded(change)
    ]
    return lambda at_ns: any(start <= at_ns < end for start, end in windows)
