"""What a protocol's operations are to the policy: judged transactions in, the ones no rule allows out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import polars as pl

from policy.judged import Judged
from policy.zoning import CompiledSite


class Operations(ABC):
    """One protocol's operations, as far as rules can limit them."""

    #: The service's name in rules and decoded rows.
    service: ClassVar[str]

    @abstractmethod
    def broken(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """The rows of conversations that are allowed as such, that no rule allows; a row may come more than once.

        They have `broken`, the limits, and `nearest`, the rule that came closest, beside what was judged.
        """

    @abstractmethod
    def refused(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Violations (columns of `policy.violations.VIOLATION`) of conversations that are allowed as such.

        `what` names the operation and the limit it broke: repeats of it are one subject.
        """
