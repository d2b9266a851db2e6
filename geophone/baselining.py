"""What `geophone baseline` does: captures in, what they teach out; baselines shown, compared and accepted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
from rich.console import Console

from analyzers.baseline.comparing import Acceptance, Baseline
from analyzers.baseline.facts import KEY
from analyzers.baseline.file import from_bytes, save
from analyzers.baseline.file import load as load_file
from analyzers.baseline.learning import Learner
from analyzers.baseline.wording import fact_id, fact_text, parse_fact
from analyzers.conversations import Conversations
from geophone import __version__
from geophone.errors import UsageProblem
from geophone.listing import Form, Head, write_rows
from policy.baseline_settings import BaselineSettings
from policy.loader import LoadedPolicy
from policy.loader import load as load_policy
from policy.zoning import compile_site
from sensors.addresses import address_text
from sensors.capture import Capture, open_capture, spooled
from sensors.engine import EngineLimits, decode

_ID: Final = re.compile(r"[0-9a-f]{12}")
_FIELDS: Final = (
    "id", "fact", "state", "count", "forbidden", "first_seen", "last_seen", "hours", "days", "least", "greatest",
    "step", "kind", "client", "server", "port", "what",
)  # fmt: skip
_HEADS: Final = (
    Head("id", "Id", whole=True),
    Head("state", "State"),
    Head("count", "Times", number=True),
    Head("forbidden", "Forbidden", number=True),
    Head("hours", "Hours", number=True),
    Head("days", "Days", number=True),
    Head("values", "Values"),
    Head("fact", "Fact"),
)


def learn(
    captures: Sequence[Capture],
    policy: LoadedPolicy,
    *,
    min_count: int | None = None,
    limits: EngineLimits | None = None,
) -> Baseline:
    """What whole captures teach, one after the other; `min_count` in place of the policy's."""
    site = compile_site(policy.site, policy.evidence)
    settings = policy.site.baseline or BaselineSettings()
    learner = Learner(site, settings)
    for capture in captures:
        conversations = Conversations(site)
        with decode(capture, limits=limits) as run:
            for batches in run:
                learner.feed(conversations.enrich(batches))
        capture.refuse_changed()
    learned = learner.learned()
    return Baseline(
        site=policy.site.id,
        policy_sha256=policy.sha256,
        version=__version__,
        min_count=settings.min_count if min_count is None else min_count,
        captures=tuple(capture.sha256 for capture in captures),
        facts=learned.facts,
        left_out=learned.left_out,
    )


def load_baseline(file: Path, policy: LoadedPolicy) -> Baseline:
    """The baseline of a file, which has to be the policy's site's. Raises UsageProblem and BaselineError."""
    baseline = load_file(file)
    if baseline.site != policy.site.id:
        raise UsageProblem(
            f"--baseline {file}: this is the baseline of site {baseline.site}, the policy is of {policy.site.id}"
        )
    return baseline


def learn_to(
    captures: Sequence[Path],
    policy_file: Path,
    *,
    output: Path | None,
    store_url: str | None,
    min_count: int | None,
    limits: EngineLimits | None,
) -> None:
    """Learn, say what was learned, and keep it: in a file, in a store, or in both."""
    if output is None and store_url is None:
        raise UsageProblem("a baseline is to be kept: name a file (-o FILE), a --store, or both")
    policy = load_policy(policy_file)
    named = [open_capture(path) for path in captures]
    if any(capture.is_stream for capture in named):
        with spooled(named[0]) as whole:
            baseline = learn([whole, *named[1:]], policy, min_count=min_count, limits=limits)
    else:
        baseline = learn(named, policy, min_count=min_count, limits=limits)
    if output is not None:
        _save(baseline, output)
    if store_url is not None:
        keep(baseline, store_url)
    _say(summary(baseline))


def keep(baseline: Baseline, store_url: str) -> None:
    """Make it the baseline that its site is compared with from now on."""
    from store.baselines import keep_baseline
    from store.client import open_store

    with open_store(store_url) as store:
        keep_baseline(store, baseline)


def export(store_url: str, site: str, output: Path, *, sha256: str = "") -> None:
    """Write the baseline that a store has of a site, or the one with this hash."""
    from store.baselines import baseline_text, sites_with_baseline, stored_baseline
    from store.client import open_store

    with open_store(store_url) as store:
        if sha256:
            text = baseline_text(store, sha256)
            if text is None:
                raise UsageProblem(f"--sha256 {sha256}: {store_url} has no baseline with this hash")
            kept = from_bytes(text.encode(), f"baseline {sha256}")
            _save(kept, output)
            _say(summary(kept))
            return
        sites = sites_with_baseline(store)
        wanted = site or (sites[0] if len(sites) == 1 else "")
        if wanted not in sites:
            known = f"it has one of: {', '.join(sites)}; name one with --site" if sites else "it has none"
            raise UsageProblem(f"--store {store_url}: which site's baseline? {known}")
        baseline = stored_baseline(store, wanted)
    if baseline is not None:
        _save(baseline, output)
        _say(summary(baseline))


