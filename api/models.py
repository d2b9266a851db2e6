"""What the API answers: one model an answer, each field with its unit and meaning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from analyzers.findings import Finding
from analyzers.severity import Severity, SeverityName
from analyzers.sla import Status
from api.figures import ScopeFigures, budget
from api.parameters import DecisionName, StateName
from api.reproducing import reproduce_command
from api.suppressions import SuppressionShown
from api.window import Window
from policy.sla_classes import SlaTarget
from store.answers import Alert, AlertCounts, AlertDetail, AlertEvent, Health, Replay, ScopeSummary, SlaPoint


def severity_name(severity: int) -> SeverityName:
    """The word for a severity that was stored as a number."""
    return Severity(severity).word


def at_ns(moment_ns: int) -> str:
    """A time in ns since the epoch as RFC 3339, UTC, all nine digits: a JSON number may lose some of them."""
    seconds, rest = divmod(moment_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True, extra="ignore")


class WindowAnswer(_Answer):
    """The range that was answered for."""

    start: datetime = Field(description="inclusive")
    end: datetime = Field(description="exclusive")
    chosen: str = Field(description="the range's name, `all` or `custom`")

    @classmethod
    def of(cls, window: Window) -> Self:
        """From a window."""
        return cls(start=window.start, end=window.end, chosen=window.chosen)


class TargetAnswer(_Answer):
    """What a zone or conduit must keep."""

    sla_class: str = Field(description="C1 to C4")
    availability: float = Field(description="share of requests answered well and in time, 0 to 1")
    rtt_p95_ns: int = Field(description="ns")
    rtt_p99_ns: int = Field(description="ns")
    transaction_p99_ns: int = Field(description="ns")
    loss: float = Field(description="share of data segments, 0 to 1")

    @classmethod
    def of(cls, target: SlaTarget) -> Self:
        """From a policy's target."""
        return cls.model_validate(target)


class PointAnswer(_Answer):
    """One step of a series. `null` is 'not measured', never zero."""

    start: datetime
    step_s: int = Field(description="s")
    packets: int
    coverage: float | None = Field(
        description="0 to 1: seen / (seen + dropped + acknowledged but never seen)"
    )
    rtt_p50_ns: int | None = Field(description="ns")
    rtt_p95_ns: int | None = Field(description="ns")
    rtt_p99_ns: int | None = Field(description="ns")
    rtt_samples: int
    transaction_p50_ns: int | None = Field(description="ns")
    transaction_p95_ns: int | None = Field(description="ns")
    transaction_p99_ns: int | None = Field(description="ns")
    transactions: int = Field(description="requests seen")
    good: int = Field(description="answered without exception, in time")
    missed: int = Field(description="requests that were due and never came")
    lost_segments: int
    data_segments: int
    loss: float | None = Field(description="share of data segments lost in the network, 0 to 1")
    availability: float | None = Field(
        description="share of requests answered well and in time, of those that came or were due, 0 to 1"
    )

    @classmethod
    def of(cls, point: SlaPoint) -> Self:
        """From a step of a series."""
        return cls.model_validate(point)


class SummaryAnswer(_Answer):
    """A scope over the whole range."""

    total: PointAnswer
    minutes_seen: int
    minutes_valid: int = Field(description="minutes that the capture saw well enough to judge")
    minutes_excluded: int = Field(description="minutes of planned changes, which count neither way")
    minutes_held: int = Field(
        description="minutes of the range in which a capture read a packet, of any scope; below 95 % nothing is met"
    )
    worst_conversation: str = Field(description="client → server:port; empty where nothing was measured")
    worst_p99_ns: int | None = Field(description="its p99, ns")
    worst_indicator: str = Field(description="what that is the p99 of: `transaction` or `rtt`")
    last_packet: datetime | None

    @classmethod
    def of(cls, summary: ScopeSummary) -> Self:
        """From the store's summary."""
        return cls.model_validate(summary)


