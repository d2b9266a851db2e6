"""How much a finding matters: its degrees and their words, in one place and without any other import of ours."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Literal, get_args

SeverityName = Literal["critical", "high", "medium", "low", "info"]
#: The gravest first.
SEVERITY_NAMES: Final[tuple[SeverityName, ...]] = get_args(SeverityName)


class Severity(IntEnum):
    """How much it matters; never lowered because the capture was poor."""

    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5

    @property
    def word(self) -> SeverityName:
        """How it is written for people and in answers: 'critical'."""
        return SEVERITY_NAMES[-self]