def summary(baseline: Baseline) -> list[str]:
    """What a baseline holds, in lines."""
    facts = baseline.facts
    known = facts.filter(pl.col("count") >= baseline.min_count).height
    odd = facts.filter(pl.col("count").is_between(1, baseline.min_count - 1)).height
    forbidden = facts.filter(pl.col("forbidden") > 0)
    counts = (
        f"{facts.height:,} facts: {known:,} known (seen {baseline.min_count} × or more), {odd:,} too seldom, "
        f"{len(baseline.accepted):,} accepted."
    )
    lines = [f"Baseline of site {baseline.site}, sha256 {baseline.sha256}", counts]
    if forbidden.height:
        lines.append(
            f"▲ {forbidden.height:,} of them were seen although the policy forbids it, "
            f"{int(forbidden['forbidden'].sum()):,} × in all: they are not known by that. "
            "`geophone baseline show --state forbidden` lists them."
        )
    lines += [
        f"▲ {rows:,} rows of {kind} had no room: raise `baseline.facts`."
        for kind, rows in baseline.left_out.items()
    ]
    return lines


def show(file: Path, *, kinds: Sequence[str], state: str, form: Form) -> None:
    """List the facts of a baseline."""
    baseline = load_file(file)
    rows = [
        row
        for row in _rows(baseline)
        if (not kinds or row["kind"] in kinds) and (not state or row["state"] == state)
    ]
    write_rows(rows, form, _HEADS, _FIELDS, "No such facts.")
    if form == "table":
        _say(summary(baseline), Console(stderr=True, soft_wrap=True, highlight=False))


def differences(old: Path, new: Path, form: Form) -> int:
    """List what one baseline knows and the other does not; how many facts that are."""
    before, after = (
        {row["fact"]: row for row in _rows(load_file(file)) if row["state"] in ("known", "accepted")}
        for file in (old, new)
    )
    changes = [
        {**row, "change": word}
        for word, ours, theirs in (("new", after, before), ("gone", before, after))
        for fact, row in ours.items()
        if fact not in theirs
    ]
    heads = (Head("change", "Change"), *_HEADS[:1], *_HEADS[2:])
    write_rows(changes, form, heads, ("change", *_FIELDS), "Both know the same.")
    return len(changes)


def accept(file: Path, facts: Sequence[str], *, who: str, why: str, values: tuple[int, int] | None) -> None:
    """Make facts known that were not learned, with who answers for it and why."""
    baseline = load_file(file)
    listed = {row["id"]: row["key"] for row in _rows(baseline)}
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    least, greatest = values if values is not None else (None, None)
    new = []
    for text in facts:
        key = listed.get(text) if _ID.fullmatch(text) else _parsed(text)
        if key is None:
            raise UsageProblem(f"{text}: {file} has no fact of this id; `geophone baseline show` lists them")
        new.append(Acceptance(**key, who=who, why=why, at=at, least=least, greatest=greatest))
    changed = replace(baseline, accepted=(*baseline.accepted, *new))
    _save(changed, file)
    _say([f"accepted: {fact_text({name: getattr(one, name) for name in KEY})}" for one in new])
    _say(summary(changed)[:1])


def _parsed(text: str) -> dict[str, Any]:
    try:
        return parse_fact(text)
    except ValueError as problem:
        raise UsageProblem(str(problem)) from problem


def _rows(baseline: Baseline) -> Iterator[dict[str, Any]]:
    """Facts and what was accepted, a row each, for people and machines."""
    for fact in baseline.facts.iter_rows(named=True):
        days = {hour // 24 for hour in fact["hours"]}
        known = fact["count"] >= baseline.min_count
        state = "known" if known else "too seldom" if fact["count"] else "forbidden"
        yield _row(fact, state) | {
            "count": fact["count"],
            "forbidden": fact["forbidden"],
            "first_seen": _utc(fact["first_ns"]),
            "last_seen": _utc(fact["last_ns"]),
            "hours": len(fact["hours"]),
            "days": len(days),
            "least": fact["lows"][0] if fact["lows"] else None,
            "greatest": fact["highs"][0] if fact["highs"] else None,
            "values": f"{fact['lows'][0]} to {fact['highs'][0]}" if fact["lows"] else "",
            "step": fact["step"],
        }
    for one in baseline.accepted:
        bounds = {"least": one.least, "greatest": one.greatest}
        told = f"by {one.who}: {one.why}"
        yield (
            _row({name: getattr(one, name) for name in KEY}, "accepted")
            | bounds
            | {
                "count": None,
                "forbidden": None,
                "first_seen": one.at,
                "last_seen": one.at,
                "hours": None,
                "days": None,
                "values": told,
                "step": None,
            }
        )


def _row(fact: Mapping[str, Any], state: str) -> dict[str, Any]:
    return {
        "id": fact_id(fact),
        "fact": fact_text(fact),
        "state": state,
        "kind": fact["kind"],
        "client": address_text(fact["client_ip"]),
        "server": address_text(fact["server_ip"]),
        "port": fact["server_port"],
        "what": fact["what"],
        "key": {name: fact[name] for name in KEY},
    }


def _save(baseline: Baseline, path: Path) -> None:
    try:
        save(baseline, path)
    except OSError as problem:
        raise UsageProblem(f"{path}: {problem.strerror or problem}") from problem


def _say(lines: Iterable[str], console: Console | None = None) -> None:
    console = console or Console(soft_wrap=True, highlight=False)
    for line in lines:
        console.print(line, markup=False)


def _utc(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
