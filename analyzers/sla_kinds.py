"""The findings about service levels: their ids, titles and what they mean. The docstrings are pages of the manual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SlaKind:
    """One kind of finding about a service level."""

    id: str
    #: Finishes "the network shows…".
    title: str
    references: tuple[str, ...]


#: An outage: polls that came to nothing, three slots in a row or more.
OUTAGE: Final = SlaKind("SLA-01", "an outage: polls that come to nothing", ("SR 7.1",))
#: A poll that changes between good and bad again and again.
FLAPPING: Final = SlaKind("SLA-02", "a poll that fails and recovers again and again", ("SR 7.1",))

SLA_KINDS: Final = (OUTAGE, FLAPPING)
