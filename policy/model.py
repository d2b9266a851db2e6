"""A site's policy: what exists, what may talk, who may come in, when things may change, how good the network must be.

The models hold what one entry can say of itself; what entries say of each other is checked in `policy.references`
and `policy.consistency`. A list that is left out does not limit; an empty list `[]` allows nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from policy.baseline_settings import BaselineSettings
from policy.detection_settings import DetectionSettings
from policy.services import BY_NAME, NAMED_OPERATIONS
from policy.sla_classes import SLA_CLASSES, SlaTarget, milliseconds, share
from policy.suppressions import Suppression
from policy.values import (
    Address,
    Clock,
    Day,
    Duration,
    Identifier,
    Instant,
    Mac,
    Network,
    Purdue,
    RegisterRange,
    TimeZone,
    suggestion,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Criticality = Literal["C1", "C2", "C3", "C4"]
DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Role = Literal[
    "plc", "rtu", "safety", "hmi", "scada", "historian", "gateway", "engineering", "jump", "vpn", "firewall",
    "router", "switch", "server", "workstation", "sensor", "drive", "camera", "other",
]  # fmt: skip

Byte = Annotated[int, Field(ge=0, le=255)]
Register = Annotated[int, Field(ge=0, le=65_535)]
PortNumber = Annotated[int, Field(ge=1, le=65_535)]
Percent = Annotated[float, Field(gt=0, le=100)]
Milliseconds = Annotated[float, Field(gt=0, le=86_400_000)]
Words = Annotated[str, Field(min_length=1, max_length=500)]


class Model(BaseModel):
    """What every entry has in common: it never changes and has no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_name=False)


class SiteIdentity(Model):
    """The site itself."""

    id: Identifier = Field(description="the site's id, on every finding and every stored row")
    name: Words = Field(description="its name for people")
    tz: TimeZone = Field(description="IANA time zone in which windows are read, daylight saving included")


class Zone(Model):
    """A zone of ISA/IEC 62443: addresses with the same need for protection."""

    id: Identifier = Field(description="the zone's id")
    name: str = Field(default="", max_length=200, description="its name for people; the id where left out")
    domain: str = Field(
        default="", max_length=64, description="mine, plant, port, energy or the site's own word"
    )
    purdue: Purdue = Field(description="Purdue level: 0, 1, 2, 3, 3.5 (DMZ), 4 or 5")
    sl_t: int | None = Field(default=None, ge=0, le=4, description="target security level of IEC 62443")
    criticality: Criticality = Field(
        default="C3", description="C1 (control) to C4 (reporting): default SLA, severity"
    )
    cidrs: tuple[Network, ...] = Field(
        default=(), description="its prefixes; in all zones the longest prefix wins"
    )
    internet: Literal["deny", "allow"] = Field(
        default="deny", description="whether public addresses may be reached"
    )
    sensors: tuple[Identifier, ...] = Field(default=(), description="the sensors that see its traffic")

    @property
    def label(self) -> str:
        """The name for people."""
        return self.name or self.id


class Asset(Model):
    """A device known by name."""

    id: Identifier = Field(description="the asset's id, used by rules")
    name: str = Field(default="", max_length=200, description="its name for people; the id where left out")
    zone: Identifier = Field(description="the zone its address is in")
    ip: Address | None = Field(default=None, description="its address, inside the zone's prefixes")
    mac: Mac | None = Field(default=None, description="its MAC address, quoted")
    role: Role = Field(default="other", description="what it is: plc, safety, hmi, historian, jump …")
    criticality: Criticality | None = Field(default=None, description="C1 to C4; the zone's where left out")
    owner: str = Field(default="", max_length=200, description="who answers for it")

    @property
    def label(self) -> str:
        """The name for people."""
        return self.name or self.id


class AccessPoint(Model):
    """The devices that carry a conduit's traffic from one zone into the other."""

    id: Identifier = Field(description="the firewall or router")
    macs: tuple[Mac, ...] = Field(
        min_length=1, description="its MAC addresses, quoted: next hops across the conduit"
    )


#: Keys of a rule that only one service has: `policy check` refuses them on any other.
SERVICE_KEYS: Final = {
    "modbus": ("units", "functions", "read", "write"),
    "opcua": ("min_mode", "auth", "services", "write_nodes"),
    "mqtt": ("tls", "client_ids", "publish", "subscribe"),
}


