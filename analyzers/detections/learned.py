"""What every detection is that compares with a baseline: rows in; those that show something new, as violations, out.

A detection of something new says three things: which kind of fact it is about (`fact`), by which of its columns it is
known (`by`), and which rows show it (`seen`): with `what` as the baseline has it. The rest is here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl

from analyzers.baseline.memory import Memory
from analyzers.detections.base import Detection
from analyzers.detections.rows import violations_of
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.violations import VIOLATION, merged
from policy.zoning import CompiledSite


class LearnedDetection(Detection):
    """A detection that compares with what was learned; without a baseline it is given no rows."""

    def __init__(self, site: CompiledSite, memory: Memory) -> None:
        super().__init__(site)
        self.memory = memory

    @property
    def compared_with(self) -> tuple[str, ...]:
        """The baseline that findings name."""
        baseline = self.memory.baseline
        return () if baseline is None else (baseline.name,)

    @abstractmethod
    def because(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Why this is a finding, in whole sentences, without the baseline's name."""

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The same, and what it was compared with."""
        baseline = self.memory.baseline
        named = f" Compared with {baseline.name}." if baseline is not None else ""
        return self.because(site, violation) + named


class NewDetection(LearnedDetection):
    """Something that the baseline does not know."""

    #: The kind of fact: a name of `analyzers.baseline.facts.KINDS`.
    fact: ClassVar[str]
    #: What makes it known: columns of a fact, of client_ip, server_ip, server_port and what.
    by: ClassVar[tuple[str, ...]]

    def __init__(self, site: CompiledSite, memory: Memory) -> None:
        super().__init__(site, memory)
        self._gathered = Gathered()

    @abstractmethod
    def seen(self, traffic: Traffic) -> tuple[pl.DataFrame, pl.Expr]:
        """Rows with the columns of ROW, `what` as the fact has it; and the text of an example."""

    def subject(self) -> pl.Expr:
        """What `what` becomes in the findings: by default nothing, one finding a conversation."""
        return pl.lit("")

    def feed(self, traffic: Traffic) -> None:
        """Take one batch: what is unknown so far is kept."""
        rows, text = self.seen(traffic)
        if rows.height and (baseline := self.memory.baseline) is not None:
            found = violations_of(baseline.unknown(self.fact, rows, self.by), text)
            # What is new now stays new: no need to tell a flood of new topics apart until the end.
            self._gathered.add(self._of_subjects(found) if self.memory.settled else found)

    def violations(self) -> pl.DataFrame:
        """What is unknown still: rows from before the end of learning may come late."""
        found, baseline = self._gathered.all(), self.memory.baseline
        if found.is_empty() or baseline is None or self.memory.settled:
            return found
        return self._of_subjects(baseline.unknown(self.fact, found, self.by))

    def _of_subjects(self, found: pl.DataFrame) -> pl.DataFrame:
        return merged(found.with_columns(what=self.subject())).select(*VIOLATION)
