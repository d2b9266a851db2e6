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
    zones = [index for index, zone in enumerate(site.zones) if "internet" in zone.model_fields_set]
    eaps = [index for index, conduit in enumerate(site.conduits) if conduit.eap]
    expiring, expected = _rules_with(site, "expires"), _rules_with(site, "expect_used_days")
    excluded = [index for index, change in enumerate(site.changes) if change.sla_exclude]
    rolled_back = [index for index, change in enumerate(site.changes) if change.rollback_by]
    sections: tuple[tuple[Path, str, Sized], ...] = (
        (("zones", *zones[:1]), "internet", zones),
        (("conduits", *eaps[:1]), "eap", eaps),
        (next(iter(expiring), ()), "expires", expiring),
        (next(iter(expected), ()), "expect_used_days", expected),
        (("remote_access",), "remote_access", site.remote_access),
        (("changes", *excluded[:1]), "sla_exclude", excluded),
        (("changes", *rolled_back[:1]), "rollback_by", rolled_back),
    )
    for where, key, present in sections:
        if present:
            yield Lint("not-judged-yet", where, f"no check judges {key} yet ({len(present)} in this file)")


def _rules_with(site: Site, key: str) -> list[Path]:
    """The place of each rule that has the key."""
    return [
        ("conduits", at, "allow", index)
        for at, conduit in enumerate(site.conduits)
        for index, rule in enumerate(conduit.allow)
        if getattr(rule, key) is not None
    ]
