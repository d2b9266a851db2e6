"""What a finding about polls says: which polls, how long, what came instead of answers, and whose it therefore is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from analyzers.findings import Operation
from analyzers.polls.facts import Around
from analyzers.polls.joining import Outage, Scope
from analyzers.polls.outages import Flapping, Run
from analyzers.polls.relation import Relation
from analyzers.polls.slots import Fate
from analyzers.sla import milliseconds
from policy.violations import MINUTE_NS
from policy.zoning import CompiledSite
from sensors.addresses import address_text

#: Polls named one by one.
_NAMED: Final = 4


def outage_title(outage: Outage) -> str:
    """Finishes "the network shows…"."""
    if outage.scope is Scope.CONDUIT:
        return "an outage of a conduit: nobody behind it answers a poll"
    if outage.scope is Scope.CLIENT:
        return "a client that has stopped asking all of its servers"
    if outage.only_missed:
        return "polls that have stopped coming"
    if outage.scope is Scope.SERVER:
        return "an outage of a device: none of its polls is answered well"
    return "an outage between two devices: polls that come to nothing"


def of_outage(site: CompiledSite, outage: Outage, change: str) -> str:
    """Why it was found, in whole sentences."""
    runs = outage.runs
    polls = len({id(run.relation) for run in runs})
    who = _who(site, outage)
    bad = sum(run.bad for run in runs)
    sentences = [
        f"From {_clock(outage.start_ns)} on {who}: {bad:,} slots of {_polls(polls)} were bad ({_fates(runs)}).",
        _end(outage),
        _named(site, runs),
        _attribution(runs),
        *_circumstances(runs, change),
    ]
    return " ".join(sentences)


def of_flapping(site: CompiledSite, flapping: Flapping, change: str) -> str:
    """Why it was found, in whole sentences."""
    runs = flapping.runs
    lasted = milliseconds(flapping.until_ns - flapping.start_ns)
    bad = sum(run.bad for run in runs)
    sentences = [
        f"From {_clock(flapping.start_ns)} on it failed {len(runs)} times within {lasted}, and was good between.",
        f"{bad:,} slots were bad ({_fates(runs)}).",
        "Three bad runs within 21 slots are flapping: something comes and goes.",
        _named(site, runs),
        _attribution(runs),
        *_circumstances(runs, change),
    ]
    return " ".join(sentences)


def operations_of(run: Run) -> Iterator[Operation]:
    """What to look at in the capture, in the order of time."""
    what = run.relation.subject.what
    if run.before is not None:
        yield Operation(
            frame=run.before.frame, ts_ns=run.before.ts_ns, text=f"the last one answered well: {what}"
        )
    for slot in run.asked:
        yield Operation(frame=slot.frame, ts_ns=slot.at_ns, text=f"{slot.fate}: {what}")
    if run.around.attempt_frame:
        yield Operation(
            frame=run.around.attempt_frame,
            ts_ns=run.around.attempt_ns,
            text="a connection that was not accepted",
        )
    if run.after is not None and run.after.frame:
        yield Operation(
            frame=run.after.frame, ts_ns=run.after.ts_ns, text=f"the first one answered well again: {what}"
        )


def _who(site: CompiledSite, outage: Outage) -> str:
    subject = outage.first.relation.subject
    client, server = _device(site, subject.client_ip), _device(site, subject.server_ip)
    if outage.scope is Scope.CONDUIT:
        servers = len({run.relation.subject.server_ip for run in outage.runs})
        return f"none of the {servers} devices asked through conduit {subject.conduit} answered a poll well"
    if outage.scope is Scope.CLIENT:
        servers = len({run.relation.subject.server_ip for run in outage.runs})
        return f"{client} asked none of its {servers} servers any more"
    if outage.only_missed:
        return f"{client} no longer asked {server}"
    if outage.scope is Scope.SERVER:
        clients = len({run.relation.subject.client_ip for run in outage.runs})
        of = client if clients == 1 else f"{clients} clients"
        return f"{server} answered no poll of {of} well"
    return f"{server} did not answer polls of {client} well, while others of its polls were answered"


def _end(outage: Outage) -> str:
    if outage.end_ns is None:
        return "It still went on with the last packet that was seen, or at a planned stop."
    return (
        f"It ended with a good answer at {_clock(outage.end_ns)}, after "
        f"{milliseconds(outage.end_ns - outage.start_ns)}."
    )


def _named(site: CompiledSite, runs: Sequence[Run]) -> str:
    relations = list({id(run.relation): run.relation for run in runs}.values())
    named = "; ".join(_poll(site, relation) for relation in relations[:_NAMED])
    more = f"; and {len(relations) - _NAMED} more" if len(relations) > _NAMED else ""
    return f"{'The polls' if len(relations) > 1 else 'The poll'}: {named}{more}."


def _poll(site: CompiledSite, relation: Relation) -> str:
    subject = relation.subject
    known = "declared" if relation.declared else "learned"
    jitter = f", jitter up to {milliseconds(relation.jitter_max_ns)}" if relation.intervals else ""
    return (
        f"{_device(site, subject.client_ip)} asks {_device(site, subject.server_ip)} over {subject.service} for "
        f"{subject.what} every {milliseconds(relation.period_ns)} ({known}{jitter})"
    )


def _attribution(runs: Sequence[Run]) -> str:
    """Whose it is, by what came instead of answers."""
    fates = sum((run.fates for run in runs), Counter[Fate]())
    around = _around(runs)
    told = []
    if fates[Fate.EXCEPTION]:
        told.append("The device answered with exceptions: the network carried both ways, the device refused.")
    if fates[Fate.LATE]:
        told.append("Answers came after their deadline: too slow is the device or the way to it, not silent.")
    if fates[Fate.UNANSWERED]:
        told.append(_of_unanswered(around, runs))
    if told and fates[Fate.MISSED]:
        told.append("While it waited, the client asked nothing more.")
    if around.attempts:
        answer = (
            f"{around.refused:,} times refused with a reset: its address is there, its service is not"
            if around.refused
            else "nothing came back: the device or the way to it is down"
        )
        told.append(f"The client tried {around.attempts:,} connections that were not accepted, {answer}.")
    if around.idle_openings:
        told.append(
            f"The client opened {around.idle_openings:,} connections on which no answer came for longer than a slot."
        )
    if fates[Fate.MISSED] and not told:
        told.append(
            "No request came, and no connection was tried: the client, or the way from it to the tap; of the server "
            "it says nothing."
        )
    return " ".join(told)


def _of_unanswered(around: Around, runs: Sequence[Run]) -> str:
    passed = "The requests passed the tap and were not answered"
    if all(run.until_ns - run.start_ns < 2 * MINUTE_NS for run in runs) and not around.packets_c2s:
        return f"{passed}; too short to tell from whole minutes whether the device still acknowledged them."
    if around.packets_s2c:
        return (
            f"{passed}, while the device sent {around.packets_s2c:,} packets of the same conversation in the whole "
            "minutes of it: its network is up, what should answer is not."
        )
    return (
        f"{passed}: in the whole minutes of it {around.packets_c2s:,} packets went to the device, {around.repeated:,} "
        "of them repeated, and none came back: the device is down, or the way to it."
    )


def _around(runs: Sequence[Run]) -> Around:
    """Added over conversations: runs of one conversation share what surrounds them."""
    widest: dict[tuple[bytes, bytes, int, int], Around] = {}
    for run in runs:
        of = run.relation.subject.conversation
        if of not in widest or run.around[:3] > widest[of][:3]:
            widest[of] = run.around
    total = [sum(values) for values in zip(*widest.values(), strict=True)]
    return Around(*total)


def _circumstances(runs: Sequence[Run], change: str) -> Iterator[str]:
    unknown = sum(run.unknown for run in runs)
    if unknown:
        yield f"{unknown:,} slots among them were not judged: the capture may have lost them."
    if change:
        yield f"It lies inside the window of change {change}, which lowers the severity by one."


def _fates(runs: Sequence[Run]) -> str:
    fates = sum((run.fates for run in runs), Counter[Fate]())
    names = {
        Fate.UNANSWERED: "unanswered",
        Fate.EXCEPTION: "refused with an exception",
        Fate.LATE: "answered late",
        Fate.MISSED: "never asked",
    }
    return ", ".join(f"{fates[fate]:,} {name}" for fate, name in names.items() if fates[fate])


def _polls(count: int) -> str:
    return "one poll" if count == 1 else f"{count:,} polls"


def _device(site: CompiledSite, address: bytes) -> str:
    asset = site.asset_of(address)
    return f"{asset.label} ({address_text(address)})" if asset else address_text(address)


def _clock(at_ns: int) -> str:
    seconds, rest = divmod(at_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"
