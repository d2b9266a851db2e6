"""Traffic in, in any cut; what became of every poll out. The one thing that the shell has to know of polls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from analyzers import latency
from analyzers.findings import Finding, canonical_order
from analyzers.polls.asked import BAD_ENDS, CONVERSATION, DEADLINES, GOOD, OTHER, UNANSWERED, asked
from analyzers.polls.facts import Conversation, Facts
from analyzers.polls.findings import Context, findings_of
from analyzers.polls.followed import Followed
from analyzers.polls.going_on import GoingOn
from analyzers.polls.joining import Outage
from analyzers.polls.judging import Judgement, judged, told_minutes
from analyzers.polls.limits import PollLimits
from analyzers.polls.minutes import with_missed
from analyzers.polls.numbering import Numbering
from analyzers.polls.outages import IN_A_ROW, Run
from analyzers.polls.relation import Bad
from analyzers.polls.silences import Silences
from analyzers.polls.waits import Waits
from policy.model import Poll
from policy.prefixes import address_bytes
from policy.sla_classes import milliseconds
from policy.traffic import Traffic
from policy.violations import MINUTE_NS
from policy.zoning import CompiledSite

#: An interface is judged so often: what is told minutes late need not be looked at twice a second.
_LOOK_NS: Final = 5_000_000_000
#: How long an interface's outage waits for the other polls of its devices.
_SETTLE_NS: Final = 30_000_000_000
#: How long an interface's stretches are remembered.
_REMEMBERED_NS: Final = 60 * MINUTE_NS
#: What a declared poll is known by.
_DECLARED_BY: Final = ("client_ip", "server_ip", "service", "what")


class Polls:
    """Follows every relation of one capture; grows with relations and what goes wrong in them, not with requests."""

    def __init__(
        self,
        site: CompiledSite,
        policy_sha256: str,
        version: str,
        limits: PollLimits | None = None,
        waits: Waits | None = None,
    ) -> None:
        """`waits`: of an interface, how long its decoder waits for answers."""
        self._site = site
        self._context = Context(site, policy_sha256, version)
        self._limits = limits or PollLimits()
        self._waits = waits or Waits()
        self._numbering = Numbering(self._limits)
        self._followed = Followed(self._limits.marks_per_relation)
        self._silences = Silences(self._limits.silences_per_conversation)
        self._unfollowed = 0
        #: The conversations with polls, as they were when so many periods were learned.
        self._polled, self._learned = pl.DataFrame(), 0
        self._facts = Facts()
        self._going_on = GoingOn()
        self._horizon_ns = self._noted_to_ns = self._forgotten_to_ns = 0
        #: What was judged up to the last packet, since the last batch.
        self._latest: Judgement | None = None
        #: Of an interface: the last packet when it was judged last.
        self._looked_ns = 0
        #: Bad runs that findings of an interface were about.
        self._told: set[tuple[Any, ...]] = set()
        #: Periods of the declared polls, ns.
        self._declared = {
            key: milliseconds(poll.period_ms) for poll in site.site.polls if (key := _key(site, poll))
        }
        self._deadlines = _own_deadlines(site)
        self._deadline = _deadline(site)

    @property
    def evicted(self) -> int:
        """Requests, marks, silences and conversations' minutes that found no room."""
        return self._unfollowed + self._followed.evicted + self._silences.evicted + self._facts.evicted

    def feed(self, traffic: Traffic, coverage: pa.RecordBatch | None = None) -> None:
        """Add one batch, with its rows of the coverage table."""
        self._latest = None
        self._facts.feed(traffic, coverage)
        rows = asked(traffic, self._deadline, self._deadlines)
        if rows.is_empty():
            return
        self._horizon_ns = max(self._horizon_ns, rows["ts_ns"].max())  # type: ignore[type-var, assignment]
        self._follow(rows)
        self._hear(rows)

    def judged(self) -> Judgement:
        """What is known up to the last packet."""
        if self._latest is None:
            horizon_ns = self._now_ns()
            self._latest = self._judged(lambda _: horizon_ns)
        return self._latest

    def _judged(self, known_to_ns: Callable[[str], int]) -> Judgement:
        return judged(
            self._site,
            self._followed.up_to_now(self._followed.judgeable(), self._numbering.subjects),
            self._unanswered(),
            self._silences,
            self._facts.seen(),
            known_to_ns,
            self._going_on,
        )

    def _unanswered(self) -> dict[Conversation, list[int]]:
        """When each conversation's requests were not answered."""
        found: dict[Conversation, list[int]] = {}
        for number, bad in self._followed.failing():
            times = [one.ts_ns for one in bad if one.how == UNANSWERED]
            if times:
                (subject,) = self._numbering.subjects([number])
                found.setdefault(subject.conversation, []).extend(times)
        return {conversation: sorted(times) for conversation, times in found.items()}

    def _now_ns(self) -> int:
        return max(self._horizon_ns, self._facts.last_ns)

    def for_scopes(
        self, since_ns: int | None = None
    ) -> tuple[set[Conversation], set[tuple[Conversation, int]]]:
        """The conversations with polls; and their minutes (the starts) in which an outage or flapping is found.

        `since_ns`: minutes before are left out.
        """
        judgement = self.judged()
        return {one.subject.conversation for one in judgement.relations}, told_minutes(judgement, since_ns)

    def finish(self, capture_sha256: str) -> list[Finding]:
        """Every finding about polls up to the last packet, in canonical order."""
        return sorted(findings_of(self.judged(), self._context, capture_sha256), key=canonical_order)

    def so_far(self, capture_sha256: str, *, ended: bool = False) -> list[Finding]:
        """Findings of an interface that goes on, each once; forgets what is an hour old and told.

        Judged is what is wholly known (`analyzers.polls.waits`): which requests there were, whether they were
        answered, and whether the sensor saw the minutes that they are in. An outage is told once the other polls of
        its devices had the time to show whether they fail too, at most half a minute after its third bad slot: one
        outage of a device, not twenty. `ended`: the interface is no longer listened to.
        """
        seen_to_ns, now_ns = self._facts.seen_to_ns, self._now_ns()
        # A minute that is over and was not told of may be one that the sensor missed: slots next to it wait with it.
        is_blind = now_ns >= seen_to_ns + MINUTE_NS + _LOOK_NS
        if (is_blind or abs(now_ns - self._looked_ns) < _LOOK_NS) and not ended:
            return []
        self._looked_ns = now_ns

        def known_to_ns(service: str) -> int:
            return now_ns if ended else self._waits.known_to_ns(service, now_ns, seen_to_ns)

        judgement = self._judged(known_to_ns)
        outages = [one for one in judgement.outages if ended or self._is_due(one, judgement, known_to_ns)]
        outages = [one for one in outages if not self._told.issuperset(map(_run_key, one.runs))]
        flapping = [one for one in judgement.flapping if not self._told.issuperset(map(_run_key, one.runs))]
        runs = [run for outage in outages for run in outage.runs]
        runs += [run for one in flapping for run in one.runs]
        self._told.update(map(_run_key, runs))
        self._forget(now_ns - _REMEMBERED_NS)
        settled = replace(judgement, outages=tuple(outages), flapping=tuple(flapping))
        return sorted(findings_of(settled, self._context, capture_sha256), key=canonical_order)

    @staticmethod
    def _is_due(outage: Outage, judgement: Judgement, known_to_ns: Callable[[str], int]) -> bool:
        servers = {run.relation.subject.server_ip for run in outage.runs}
        conduits = {run.relation.subject.conduit for run in outage.runs} - {""}
        near = [
            relation
            for relation in judgement.relations
            if relation.subject.server_ip in servers or relation.subject.conduit in conduits
        ]
        # Others that fail with it may be of another service, of which less is known yet.
        known_ns = min(known_to_ns(relation.subject.service) for relation in near)
        slowest_ns = max(relation.period_ns for relation in near)
        third_ns = outage.start_ns + IN_A_ROW * outage.first.relation.period_ns
        due_ns = third_ns + min(IN_A_ROW * slowest_ns, _SETTLE_NS)
        return known_ns >= (due_ns if outage.end_ns is None else min(due_ns, outage.end_ns))

    def _forget(self, before_ns: int) -> None:
        if before_ns < self._forgotten_to_ns + MINUTE_NS:
            return
        self._forgotten_to_ns, self._latest = before_ns, None
        self._followed.forget(before_ns)
        self._silences.forget(before_ns)
        last = self._followed.last_answers()
        self._facts.forget(before_ns, last[:, 1].tolist())
        # What is still open began with a last good answer that may be older.
        oldest_ns = min([before_ns, *last[:, 0].tolist()])
        self._told = {key for key in self._told if key[-1] >= oldest_ns}

    def noted(self, minutes: pl.DataFrame) -> pl.DataFrame:
        """Finished rows of SLA_MINUTES in; the same out, with `missed`, and rows for those who said nothing.

        Of an interface, minute by minute: a slot of which more than a minute later nothing is known is left out.
        """
        if minutes.is_empty():
            return minutes
        to_ns = int(minutes["minute"].dt.epoch("ns").max())  # type: ignore[arg-type]
        judgement = self.judged()
        subjects = {one.subject.conversation: one.subject for one in judgement.relations}
        missed = {
            (conversation, at_ns): count
            for (conversation, at_ns), count in judgement.missed.items()
            if self._noted_to_ns < at_ns <= to_ns and not subjects[conversation].turned
        }
        self._noted_to_ns = to_ns
        return with_missed(minutes, missed, subjects)

    def _follow(self, rows: pl.DataFrame) -> None:
        how = pl.col("how")
        good, bad = how == GOOD, how.is_in(BAD_ENDS)
        numbered, new = self._numbering.numbered(rows.filter(good | bad))
        declared_ns = [self._declared.get(key, 0) for key in new.select(*_DECLARED_BY).iter_rows()]
        self._followed.add(new["deadline_ns"].cast(pl.Int64).to_numpy(), declared_ns)
        followed = numbered.filter(pl.col("number").is_not_null())
        self._unfollowed += numbered.height - followed.height
        marks = followed.filter(bad).select("number", "ts_ns", "how", "frame")
        self._followed.fail((number, Bad(*one)) for number, *one in marks.iter_rows())
        answers = followed.filter(good).select(pl.col("number", "ts_ns", "flow_id", "frame").cast(pl.Int64))
        columns = answers.to_numpy()
        self._followed.take(columns[:, 0], np.ascontiguousarray(columns[:, 1:]))

    def _hear(self, rows: pl.DataFrame) -> None:
        """Learn when each conversation's client said something, of the conversations that have polls."""
        if self._followed.learned != self._learned:
            self._learned = self._followed.learned
            self._polled = self._with_polls()
        if self._polled.is_empty():
            return
        heard = (
            rows.filter(pl.col("how").is_in([GOOD, OTHER]))
            .select(*CONVERSATION, "ts_ns")
            .join(self._polled, on=CONVERSATION, how="inner", maintain_order="left")
        )
        self._silences.take(*(heard[name].to_numpy() for name in ("number", "ts_ns", "shortest_ns")))

    def _with_polls(self) -> pl.DataFrame:
        """The conversations that have polls: CONVERSATION, `shortest_ns` of their periods, `number` in silences."""
        numbers, period_ns = self._followed.periodic()
        periods = self._numbering.conversations(pl.Series(numbers, dtype=pl.UInt32))
        polled = (
            periods.with_columns(pl.Series("shortest_ns", period_ns, dtype=pl.Int64))
            .group_by(CONVERSATION, maintain_order=True)
            .agg(pl.col("shortest_ns").min())
        )
        keys = polled.select(*CONVERSATION).rows()
        return polled.with_columns(
            pl.Series("number", [self._silences.number(key) for key in keys], dtype=pl.Int64)
        )


