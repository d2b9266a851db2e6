"""The answers to the readers' questions: what the queries return and the API and the pages show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from analyzers.causes import NO_CAUSES, Causes
from analyzers.findings import Finding
from policy.named_files import NamedFile


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts: empty means all. The same filter answers lists, counts and bulk actions."""

    severities: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    zone: str = ""
    text: str = ""
    replay: str = ""
    site: str = ""
    suppressed: bool = False  #: with no state named: whether suppressed ones are among them
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One row of the alert queue: a finding and where its life has got to."""

    id: str
    kind: str
    title: str
    severity: int
    confidence: str
    state: str  #: new, acknowledged, assigned, closed, suppressed
    assignee: str
    site: str
    src_zone: str
    dst_zone: str
    src_ip: str
    dst_ip: str
    dst_port: int
    service: str
    conduit: str
    techniques: tuple[str, ...]
    count: int
    first_ns: int
    last_ns: int
    detected_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One step of an alert's life: never changed, never deleted."""

    seq: int
    at: datetime
    actor: str
    action: str
    from_state: str
    to_state: str
    assignee: str
    note: str


@dataclass(frozen=True, slots=True)
class AlertDetail:
    """One alert whole: the finding with its evidence, its life, and where it was found."""

    alert: Alert
    finding: Finding
    events: tuple[AlertEvent, ...]
    capture_name: str
    replay: str


@dataclass(frozen=True, slots=True)
class Alike:
    """Rows of one kind and severity that a list has left out: it shows the first few of them."""

    kind: str
    severity: int
    site: str
    day: date | None  #: UTC; None where the list is of one incident
    more: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class AlertPage:
    """A page of the queue, newest first; `next` is the cursor of the next page, empty at the end."""

    alerts: tuple[Alert, ...]
    next: str
    newest: str = ""  #: mark of this moment: `newest` counts what was detected after it
    left_out: tuple[Alike, ...] = ()  #: of the days of this page, where alike ones are folded


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that belong together, told by the gravest of them."""

    id: str  #: of the first finding
    site: str
    kind: str
    title: str
    severity: int
    first_ns: int
    last_ns: int
    alerts: int  #: without those that are suppressed
    new: int  #: alerts that nobody acted on
    closed: int
    suppressed: int  #: beside `alerts`
    kinds: tuple[str, ...]
    zones: tuple[str, ...]
    sources: tuple[str, ...]  #: the first few, in the order of their addresses' texts
    source_count: int
    targets: tuple[str, ...]
    target_count: int

    @property
    def state(self) -> str:
        """Nobody acted on any of it: new. Every alert is closed or suppressed: closed. Else: open."""
        if self.alerts and self.new == self.alerts:
            return "new"
        return "closed" if self.closed == self.alerts else "open"


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """A page of incidents, the latest first; `next` is the cursor of the next page, empty at the end."""

    incidents: tuple[Incident, ...]
    next: str
    total: int
    left_out: tuple[Alike, ...] = ()  #: of the days of this page, where alike ones are folded


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """One incident with its time line: alerts in the order of their first packets, and what was decided."""

    incident: Incident
    alerts: tuple[Alert, ...]  #: of each kind and severity the first few
    left_out: tuple[Alike, ...]
    decisions: tuple[tuple[str, AlertEvent], ...]  #: alert id and step, oldest first


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """How many alerts the filter has, by severity and by state, each ignoring its own chip."""

    by_severity: Mapping[int, int]
    by_state: Mapping[str, int]
    total: int
    decision_median_s: float | None  #: detection to first decision
    decision_p90_s: float | None


@dataclass(frozen=True, slots=True)
class SlaPoint:
    """One step of a zone's or conduit's series. None is 'not measured', never zero."""

    start: datetime
    step_s: int
    packets: int
    coverage: float | None  #: 0 to 1: seen / (seen + dropped + acknowledged but never seen)
    rtt_p50_ns: int | None
    rtt_p95_ns: int | None
    rtt_p99_ns: int | None
    rtt_samples: int
    transaction_p50_ns: int | None
    transaction_p95_ns: int | None
    transaction_p99_ns: int | None
    transactions: int  #: requests seen
    good: int  #: answered without exception, in time
    lost_segments: int
    data_segments: int
    valid: bool = True  #: some minute of the step may be judged; the others are in no figure but `packets`
    missed: int = 0  #: requests that were due and never came
    causes: Causes = NO_CAUSES

    @property
    def loss(self) -> float | None:
        """Share of data segments lost in the network, 0 to 1."""
        return self.lost_segments / self.data_segments if self.data_segments else None

    @property
    def availability(self) -> float | None:
        """Share of requests answered well and in time, of those that came or were due, 0 to 1."""
        due = self.transactions + self.missed
        return self.good / due if due else None


@dataclass(frozen=True, slots=True)
class ScopeSummary:
    """A zone's or conduit's figures over the whole range, and its worst conversation."""

    scope: str
    total: SlaPoint
    minutes_seen: int
    minutes_valid: int  #: coverage good enough to judge
    worst_conversation: str  #: 'client → server:port', empty where nothing was measured
    worst_p99_ns: int | None
    last_packet: datetime | None
    worst_indicator: str = ""  #: what worst_p99_ns is: 'transaction', else 'rtt'
    minutes_excluded: int = (
        0  #: of planned changes: seen neither as good nor as bad, and in no count of minutes
    )
    minutes_held: int = 0  #: minutes of the range in which a capture read a packet, of any scope


@dataclass(frozen=True, slots=True)
class ConversationFigures:
    """One conversation's figures over the whole range: who makes a zone look bad."""

    client_ip: str
    server_ip: str
    server_port: int
    service: str
    from_zone: str
    to_zone: str
    conduit: str
    first_frame: int
    total: SlaPoint

    @property
    def label(self) -> str:
        """'client → server:port', an IPv6 server in brackets (RFC 3986, 3.2.2)."""
        server = f"[{self.server_ip}]" if ":" in self.server_ip else self.server_ip
        return f"{self.client_ip} → {server}:{self.server_port}"


@dataclass(frozen=True, slots=True)
class ConduitUse:
    """What went between two zones: for the map and the policy table."""

    conduit: str  #: empty where no conduit allows the pair
    from_zone: str
    to_zone: str
    services: tuple[str, ...]
    packets: int
    findings: int
    first_frame: int


@dataclass(frozen=True, slots=True)
class Replay:
    """One capture judged under one policy by one version: where the auditor starts."""

    id: str
    site: str
    capture_name: str
    capture_sha256: str
    capture_bytes: int
    policy_name: str
    policy_sha256: str
    version: str
    state: str  #: running, listening, done, failed
    started_at: datetime
    ended_at: datetime | None
    first_ns: int
    last_ns: int
    packets: int
    malformed_packets: int
    flows: int
    transactions: int
    findings: int
    findings_sha256: str  #: of the canonical findings file
    coverage: float | None
    reason: str = ""  #: why it failed
    #: the files that it was judged by beside capture and policy
    inputs: tuple[NamedFile, ...] = ()
    #: False where it was judged by files whose names an older version did not keep
    inputs_known: bool = True


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """A page of replays, newest first; `next` is the cursor of the next page, empty at the end."""

    replays: tuple[Replay, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Health:
    """Is the store there, what is in it, when was the last packet."""

    store: str
    schema_version: int
    replays: int
    alerts: int
    last_packet: datetime | None
