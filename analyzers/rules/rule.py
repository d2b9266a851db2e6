"""One rule that the user wrote: what it looks at, what it matches, and what its findings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analyzers.rules.fields import Service
from policy.zoning import CompiledSite


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that can be run; a kind of finding (`analyzers.reporting.FindingKind`)."""

    #: `rule:` and the rule's name, or its UUID where it has none.
    id: str
    title: str
    description: str
    base_severity: int
    #: What the rule itself refers to.
    sources: tuple[str, ...]
    techniques: tuple[str, ...]
    service: Service
    #: True for the rows that the rule matches, never null.
    matches: pl.Expr
    #: The fields that its condition names, and those that are shown of what it matches.
    named: tuple[str, ...]
    shown: tuple[str, ...]
    file: str
    #: Of the file, as it was read.
    sha256: str

    @property
    def references(self) -> tuple[str, ...]:
        """What the rule refers to, and the file that it was, so that the finding can be made again."""
        return (*self.sources, f"{self.file} sha256 {self.sha256}")

    @property
    def possible_techniques(self) -> tuple[str, ...]:
        """Whoever writes a rule says what it is."""
        return ()

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """The rule's own title."""
        return self.title

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What the rule says of itself, and what it matched."""
        own = f"{self.description.rstrip()} " if self.description else ""
        count = violation["count"]
        rows = "1 row" if count == 1 else f"{count:,} rows"
        return f"{own}The rule {self.id.removeprefix('rule:')} ({self.file}) matched {rows} of {self.service.name}."


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Every rule that can be run, by id; what makes one set another is `sha256`."""

    rules: tuple[Rule, ...]
    sha256: str
