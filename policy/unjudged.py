"""What a policy asks for and no check holds traffic against yet: silence about it must not read as compliance."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Final

from policy.lints import Lint
from policy.model import Site
from policy.problems import Path

#: Keys of allow-rules that the loader checks and no check judges.
RULE_KEYS: Final = (
    "min_mode",
    "auth",
    "services",
    "write_nodes",
    "tls",
    "client_ids",
    "publish",
    "subscribe",
)


def unjudged(site: Site) -> list[Lint]:
    """One remark for each rule and each section with such keys, in the order of the file's sections."""
    return [*_sections(site), *_rules(site)]


def _rules(site: Site) -> Iterator[Lint]:
    for at, conduit in enumerate(site.conduits):
        for index, rule in enumerate(conduit.allow):
            keys = [key for key in RULE_KEYS if getattr(rule, key) is not None]
            if keys:
                yield Lint(
                    "not-judged-yet",
                    ("conduits", at, "allow", index),
                    f"rule {rule.id}: no check judges {', '.join(keys)} yet; "
                    f"every {rule.service} operation between its hosts passes",
                )


def _sections(site: Site) -> Iterator[Lint]:
    zones = [index for index, zone in enumerate(site.zones) if "internet" in zone.model_fields_set]
    eaps = [index for index, conduit in enumerate(site.conduits) if conduit.eap]
    sections: tuple[tuple[Path, str, Sized], ...] = (
        (("zones", *zones[:1]), "internet", zones),
        (("conduits", *eaps[:1]), "eap", eaps),
        (("remote_access",), "remote_access", site.remote_access),
        (("polls",), "polls", site.polls),
    )
    for where, key, present in sections:
        if present:
            yield Lint("not-judged-yet", where, f"no check judges {key} yet ({len(present)} in this file)")
