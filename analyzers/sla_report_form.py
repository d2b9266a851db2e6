"""What an SLA report says, field by field: the schema of its JSON, and the columns of its CSV.

Units are in the names: `…_ms` milliseconds, `…_minutes`, `…_percent` of 100, everything else counts. Null is 'not
measured', never zero. Percentiles are within 1 % (`analyzers.sketch`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from analyzers.sla import Status

#: Changes when a formula does: two reports of one method are compared figure by figure, others are not.
METHOD: Final = "3"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CaptureName(_Part):
    """A capture the report rests on."""

    name: str
    sha256: str = Field(description="of its bytes; of a live session, of what names it")


class Span(_Part):
    """A stretch of time, [start, end), in UTC and in the site's own time."""

    start: datetime = Field(description="UTC")
    end: datetime = Field(description="UTC")
    start_local: datetime = Field(description="the same moment in the site's time zone")
    end_local: datetime
    minutes: int = Field(description="minutes that begin in it")


class Watched(_Part):
    """What the captures saw of the period, for all scopes together."""

    minutes: int = Field(
        description="minutes of the period in which a capture read a packet; below 95 % of them nothing is met"
    )
    packets: int = Field(description="packets read, SPAN duplicates left out")
    dropped_packets: int = Field(description="packets that a capture says it dropped")
    unseen_segments: int = Field(description="segments acknowledged but never seen: lost by the capture")
    duplicate_packets: int = Field(description="copies made by the SPAN port, left out of everything")
    first_packet: datetime | None = Field(description="UTC")
    last_packet: datetime | None = Field(description="UTC")


class Target(_Part):
    """What the scope is held to."""

    sla_id: str = Field(description="the policy's SLA; empty where the default of the criticality holds")
    sla_class: str = Field(description="C1 to C4")
    availability_percent: float
    transaction_p99_ms: float
    deadline_ms: float = Field(description="a later answer is late")
    rtt_p95_ms: float
    rtt_p99_ms: float
    loss_percent: float


class Objective(_Part):
    """One objective and its error budget. A slot is a request (availability) or an answer (transaction time)."""

    target_percent: float = Field(description="of the slots, to be good")
    achieved_percent: float | None = Field(description="of the slots, that were")
    slots: int = Field(description="slots that count")
    bad_slots: int = Field(description="of these, bad: the budget spent, in slots")
    allowed_slots: float = Field(description="of these, that may be bad: slots x (1 - target)")
    left_slots: float = Field(description="allowed - bad; below zero when overspent")
    allowed_minutes: float = Field(description="of the budget's period: minutes x (1 - target)")
    spent_minutes: float = Field(description="measured minutes x bad / slots")
    left_minutes: float = Field(description="allowed - spent; below zero when overspent")
    left_percent: float | None = Field(description="of the period's budget")
    lasts_minutes: float | None = Field(
        description="how long the rest lasts at this rate; null: nothing burns"
    )
    burn_rate: float | None = Field(
        description="(bad / slots) / (1 - target) over the whole report; above 1: missed"
    )


class Outcomes(_Part):
    """Requests by how they ended; `good` and the four after it add up to requests + missed."""

    requests: int = Field(description="made, with an answer that can be matched or that never came")
    good: int = Field(description="answered without exception, within the deadline")
    late: int = Field(description="answered without exception, after the deadline")
    exceptions: int = Field(description="answered with an exception")
    unanswered: int = Field(description="not answered")
    missed: int = Field(description="due (a learned or declared poll) and never made")
    unknown_encrypted: int = Field(description="encryption hides what answers them: neither good nor bad")
    unknown_unmatched: int = Field(description="answers whose request was not seen: neither good nor bad")
    unknown_one_sided: int = Field(description="only one direction was seen: neither good nor bad")
    unknown_clock: int = Field(description="the capture's clock went back: neither good nor bad")


class Times(_Part):
    """A distribution of durations."""

    samples: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class Loss(_Part):
    """Data segments lost in the network, by where it lost them."""

    data_segments: int
    before_tap_segments: int = Field(description="lost on the way to the tap: a hole, filled late")
    after_tap_segments: int = Field(description="lost behind the tap: seen twice")
    client_side_segments: int = Field(
        description="of both, between the client and the tap, whichever way they went"
    )
    server_side_segments: int = Field(description="of both, between the tap and the server")
    percent: float | None = Field(description="both, of the data segments")


