"""What a policy asks for and no check holds traffic against yet: silence about it must not read as compliance."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from policy.lints import Lint
from policy.model import Site
from policy.problems import Path


def unjudged(site: Site) -> list[Lint]:
    """One remark for each section with such keys, in the order of the file."""
    return list(_sections(site))


def _sections(site: Site) -> Iterator[Lint]:
    rolled_back = [index for index, change in enumerate(site.changes) if change.rollback_by]
    sections: tuple[tuple[Path, str, Sized], ...] = (
        (("changes", *rolled_back[:1]), "rollback_by", rolled_back),
    )
    for where, key, present in sections:
        if present:
            yield Lint("not-judged-yet", where, f"no check judges {key} yet ({len(present)} in this file)")
