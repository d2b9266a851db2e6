"""A rule's tags in; the techniques of ATT&CK for ICS that it names out, each checked against the table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from analyzers.techniques import TACTICS, TECHNIQUES, WITHDRAWN
from policy.problems import Problem
from policy.values import suggestion

_TECHNIQUE: Final = re.compile(r"t\d{4}(\.\d{3})?")
_GROUPS_AND_SOFTWARE: Final = re.compile(r"[gsc]\d{4}")


def techniques_of(tags: Sequence[object], line_of: Sequence[int]) -> tuple[tuple[str, ...], list[Problem]]:
    """Tags with the line of each in; technique ids, sorted, and what is wrong. Tags of other namespaces say nothing."""
    found: set[str] = set()
    problems: list[Problem] = []
    for index, tag in enumerate(tags):
        namespace, _, name = str(tag).lower().partition(".")
        if namespace != "attack":
            continue
        if message := _wrong(name):
            problems.append(Problem(line_of[index], f"tags[{index}]", message))
        elif _TECHNIQUE.fullmatch(name):
            found.add(name.upper())
    return tuple(sorted(found)), problems


def _wrong(name: str) -> str:
    if _TECHNIQUE.fullmatch(name):
        technique = name.upper()
        if technique in WITHDRAWN:
            return f"{technique} was withdrawn from ATT&CK for ICS; name the technique that took its place"
        if technique not in TECHNIQUES:
            return f"{technique} is not in ATT&CK for ICS{suggestion(technique, list(TECHNIQUES))}"
        return ""
    if _GROUPS_AND_SOFTWARE.fullmatch(name):
        return ""
    tactic = name.replace("_", "-")
    if tactic not in TACTICS:
        return f"attack.{name} is no technique and no tactic of ATT&CK for ICS{suggestion(tactic, list(TACTICS))}"
    return ""