class ScopeAnswer(_Answer):
    """A zone or conduit against its target."""

    id: str
    name: str
    status: Status = Field(description="met, at risk, breached or no data")
    reasons: list[str] = Field(description="what led to the status; empty when met")
    because: list[str] = Field(
        description="whose each problem is (network, device, sensor), and what could not be measured and why"
    )
    budget_left: float | None = Field(description="share of the 30-day availability budget left, 0 to 1")
    budget_left_minutes: float | None = Field(description="the same in minutes")
    target: TargetAnswer
    summary: SummaryAnswer

    @classmethod
    def of(cls, figures: ScopeFigures) -> Self:
        """From figures."""
        left = budget(figures)
        return cls(
            id=figures.id,
            name=figures.name,
            status=figures.verdict.status,
            reasons=list(figures.verdict.reasons),
            because=list(figures.because),
            budget_left=left.left if left else None,
            budget_left_minutes=left.left_minutes if left else None,
            target=TargetAnswer.of(figures.target),
            summary=SummaryAnswer.of(figures.summary),
        )


class ZonesAnswer(_Answer):
    """Every declared zone, worst first."""

    window: WindowAnswer
    policy_name: str
    policy_sha256: str
    zones: list[ScopeAnswer]


class SeriesAnswer(_Answer):
    """A zone's or conduit's series; steps without a packet are there, and empty."""

    window: WindowAnswer
    step_s: int
    scope: ScopeAnswer
    points: list[PointAnswer]


class AlertAnswer(_Answer):
    """One row of the alert queue."""

    id: str
    kind: str = Field(description="the check or detection, e.g. SEG-05")
    title: str
    severity: SeverityName
    confidence: str = Field(description="high, medium or low: how sure the evidence is")
    state: StateName
    assignee: str
    site: str
    src_zone: str
    dst_zone: str
    src_ip: str
    dst_ip: str
    dst_port: int
    service: str
    conduit: str = Field(description="empty where there is none")
    techniques: list[str] = Field(description="ATT&CK for ICS")
    count: int = Field(description="how many times")
    first_at: str = Field(description="first packet, RFC 3339 with nine decimals")
    last_at: str = Field(description="last packet")
    detected_at: datetime
    decided_at: datetime | None

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """From the store's row."""
        fields = {name: getattr(alert, name) for name in cls.model_fields if hasattr(alert, name)}
        fields["severity"] = severity_name(alert.severity)
        return cls.model_validate(
            {**fields, "first_at": at_ns(alert.first_ns), "last_at": at_ns(alert.last_ns)}
        )


class CountsAnswer(_Answer):
    """How many alerts the filter has; by severity and by state each without regard to its own part of the filter."""

    by_severity: dict[str, int]
    by_state: dict[str, int]
    total: int
    decision_median_s: float | None = Field(description="from detection to first decision, s")
    decision_p90_s: float | None = Field(description="the same, s")

    @classmethod
    def of(cls, counts: AlertCounts) -> Self:
        """From the store's counts."""
        return cls(
            by_severity={severity_name(key): value for key, value in counts.by_severity.items()},
            by_state=dict(counts.by_state),
            total=counts.total,
            decision_median_s=counts.decision_median_s,
            decision_p90_s=counts.decision_p90_s,
        )


class AlertsAnswer(_Answer):
    """A page of the queue, newest first."""

    alerts: list[AlertAnswer]
    counts: CountsAnswer
    next: str = Field(description="cursor of the next page; empty at the end")
    newest: str = Field(description="mark of this moment, for `newer`")


class NewerAnswer(_Answer):
    """How many alerts came since."""

    newer: int


class EventAnswer(_Answer):
    """One step of an alert's life."""

    seq: int
    at: datetime
    actor: str
    action: str
    from_state: str
    to_state: str
    assignee: str
    note: str

    @classmethod
    def of(cls, event: AlertEvent) -> Self:
        """From the store's event."""
        return cls.model_validate(event)


class AlertDetailAnswer(_Answer):
    """One alert whole, with the finding and its evidence."""

    alert: AlertAnswer
    finding: Finding
    events: list[EventAnswer]
    capture_name: str
    replay: str

    @classmethod
    def of(cls, detail: AlertDetail) -> Self:
        """From the store's detail."""
        return cls(
            alert=AlertAnswer.of(detail.alert),
            finding=detail.finding,
            events=[EventAnswer.of(event) for event in detail.events],
            capture_name=detail.capture_name,
            replay=detail.replay,
        )