class AllowRule(Model):
    """One permission on a conduit. What no rule of a conduit allows is denied."""

    id: Identifier = Field(description="the rule's id, unique in the site")
    src: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="who may open: asset ids, addresses, prefixes; the whole zone if left out",
    )
    dst: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="who may be asked: asset ids, addresses, prefixes; the zone if left out",
    )
    service: str | None = Field(default=None, description="the application protocol; any if left out")
    port: PortNumber | None = Field(
        default=None,
        description="the server's port; if left out, any where the service is decoded, else its usual ones",
    )
    transport: Literal["tcp", "udp"] | None = Field(
        default=None, description="tcp or udp; the service's if left out"
    )
    units: tuple[Byte, ...] | None = Field(default=None, description="modbus: unit identifiers")
    functions: tuple[Annotated[int, Field(ge=1, le=127)], ...] | None = Field(
        default=None, description="modbus: function codes"
    )
    read: tuple[RegisterRange, ...] | None = Field(
        default=None, description="modbus: ranges [first, last] that may be read, 0-based protocol addresses"
    )
    write: tuple[RegisterRange, ...] | None = Field(
        default=None,
        description="modbus: ranges [first, last] that may be written, 0-based protocol addresses",
    )
    min_mode: Literal["None", "Sign", "SignAndEncrypt"] | None = Field(
        default=None, description="opcua: the weakest message security mode accepted"
    )
    auth: tuple[Literal["anonymous", "username", "certificate", "issued"], ...] | None = Field(
        default=None, description="opcua: kinds of user identity accepted"
    )
    services: (
        tuple[Literal["read", "write", "call", "subscribe", "browse", "history", "configure"], ...] | None
    ) = Field(default=None, description="opcua: groups of services")
    write_nodes: tuple[Words, ...] | None = Field(
        default=None, description="opcua: node ids that may be written"
    )
    tls: bool | None = Field(default=None, description="mqtt: true demands TLS")
    client_ids: tuple[Words, ...] | None = Field(default=None, description="mqtt: client identifiers")
    publish: tuple[Words, ...] | None = Field(
        default=None, description="mqtt: topic filters that may be published"
    )
    subscribe: tuple[Words, ...] | None = Field(
        default=None, description="mqtt: topic filters that may be subscribed"
    )
    operations: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] | None = Field(
        default=None,
        description="s7comm, enip, dnp3, iec104, bacnet and the like: what may be done, by class (read, write, "
        "program, start, stop, restart, discover, configure, other) or by the operation's own name; `*` stands for any "
        "text",
    )
    reason: str = Field(default="", max_length=500, description="why the rule is there")
    owner: str = Field(default="", max_length=200, description="who answers for it")
    change: str = Field(default="", max_length=64, description="the change that brought it")
    expires: Day | None = Field(default=None, description="first day on which it is no longer wanted")
    expect_used_days: int | None = Field(
        default=None, ge=1, le=3_660, description="unused for longer than this, it is reported"
    )

    @property
    def limits_operations(self) -> bool:
        """Whether it allows less than everything that can be done in a conversation that it allows."""
        keys = [key for of_service in SERVICE_KEYS.values() for key in of_service]
        return any(getattr(self, key) is not None for key in (*keys, "operations"))

    @model_validator(mode="after")
    def _service_and_its_keys(self) -> Self:
        if self.service is not None and self.service not in BY_NAME:
            raise ValueError(
                f"unknown service {self.service!r}{suggestion(self.service, list(BY_NAME))}; "
                "for a service without a name leave `service` out and give `port`"
            )
        for service, keys in SERVICE_KEYS.items():
            strange = [key for key in keys if getattr(self, key) is not None and self.service != service]
            if strange:
                raise ValueError(
                    f"`{strange[0]}` is for rules with `service: {service}`, this one has "
                    f"{self.service or 'none'}; leave `{strange[0]}` out or name the service"
                )
        if self.operations is not None and self.service not in NAMED_OPERATIONS:
            own = SERVICE_KEYS.get(self.service or "")
            repair = (
                f"limit it with {', '.join(own)}" if own else "leave `operations` out or name the service"
            )
            raise ValueError(
                f"`operations` is for rules with `service` one of {', '.join(NAMED_OPERATIONS)}, this one has "
                f"{self.service or 'none'}; {repair}"
            )
        return self


class Conduit(Model):
    """A directed permission between two zones: `from` opens the conversation."""

    id: Identifier = Field(description="the conduit's id")
    from_zone: Identifier = Field(alias="from", description="the zone whose devices open conversations")
    to_zone: Identifier = Field(alias="to", description="the zone whose devices are asked")
    eap: AccessPoint | None = Field(
        default=None, description="the only devices that may carry traffic across"
    )
    cleartext: Literal["allow", "deny"] = Field(
        default="allow",
        description="deny: what crosses has to be protected, whatever a rule allows: no Telnet, FTP, HTTP, SNMP before "
        "version 3, MQTT without TLS, OPC UA without security",
    )
    allow: tuple[AllowRule, ...] = Field(default=(), description="what may be done; none means nothing")


