"""What tells why a scope is slow, lossy or without a verdict: sums of its minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Sums of Causes, and the columns of SLA_MINUTES that they are sums of, over the minutes that count.
CAUSES: Final = {
    **{
        name: name
        for name in (
            "data_segments",
            "lost_segments",
            "lost_client_side",
            "lost_server_side",
            "lost_before_tap",
            "lost_after_tap",
            "transactions",
            "exceptions",
            "unanswered",
            "late",
            "missed",
        )
    },
    **{why: f"not_measurable_{why}" for why in ("encrypted", "unmatched", "clock")},
}


@dataclass(frozen=True, slots=True)
class Causes:
    """What tells why, beside the figures that are judged: the sums of a scope's minutes that count."""

    rtt_p99_ns: int | None = None
    transaction_p99_ns: int | None = None
    server_time_p99_ns: int | None = None
    server_time_samples: int = 0
    transaction_samples: int = 0
    #: shortest and nearly longest (p99.9) round trip
    rtt_min_ns: int | None = None
    rtt_p999_ns: int | None = None
    data_segments: int = 0
    lost_segments: int = 0
    lost_client_side: int = 0
    lost_server_side: int = 0
    lost_before_tap: int = 0
    lost_after_tap: int = 0
    transactions: int = 0
    exceptions: int = 0
    unanswered: int = 0
    late: int = 0
    missed: int = 0
    encrypted: int = 0
    unmatched: int = 0
    one_sided: int = 0
    clock: int = 0
    #: minutes of conversations of which only one direction was seen
    one_sided_minutes: int = 0
    #: minutes that are in no figure: the capture lost too much of them; a planned change took them out
    minutes_invalid: int = 0
    minutes_excluded: int = 0
    #: share of the packets that the capture lost in the minutes that are not valid, 0 to 1
    capture_loss: float | None = None

    @property
    def jitter_ns(self) -> int | None:
        """Path jitter: p99.9 less the shortest round trip. Of both ways together: not a one-way delay's variation."""
        if self.rtt_min_ns is None or self.rtt_p999_ns is None:
            return None
        return max(0, self.rtt_p999_ns - self.rtt_min_ns)

    @property
    def why_not(self) -> str:
        """Why requests that were there are in no figure, the most frequent reason; empty where none was there."""
        whys = (
            (self.encrypted, "encrypted"),
            (self.one_sided, "only one direction was seen"),
            (self.unmatched, "the questions to the answers were not seen"),
            (self.clock, "the capture's clock was set back"),
        )
        count, why = max(whys, key=lambda each: each[0])
        return why if count else ""


#: Nothing was measured that tells why.
NO_CAUSES: Final = Causes()