class SimilarAnswer(_Answer):
    """Alerts of the same kind between the same ends, newest first."""

    alerts: list[AlertAnswer]


class Decision(BaseModel):
    """What is decided on an alert."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: DecisionName
    note: str = Field(default="", max_length=4000, description="why; kept for ever")
    assignee: str = Field(
        default="", max_length=64, description="who is to look into it; empty with `assign`: the operator"
    )


class InputAnswer(_Answer):
    """A file that a replay was judged by."""

    role: str = Field(
        description="baseline, approvals, gateway_log, rules (a folder), rule (a file of it) or indicators"
    )
    name: str = Field(description="its name, without the folders before it")
    sha256: str = Field(
        description="of its bytes; of `rules` that of the set, as `geophone rules check` prints"
    )


class ReplayAnswer(_Answer):
    """One capture judged under one policy by one version."""

    id: str
    site: str
    capture_name: str
    capture_sha256: str
    capture_bytes: int = Field(description="byte")
    policy_name: str
    policy_sha256: str
    version: str
    state: str = Field(description="running, listening (a session that goes on), done or failed")
    started_at: datetime
    ended_at: datetime | None
    first_at: str = Field(description="first packet, RFC 3339 with nine decimals")
    last_at: str
    packets: int
    malformed_packets: int
    flows: int
    transactions: int
    findings: int
    findings_sha256: str = Field(description="of the canonical findings file")
    coverage: float | None = Field(description="0 to 1")
    reason: str = Field(description="why it failed; empty where it did not")
    inputs: list[InputAnswer] = Field(description="files that it was judged by beside capture and policy")
    inputs_known: bool = Field(
        description="false where it was judged by files whose names an older version did not keep"
    )
    command: str = Field(
        description="what gives the same findings again, where the files lie; empty for a session, which has no file"
    )

    @classmethod
    def of(cls, replay: Replay) -> Self:
        """From the store's row."""
        fields = {name: getattr(replay, name) for name in cls.model_fields if hasattr(replay, name)}
        return cls.model_validate(
            {
                **fields,
                "first_at": at_ns(replay.first_ns),
                "last_at": at_ns(replay.last_ns),
                "command": reproduce_command(replay),
            }
        )


class ReplaysAnswer(_Answer):
    """A page of replays, newest first."""

    replays: list[ReplayAnswer]
    next: str = Field(description="cursor of the next page; empty at the end")


class SuppressionAnswer(_Answer):
    """One suppression of a policy in force, or of an older one that still holds something back."""

    site: str
    id: str
    what: list[str] = Field(description="kinds of finding; empty where the policy in force does not have it")
    scope: dict[str, list[str]] = Field(description="key of the policy's `scope`: its entries")
    reason: str
    owner: str
    expires: date = Field(description="first day on which it no longer holds")
    expired: bool = Field(description="today, by the site's clock")
    in_policy: bool = Field(description="false: only what it once covered is still out of the queue")
    held_back: int = Field(description="alerts in the state suppressed by it")

    @classmethod
    def of(cls, shown: SuppressionShown) -> Self:
        """From the overview."""
        return cls.model_validate(shown)


class SuppressionsAnswer(_Answer):
    """Every suppression."""

    suppressions: list[SuppressionAnswer]

    @classmethod
    def of(cls, shown: Sequence[SuppressionShown]) -> Self:
        """From the overview."""
        return cls(suppressions=[SuppressionAnswer.of(one) for one in shown])


class HealthAnswer(_Answer):
    """Is the store there, and what is in it."""

    status: Literal["ok"]
    version: str
    store: str
    schema_version: int
    replays: int
    alerts: int
    last_packet: datetime | None

    @classmethod
    def of(cls, health: Health, version: str) -> Self:
        """From the store's answer."""
        return cls(
            status="ok",
            version=version,
            store=health.store,
            schema_version=health.schema_version,
            replays=health.replays,
            alerts=health.alerts,
            last_packet=health.last_packet,
        )
