"""`geophone policy learn`: captures in; a draft of a policy that allows what was seen, out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from analyzers.conversations import Conversations
from analyzers.drafting.draft import Draft
from analyzers.drafting.seen import Seen
from geophone.errors import UsageProblem
from policy.loader import loads
from policy.zoning import compile_site
from sensors.capture import Capture, open_capture
from sensors.engine import EngineLimits, decode
from sensors.whole_file import whole_file

#: Before there are zones: whatever is seen is in none.
_NOWHERE = "schema: 1\nsite: {id: nowhere, name: Nowhere, tz: UTC}\nzones: [{id: none, purdue: 3}]\n"


def drafted(captures: Sequence[Capture], limits: EngineLimits | None = None) -> Draft:
    """What whole captures show, drafted."""
    site, seen = compile_site(loads(_NOWHERE).site), Seen()
    for capture in captures:
        conversations = Conversations(site)
        with decode(capture, limits=limits) as run:
            for batches in run:
                seen.feed(conversations.enrich(batches))
    return Draft(seen)


def learn_policy(
    captures: Sequence[Path],
    *,
    site_id: str,
    name: str,
    tz: str,
    output: Path | None,
    limits: EngineLimits | None,
) -> None:
    """Write the draft, which loads without errors, and say what it holds."""
    draft = drafted([open_capture(path) for path in captures], limits)
    if not draft.counts()["zones"]:
        raise UsageProblem("no address was seen that could be in a zone: there is nothing to draft")
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
        f"Drafted: {counts}. It allows all that was seen: review each rule.", markup=False
    )