class Window(Model):
    """Hours of the week, [start, end), in the site's time zone."""

    days: tuple[DayName, ...] = Field(min_length=1, description="mon, tue, wed, thu, fri, sat, sun")
    start: Clock = Field(description='first minute, quoted, like "08:00"')
    end: Clock = Field(description='first minute after it, quoted, to "24:00"')

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end <= self.start:
            raise ValueError(
                'ends before it starts; for a night write two windows, one to "24:00", one from "00:00"'
            )
        return self


class RemoteAccess(Model):
    """Who may come in from outside, through what, to what, when and for how long."""

    id: Identifier = Field(description="the remote access rule's id")
    vendor: str = Field(
        default="", max_length=200, description="the company that comes in; empty for own staff"
    )
    sources: tuple[Network, ...] = Field(default=(), description="prefixes it comes from")
    gateway: Identifier | None = Field(default=None, description="the asset that ends the tunnel")
    mfa_evidence: Literal["gateway_log", "none"] = Field(
        default="none",
        description="how multi-factor authentication is evidenced; traffic alone cannot show it",
    )
    intermediate: tuple[Identifier, ...] = Field(
        default=(), description="jump hosts: assets every session goes through"
    )
    targets: tuple[Identifier, ...] = Field(default=(), description="the assets that may be reached")
    service: tuple[Identifier, ...] = Field(default=(), description="the services used, like rdp or ssh")
    windows: tuple[Window, ...] = Field(default=(), description="when; at any time if left out")
    max_session: Duration | None = Field(default=None, description="longest session, ISO 8601 like PT4H")
    idle: Duration | None = Field(
        default=None, description="longest silence in a session, ISO 8601 like PT15M"
    )
    concurrent: int | None = Field(default=None, ge=1, le=1_000, description="sessions at once")
    approval: Literal["required", "none"] = Field(
        default="none", description="whether each session needs an approval"
    )


def epoch_ns(moment: datetime) -> int:
    """Whole ns since the epoch; datetime arithmetic is exact, `timestamp()` is not."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


class _Interval(Model):
    start: Instant = Field(description='first moment, quoted, like "2026-11-23T11:00:00Z"')
    end: Instant = Field(description="first moment after it, quoted")

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end <= self.start:
            raise ValueError("ends before it starts; intervals are [start, end)")
        return self

    @property
    def start_ns(self) -> int:
        """Start in ns since the epoch, UTC."""
        return epoch_ns(self.start)

    @property
    def end_ns(self) -> int:
        """End in ns since the epoch, UTC; not included."""
        return epoch_ns(self.end)


class Approval(_Interval):
    """A permission to use a remote access rule in an interval."""

    ref: Identifier = Field(description="the ticket or change")
    rule: Identifier = Field(description="the remote access rule it approves")
    approver: Words = Field(description="who approved")


class ChangeWindow(_Interval):
    """An interval in which named assets may be changed: findings in it are tagged and lowered by one, never hidden."""

    ref: Identifier = Field(description="the change's reference, put on the findings")
    kind: Literal["planned", "emergency"] = Field(
        default="planned", description="emergencies still count for the SLA"
    )
    assets: tuple[Identifier, ...] = Field(min_length=1, description="the assets being changed")
    operations: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="what may be done, like modbus.write or modbus.*; any if left out",
    )
    sla_exclude: bool = Field(default=False, description="whether the interval leaves the SLA's denominator")
    rollback_by: Instant | None = Field(
        default=None, description="when a change not kept must be gone, quoted"
    )

    @model_validator(mode="after")
    def _operations_exist(self) -> Self:
        known = sorted(f"{s.name}.{o}" for s in BY_NAME.values() for o in (*s.operations, "*"))
        for operation in self.operations or ():
            if operation not in known:
                raise ValueError(
                    f"unknown operation {operation!r}{suggestion(operation, known) or '; write it like modbus.write'}"
                )
        return self


class SlaScope(Model):
    """What an SLA is for: one zone or one conduit."""

    zone: Identifier | None = Field(default=None, description="the zone: every conversation it takes part in")
    conduit: Identifier | None = Field(default=None, description="the conduit: every conversation across it")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.zone is None) == (self.conduit is None):
            raise ValueError("names both or neither; give a `zone` or a `conduit`")
        return self


class Sla(Model):
    """How good the network must be for a zone or a conduit: a class, and what differs from it."""

    id: Identifier = Field(description="the SLA's id")
    scope: SlaScope = Field(description="the zone or conduit")
    sla_class: Criticality = Field(
        alias="class", description="C1 to C4, whose figures hold where none is given here"
    )
    availability_percent: Percent | None = Field(
        default=None, lt=100, description="transactions answered well and in time, of 100, over 30 days"
    )
    rtt_p95_ms: Milliseconds | None = Field(
        default=None, description="95th percentile of the round-trip time"
    )
    rtt_p99_ms: Milliseconds | None = Field(
        default=None, description="99th percentile of the round-trip time"
    )
    transaction_p99_ms: Milliseconds | None = Field(
        default=None, description="99th percentile of request to response"
    )
    loss_percent: Percent | None = Field(
        default=None, description="data segments the network may lose, of 100"
    )
    deadline_ms: Milliseconds | None = Field(
        default=None,
        description="a later answer is no good; twice the class's transaction target if left out",
    )

    @property
    def target(self) -> SlaTarget:
        """The figures to be met: the class's, with what is given here put in their place."""
        base = SLA_CLASSES[self.sla_class]
        return SlaTarget(
            sla_class=self.sla_class,
            availability=base.availability
            if self.availability_percent is None
            else share(self.availability_percent),
            rtt_p95_ns=base.rtt_p95_ns if self.rtt_p95_ms is None else milliseconds(self.rtt_p95_ms),
            rtt_p99_ns=base.rtt_p99_ns if self.rtt_p99_ms is None else milliseconds(self.rtt_p99_ms),
            transaction_p99_ns=(
                base.transaction_p99_ns
                if self.transaction_p99_ms is None
                else milliseconds(self.transaction_p99_ms)
            ),
            loss=base.loss if self.loss_percent is None else share(self.loss_percent),
            deadline_ns=base.deadline_ns if self.deadline_ms is None else milliseconds(self.deadline_ms),
            sla_id=self.id,
        )

    @model_validator(mode="after")
    def _percentiles_ascend(self) -> Self:
        target = self.target
        if target.rtt_p95_ns > target.rtt_p99_ns:
            raise ValueError(
                f"the 95th percentile of the round-trip time ({target.rtt_p95_ns / 1e6:g} ms) is above the 99th "
                f"({target.rtt_p99_ns / 1e6:g} ms, class {self.sla_class}); raise `rtt_p99_ms` or lower `rtt_p95_ms`"
            )
        return self