class Minutes(_Part):
    """Minutes of the scope with traffic. A minute may be counted and excluded, for different conversations."""

    seen: int
    counted: int = Field(description="in the figures")
    invalid: int = Field(description="not judged: the capture lost more than 0.1 % of them")
    excluded: int = Field(description="some conversation was excluded by a planned change")
    wholly_excluded: int = Field(description="every conversation was: they leave the budget's period too")
    valid_percent: float | None = Field(
        description="of those that are not wholly excluded; below 95: no data"
    )
    with_slots: int = Field(description="of the counted ones, with a request that was made or due")
    in_target: int = Field(description="of these, with at least the availability target of their slots good")


class Exclusion(_Part):
    """Planned changes that took minutes out of the denominator."""

    refs: str = Field(description="references of the changes, joined by commas")
    minutes: int
    conversation_minutes: int


class Alert(_Part):
    """A stretch of time in which the availability budget burned fast enough to tell somebody."""

    kind: Literal["page", "ticket"]
    rule: str = Field(description="burn-1h, burn-6h, burn-3d, or in-a-row (C1: three bad slots in a row)")
    start: datetime = Field(description="UTC")
    end: datetime = Field(description="UTC")
    peak: float = Field(
        description="highest burn rate of the long window; of in-a-row, slots in a row at least"
    )


class Worst(_Part):
    """The conversation that is slowest at its 99th percentile, or without times loses most."""

    conversation: str = Field(description="client → server:port")
    service: str
    indicator: Literal["transaction", "rtt", "loss"]
    p99_ms: float | None
    achieved_percent: float | None = Field(description="its availability")
    loss_percent: float | None


class Scope(_Part):
    """A zone or a conduit against its target."""

    kind: Literal["zone", "conduit"]
    id: str
    name: str
    status: Status = Field(description="met, at risk, breached or no data")
    reasons: tuple[str, ...] = Field(description="what led to the status; empty when met")
    because: tuple[str, ...] = Field(
        description="whose a problem is: device, network, a side of the tap, the sensor"
    )
    missing: tuple[str, ...] = Field(description="what was not measured, and why")
    target: Target
    availability: Objective
    transaction_time: Objective = Field(description="answers within `target.transaction_p99_ms`")
    worst_burn_1h: float | None = Field(
        description="highest burn rate of the availability budget in any hour"
    )
    worst_burn_6h: float | None
    outcomes: Outcomes
    transaction: Times = Field(description="request to response at the tap")
    rtt: Times = Field(description="round trips across both sides of the tap")
    path_jitter_ms: float | None = Field(
        description="p99.9 of the round trips less the shortest, both ways together"
    )
    server_time: Times = Field(
        description="transaction time less the shortest way to the answering side and back"
    )
    loss: Loss
    packets: int = Field(description="packets seen, in all minutes")
    minutes: Minutes
    exclusions: tuple[Exclusion, ...]
    alerts: tuple[Alert, ...]
    worst: Worst | None = Field(description="null where no conversation has a figure")


class Indicator(_Part):
    """One of the six indicators of the operating model."""

    number: int = Field(description="1 to 6")
    name: str
    value: float | None = Field(description="null where it is not measured: `missing` says why")
    unit: str = Field(description="of the value and the limit")
    limit: float | None = Field(
        description="what it is held to: the strictest of its parts; null where nothing is"
    )
    made_of: str = Field(description="the figures it is made of, in words")
    missing: str = Field(description="what is not in it, and why; empty where everything is")


class SlaReport(_Part):
    """An SLA report: one site, one period, every zone and conduit asked for."""

    method: str = Field(description="version of the formulas: reports of different methods are not compared")
    version: str = Field(description="of Geophone")
    site: str
    site_name: str
    time_zone: str = Field(description="the site's, of the IANA database")
    policy_name: str
    policy_sha256: str
    captures: tuple[CaptureName, ...]
    period: Span
    period_name: str = Field(description="the month, as 2026-11; empty for other periods")
    budget_minutes: int = Field(description="the period of the error budgets: the month's, else 30 days")
    watched: Watched
    scopes: tuple[Scope, ...]
    indicators: tuple[Indicator, ...] = Field(
        description="the six of the operating model, over the report's conduits; all, in their order"
    )
