"""`geophone policy learn`: captures, a store or a baseline in; a draft of a policy that allows what is known, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl
from rich.console import Console

from analyzers.baseline.file import load as load_baseline_file
from analyzers.drafting.draft import Draft
from analyzers.drafting.learned import LearnedFacts
from analyzers.drafting.seen import Seen
from analyzers.frames import frame_of
from geophone.errors import UsageProblem
from policy.loader import loads
from policy.traffic import table_schema
from sensors.capture import Capture, open_capture
from sensors.engine import EngineLimits, decode
from sensors.records import FLOWS, MODBUS, OPERATIONS, Table
from sensors.whole_file import whole_file

_SITE: Final = "site-1"
_TABLES: Final = (FLOWS, MODBUS, OPERATIONS)


def drafted(captures: Sequence[Capture], limits: EngineLimits | None = None) -> Draft:
    """What whole captures show, drafted."""
    seen = Seen()
    for capture in captures:
        with decode(capture, limits=limits) as run:
            for batches in run:
                seen.feed(*(frame_of(batches, table) for table in _TABLES))
    return Draft(seen)


def drafted_from_store(store_url: str, site_id: str) -> tuple[Draft, str]:
    """What the latest replay of each capture of a site showed, drafted, and the site's id. Raises UsageProblem."""
    from store.client import open_store
    from store.queries.history import decoded_rows, judged_replays

    seen = Seen()
    with open_store(store_url) as store:
        replays = judged_replays(store)
        sites = sorted({replay.site for replay in replays})
        if not site_id and len(sites) > 1:
            raise UsageProblem(
                f"--store {store_url}: which site? it has {', '.join(sites)}; name one with --site"
            )
        wanted = site_id or "".join(sites)
        if wanted not in sites:
            known = f"it has {', '.join(sites)}" if sites else "it has no finished replay"
            raise UsageProblem(f"--store {store_url}: nothing of a site {wanted or 'at all'}; {known}")
        for replay in replays:
            if replay.site == wanted:
                _feed_stored(seen, lambda table, id_=replay.id: decoded_rows(store, id_, table))  # type: ignore[misc]
    return Draft(seen), wanted


def _feed_stored(seen: Seen, rows_of: Callable[[Table], Iterator[pl.DataFrame]]) -> None:
    """Each table for itself: a store gives minutes of one table at a time."""
    for table in _TABLES:
        for rows in rows_of(table):
            given = [rows if one is table else pl.DataFrame(schema=table_schema(one)) for one in _TABLES]
            seen.feed(*given)


def learn_policy(
    captures: Sequence[Path],
    *,
    store_url: str | None,
    baseline_file: Path | None,
    site_id: str,
    name: str,
    tz: str,
    output: Path | None,
    limits: EngineLimits | None,
) -> None:
    """Write the draft, which loads without errors, and say what it holds."""
    if bool(captures) + bool(store_url) + bool(baseline_file) != 1:
        raise UsageProblem(
            "say what to draft from: captures, --store DIR|URL or --baseline FILE, one of the three"
        )
    if store_url:
        draft, site_id = drafted_from_store(store_url, site_id)
    elif baseline_file:
        baseline = load_baseline_file(baseline_file)
        draft, site_id = Draft(LearnedFacts(baseline)), site_id or baseline.site
    else:
        draft, site_id = drafted([open_capture(path) for path in captures], limits), site_id or _SITE
    if not draft.counts()["zones"]:
        raise UsageProblem("no address is known that could be in a zone: there is nothing to draft")
    text = draft.yaml(site_id, name=name or site_id, tz=tz)
    loads(text, "the draft")
    if output is None:
        print(text, end="")  # noqa: T201
    else:
        try:
            with whole_file(output) as out:
                out.write(text.encode())
        except OSError as problem:
            raise UsageProblem(f"{output}: {problem.strerror or problem}") from problem
    counts = ", ".join(f"{number} {what}" for what, number in draft.counts().items())
    Console(stderr=True, soft_wrap=True, highlight=False).print(
        f"Drafted: {counts}. It allows all that is known: review each rule.", markup=False
    )