class Poll(Model):
    """A cyclic request whose silence is an outage."""

    client: Identifier = Field(description="the asset that asks")
    server: Identifier = Field(description="the asset that is asked")
    service: Literal["modbus"] = Field(default="modbus", description="the application protocol")
    unit: Byte = Field(description="modbus: unit identifier")
    function: Annotated[int, Field(ge=1, le=127)] = Field(description="modbus: function code")
    address: Register = Field(description="modbus: 0-based protocol address")
    quantity: Annotated[int, Field(ge=1, le=2_000)] = Field(
        description="modbus: registers or coils from there"
    )
    period_ms: Milliseconds = Field(description="how often it asks")
    deadline_ms: Milliseconds | None = Field(
        default=None, description="a later answer is late; the SLA's if left out"
    )


class EvidenceFiles(Model):
    """Files beside the policy, as `geophone approvals import` and `geophone gateway import` write them."""

    approvals: Words | None = Field(default=None, description="imported approvals, relative to the policy")
    gateway_log: Words | None = Field(
        default=None, description="imported logins of the gateway, relative to the policy"
    )


class Site(Model):
    """The whole policy of one site."""

    schema_version: Literal[1] = Field(alias="schema", description="version of this file's form: 1")
    identity: SiteIdentity = Field(alias="site", description="the site itself")
    zones: tuple[Zone, ...] = Field(min_length=1, description="the zones")
    assets: tuple[Asset, ...] = Field(default=(), description="devices known by name")
    conduits: tuple[Conduit, ...] = Field(
        default=(), description="who may open conversations from zone to zone"
    )
    remote_access: tuple[RemoteAccess, ...] = Field(default=(), description="who may come in from outside")
    approvals: tuple[Approval, ...] = Field(default=(), description="approved uses of remote access")
    evidence: EvidenceFiles = Field(
        default=EvidenceFiles(), description="what other systems know of remote access, imported"
    )
    changes: tuple[ChangeWindow, ...] = Field(default=(), description="approved changes")
    sla: tuple[Sla, ...] = Field(default=(), description="how good the network must be")
    polls: tuple[Poll, ...] = Field(default=(), description="cyclic requests whose silence is an outage")
    detections: DetectionSettings = Field(
        default=DetectionSettings(), description="thresholds of the detections, and those that are off"
    )
    suppressions: tuple[Suppression, ...] = Field(
        default=(),
        description="findings that somebody answers for until a day: kept, tagged, out of the queue",
    )
    baseline: BaselineSettings | None = Field(
        default=None,
        description="what usually happens is learned from the first part of what is seen; not, if left out",
    )

    @property
    def id(self) -> str:
        """The site's id."""
        return self.identity.id

    @property
    def name(self) -> str:
        """The site's name for people."""
        return self.identity.name

    @property
    def tz(self) -> str:
        """The site's IANA time zone."""
        return self.identity.tz
