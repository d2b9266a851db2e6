"""The findings about service levels: their ids, titles, what they report and what not to be fooled by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from analyzers.findings import Severity

#: Severity by the class that is missed: C1 control to C4 reporting.
CLASS_SEVERITY: Final = {"C1": Severity.HIGH, "C2": Severity.MEDIUM, "C3": Severity.LOW, "C4": Severity.LOW}


@dataclass(frozen=True, slots=True)
class SlaKind:
    """One kind of finding about a service level; docs/polls.md says how each is judged."""

    id: str
    #: Finishes "the network shows…".
    title: str
    references: tuple[str, ...]


#: Polls that came to nothing, three slots in a row or more. Not: a client that stopped asking, a blind sensor.
OUTAGE: Final = SlaKind("SLA-01", "an outage: polls that come to nothing", ("SR 7.1",))
#: A poll that changes between good and bad again and again. Not: answers that are late now and then.
FLAPPING: Final = SlaKind("SLA-02", "a poll that fails and recovers again and again", ("SR 7.1",))
#: A scope that spends its availability or transaction time much too fast. Not: an outage, which is told as that.
BURNING: Final = SlaKind("SLA-03", "an error budget that burns", ("SR 7.1",))
#: A scope that loses more than its target, and more than chance explains.
LOSSY: Final = SlaKind("SLA-04", "loss over the target", ("SR 7.1",))

SLA_KINDS: Final = (OUTAGE, FLAPPING, BURNING, LOSSY)
