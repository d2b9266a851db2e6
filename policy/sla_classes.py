"""The four SLA classes: what a zone or conduit is held to where the site sets nothing else.

The figures are proposals in the orders of magnitude of 3GPP TR 22.847, ITU-T Y.1541 and IEC 61850-5. The deadline
of a transaction is twice its class's 99th percentile target: a poll that misses it counts against availability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class SlaTarget:
    """What the network is held to: shares are 0 to 1, times are ns."""

    sla_class: str
    availability: float  #: share of transactions answered well and in time, over 30 days
    rtt_p95_ns: int
    rtt_p99_ns: int
    transaction_p99_ns: int
    loss: float  #: share of data segments that the network may lose
    deadline_ns: int  #: an answer after this is late
    sla_id: str = ""  #: the `sla` entry of the policy, empty for the default of a zone's criticality

    @property
    def declared(self) -> bool:
        """The policy sets this target; it is not only the default of the zone's criticality."""
        return bool(self.sla_id)


def _class(
    name: str, percent: float, rtt_ms: tuple[int, int], transaction_ms: int, loss_percent: float
) -> SlaTarget:
    return SlaTarget(
        sla_class=name,
        availability=share(percent),
        rtt_p95_ns=rtt_ms[0] * _NS_PER_MS,
        rtt_p99_ns=rtt_ms[1] * _NS_PER_MS,
        transaction_p99_ns=transaction_ms * _NS_PER_MS,
        loss=share(loss_percent),
        deadline_ns=2 * transaction_ms * _NS_PER_MS,
    )


def share(percent: float) -> float:
    """A percentage as a share, 99.9 as 0.999, without the last bits of binary noise."""
    return round(percent / 100, 10)


def milliseconds(value: float) -> int:
    """Milliseconds as whole ns."""
    return round(value * _NS_PER_MS)


#: C1 tele-remote and autonomous control, C2 control room polls, C3 historian and DMZ, C4 reporting.
SLA_CLASSES: Final = {
    "C1": _class("C1", 99.99, (20, 50), 100, 0.05),
    "C2": _class("C2", 99.9, (50, 100), 500, 0.1),
    "C3": _class("C3", 99.5, (150, 300), 1_000, 0.5),
    "C4": _class("C4", 99.0, (400, 800), 3_000, 1.0),
}