def _run_key(run: Run) -> tuple[Any, ...]:
    subject = run.relation.subject
    return *subject.conversation, subject.service, subject.what, run.key_ns


def _key(site: CompiledSite, poll: Poll) -> tuple[Any, ...]:
    """What a declared poll's requests are known by; empty where an asset has no address."""
    ends = [site.assets[name].ip for name in (poll.client, poll.server)]
    addresses = [address_bytes(ip) for ip in ends if ip is not None]
    if len(addresses) < len(ends):
        return ()
    what = f"unit {poll.unit} function {poll.function} address {poll.address} quantity {poll.quantity}"
    return (*addresses, poll.service, what)


def _own_deadlines(site: CompiledSite) -> pl.DataFrame:
    rows = {
        key: milliseconds(poll.deadline_ms)
        for poll in site.site.polls
        if poll.deadline_ms is not None and (key := _key(site, poll))
    }
    return pl.DataFrame([(*key, own_ns) for key, own_ns in rows.items()], schema=DEADLINES, orient="row")


def _deadline(site: CompiledSite) -> pl.Expr:
    """A request has one deadline: its conduit's, which is the asked zone's unless the policy sets another."""
    of_zone = pl.col("server_zone").replace_strict(
        {zone: target.deadline_ns for zone, target in site.zone_targets.items()},
        default=latency.DEFAULT_DEADLINE_NS,
        return_dtype=pl.UInt64,
    )
    return pl.col("conduit").replace_strict(
        {conduit: target.deadline_ns for conduit, target in site.conduit_targets.items()},
        default=of_zone,
        return_dtype=pl.UInt64,
    )
