"""A folder of rules in; the rules that can be run, and what is wrong with the others, out.

Each file is one rule in Sigma's format. A rule that is wrong stops no other: its problems name file, line, key and
repair.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from analyzers.rules.rule import Rule, RuleSet
from analyzers.rules.sigma_file import read_rule
from policy.problems import Problem

_SIZE_LIMIT: Final = 1 << 20
_SUFFIXES: Final = frozenset({".yml", ".yaml"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder of rules holds."""

    rules: RuleSet
    #: `file:line key: what is wrong; what to do`, in the order of the files.
    problems: tuple[str, ...]


def load_rules(path: Path) -> Loaded:
    """Every .yml and .yaml file of a folder and of those in it, or one file. Raises OSError where it is not there."""
    files = [path] if path.is_file() else sorted(_files(path))
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for file in files:
        name = str(file.relative_to(path)) if file != path else file.name
        found = _read(file, name)
        if isinstance(found, Rule) and (other := rules.get(found.id)):
            found = [
                Problem(0, "", f"{found.id} is in {other.file} already; give one of them another name and id")
            ]
        if isinstance(found, Rule):
            rules[found.id] = found
        else:
            problems += [problem.located(str(file)) for problem in sorted(set(found))]
    ordered = tuple(rules[id_] for id_ in sorted(rules))
    return Loaded(RuleSet(ordered, _sha256(ordered)), tuple(problems))


def _files(folder: Path) -> Iterator[Path]:
    folder.stat()
    return (file for file in folder.rglob("*") if file.suffix in _SUFFIXES and file.is_file())


def _read(file: Path, name: str) -> Rule | list[Problem]:
    try:
        with file.open("rb") as source:
            content = source.read(_SIZE_LIMIT + 1)
    except OSError as error:
        return [Problem(0, "", f"cannot be read: {error.strerror or error}")]
    if len(content) > _SIZE_LIMIT:
        return [Problem(0, "", f"longer than {_SIZE_LIMIT >> 20} MiB; is this a rule?")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [Problem(line, "", "not UTF-8 text; save the file as UTF-8")]
    found = read_rule(text, name)
    if isinstance(found, Rule):
        return replace(found, sha256=hashlib.sha256(content).hexdigest())
    return found


def _sha256(rules: tuple[Rule, ...]) -> str:
    """Of the rules that run, wherever their files lie: what decides which findings come out."""
    return hashlib.sha256("\n".join(f"{rule.id} {rule.sha256}" for rule in rules).encode()).hexdigest()
