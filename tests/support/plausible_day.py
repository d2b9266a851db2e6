"""A plausible day of a site, written into a store as a replay is: what the pages and the API are tested with.

The site is a mine with six zones that talk and one that is silent. The day has a quiet night, an hour in which
the supervisory network is overloaded, forty minutes in which nothing was captured, ten in which the capture lost
packets, and findings of every severity. The same seed makes the same day.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any, Final

import polars as pl
import pyarrow as pa

from analyzers import sketch
from analyzers.findings import (
    Confidence,
    Evidence,
    Finding,
    Operation,
    Severity,
    canonical_line,
    canonical_order,
    finding_id,
)
from analyzers.measurements import SLA_MINUTES
from sensors.records import COVERAGE
from store.client import Store
from store.writer import ReplayOutcome, ReplayStart, ReplayWriter

START: Final = datetime(2026, 3, 3, tzinfo=UTC)
MINUTES: Final = 24 * 60
_START_S: Final = int(START.timestamp())
_MINUTE_NS: Final = 60_000_000_000
CAPTURE_SHA256: Final = hashlib.sha256(b"a plausible day").hexdigest()
VERSION: Final = "0.1.0"

#: Minutes of the day, [start, end): see the module's description.
SILENT: Final = range(14 * 60 + 10, 14 * 60 + 50)
LOSSY: Final = range(3 * 60, 3 * 60 + 10)
OVERLOAD: Final = range(19 * 60 + 40, 20 * 60 + 40)

POLICY: Final = """\
schema: 1
site: {id: mine-a, name: "Mine A", tz: America/Santiago}
zones:
- {id: enterprise, name: Enterprise, purdue: 4, sl_t: 1, criticality: C4, cidrs: [10.40.0.0/16]}
- {id: dmz, name: "Industrial DMZ", purdue: 3.5, sl_t: 2, criticality: C3, cidrs: [10.35.0.0/24]}
- {id: operations, name: "Site operations", purdue: 3, sl_t: 2, criticality: C3, cidrs: [10.30.0.0/24]}
- {id: supervisory, name: Supervisory, purdue: 2, sl_t: 2, criticality: C2, cidrs: [10.22.0.0/24]}
- {id: plant, name: Concentrator, purdue: 1, sl_t: 2, criticality: C2, cidrs: [10.20.0.0/24]}
- {id: crushing, name: Crushing, purdue: 1, sl_t: 3, criticality: C1, cidrs: [10.21.0.0/24]}
- {id: energy, name: Energy, purdue: 1, sl_t: 2, criticality: C2, cidrs: [10.23.0.0/24]}
assets:
- {id: hmi1, zone: supervisory, ip: 10.22.0.11, role: hmi}
- {id: hmi2, zone: supervisory, ip: 10.22.0.12, role: hmi}
- {id: plc1, zone: plant, ip: 10.20.0.11, role: plc}
- {id: plc2, zone: plant, ip: 10.20.0.12, role: plc}
- {id: crusher1, zone: crushing, ip: 10.21.0.11, role: plc, criticality: C1}
- {id: historian1, zone: operations, ip: 10.30.0.20, role: historian}
conduits:
- id: c-ent-dmz
  from: enterprise
  to: dmz
  allow:
  - {id: r-web, service: https, port: 443, reason: reports, owner: it, expires: 2027-06-30}
- id: c-dmz-ops
  from: dmz
  to: operations
  allow:
  - {id: r-hist, service: opcua, port: 4840, reason: trending, owner: ot, expires: 2027-06-30}
- id: c-ops-sup
  from: operations
  to: supervisory
  allow:
  - {id: r-ops, src: [historian1], service: modbus, port: 502, functions: [3, 4],
     reason: trending, owner: ot, expires: 2027-06-30}
- id: c-sup-plant
  from: supervisory
  to: plant
  allow:
  - {id: r-poll, src: [hmi1, hmi2], dst: [plc1, plc2], service: modbus, port: 502, functions: [3, 4, 6, 16],
     reason: control, owner: ot, expires: 2027-06-30}
- id: c-sup-crush
  from: supervisory
  to: crushing
  allow:
  - {id: r-crush, src: [hmi1], dst: [crusher1], service: modbus, port: 502, functions: [3, 4],
     reason: monitoring, owner: ot, expires: 2027-06-30}
- id: c-ops-energy
  from: operations
  to: energy
  allow:
  - {id: r-energy, service: modbus, port: 502, functions: [3, 4], reason: metering, owner: energy, expires: 2027-06-30}
sla:
- {id: s-crush, scope: {zone: crushing}, class: C1}
- {id: s-sup, scope: {zone: supervisory}, class: C2}
"""
POLICY_SHA256: Final = hashlib.sha256(POLICY.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation: who, with whom, how often, how slow."""

    client: str
    server: str
    port: int
    service: str
    from_zone: str
    to_zone: str
    conduit: str
    rtt_ms: float
    requests: int = 0  #: per minute; none where no answers can be matched
    answer_ms: float = 0.0
    active: range = range(MINUTES)


TALKS: Final = (
    Talk("10.40.2.15", "10.35.0.10", 443, "https", "enterprise", "dmz", "c-ent-dmz", 22.0),
    Talk("10.35.0.10", "10.30.0.20", 4840, "opcua", "dmz", "operations", "c-dmz-ops", 6.0, 12, 40.0),
    Talk("10.30.0.20", "10.22.0.11", 502, "modbus", "operations", "supervisory", "c-ops-sup", 3.0, 12, 28.0),
    Talk("10.22.0.11", "10.20.0.11", 502, "modbus", "supervisory", "plant", "c-sup-plant", 1.8, 60, 14.0),
    Talk("10.22.0.12", "10.20.0.12", 502, "modbus", "supervisory", "plant", "c-sup-plant", 2.2, 60, 18.0),
    Talk("10.22.0.11", "10.21.0.11", 502, "modbus", "supervisory", "crushing", "c-sup-crush", 1.6, 60, 9.0),
    Talk("10.20.0.11", "10.20.0.12", 502, "modbus", "plant", "plant", "", 0.9, 30, 8.0),
    Talk("10.40.2.77", "10.20.0.11", 22, "ssh", "enterprise", "plant", "", 24.0, active=range(601, 640)),
    Talk(
        "10.21.0.66", "10.20.0.12", 502, "modbus", "crushing", "plant", "", 1.7, 20, 12.0, range(1185, 1200)
    ),
)


def fill(store: Store, extra: tuple[Finding, ...] = ()) -> ReplayStart:
    """Write the day, with further findings where a test needs its own."""
    replay = ReplayStart(
        site="mine-a",
        capture_name="mine-a-2026-03-03.pcapng",
        capture_sha256=CAPTURE_SHA256,
        capture_bytes=18_236_114,
        policy_name="mine-a.yaml",
        policy_sha256=POLICY_SHA256,
        policy_text=POLICY,
        version=VERSION,
    )
    rows = sla_minutes()
    found = sorted((*findings(), *extra), key=canonical_order)
    with ReplayWriter(store, replay) as writer:
        writer.write(SLA_MINUTES.name, rows)
        writer.write(COVERAGE.name, coverage_minutes())
        writer.finish(found, _outcome(rows, found))
    return replay


def fill_empty(store: Store) -> ReplayStart:
    """A replay of a capture in which nothing was wrong and nothing was measured."""
    replay = ReplayStart("mine-a", "quiet.pcap", "0" * 64, 24, "mine-a.yaml", POLICY_SHA256, POLICY, VERSION)
    with ReplayWriter(store, replay) as writer:
        writer.finish((), ReplayOutcome(0, 0, 0, 0, 0, 0, hashlib.sha256(b"").hexdigest(), None))
    return replay


def sla_minutes() -> pa.RecordBatch:
    """Rows of SLA_MINUTES: one a conversation and minute in which something was captured."""
    random_ = random.Random("mine-a")
    rows = [
        _row(talk, minute, random_)
        for minute in range(MINUTES)
        if minute not in SILENT
        for talk in TALKS
        if minute in talk.active
    ]
    for prefix in ("rtt", "ack_client", "ack_server", "transaction", "server_time"):
        _histograms(rows, prefix)
    arrays = [pa.array([row[c.name] for row in rows], c.kind.arrow) for c in SLA_MINUTES.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=SLA_MINUTES.schema())


def coverage_minutes() -> pa.RecordBatch:
    """Rows of COVERAGE: what the capture read, and in the lossy minutes dropped."""
    rows = []
    for minute in range(MINUTES):
        if minute not in SILENT:
            row = {column.name: 0 for column in COVERAGE.columns}
            dropped = 240 if minute in LOSSY else 0
            rows.append(
                row | {"minute": _ns(minute), "link_type": 1, "packets": 1900, "dropped_packets": dropped}
            )
    arrays = [pa.array([row[c.name] for row in rows], c.kind.arrow) for c in COVERAGE.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=COVERAGE.schema())


def _load(minute: int) -> float:
    """How busy the network is, 1 normally: a wave over the day and the hour of overload."""
    wave = 1 + 0.22 * math.sin((minute / MINUTES - 0.3) * 2 * math.pi)
    peak = 9.0 * math.exp(-(((minute - (OVERLOAD.start + 30)) / 14) ** 2))
    bump = 2.2 * math.exp(-(((minute - 640) / 9) ** 2))
    return wave + peak + bump


def _row(talk: Talk, minute: int, random_: random.Random) -> dict[str, Any]:
    hit = "supervisory" in (talk.from_zone, talk.to_zone)
    load = _load(minute) if hit else 1 + (_load(minute) - 1) * 0.12
    rtt = [round(talk.rtt_ms * load * random_.lognormvariate(0, 0.28) * 1e6) for _ in range(24)]
    samples = [
        round(talk.answer_ms * load * random_.lognormvariate(0, 0.3) * 1e6) for _ in range(talk.requests)
    ]
    overloaded = hit and minute in OVERLOAD
    bad = sum(random_.random() < (0.03 if overloaded else 0.0001) for _ in range(talk.requests))
    segments = 2 * max(20, talk.requests)
    lost = sum(random_.random() < (0.012 if overloaded else 0.00008) for _ in range(segments))
    return {
        "minute": _ns(minute),
        "from_zone": talk.from_zone,
        "to_zone": talk.to_zone,
        "conduit": talk.conduit,
        "client_ip": _packed(talk.client),
        "server_ip": _packed(talk.server),
        "server_port": talk.port,
        "ip_proto": 6,
        "service": talk.service,
        "first_ts": _ns(minute) + 200_000_000,
        "last_ts": _ns(minute) + 59_800_000_000,
        "first_frame": 1 + minute * 1900,
        "packets": segments * 2 + 6,
        "wire_bytes": segments * 130,
        "data_segments": segments,
        "lost_segments": lost,
        "lost_before_tap": lost // 3,
        "lost_after_tap": lost - lost // 3,
        "lost_client_side": lost - lost // 2,
        "lost_server_side": lost // 2,
        "out_of_order_segments": 0,
        "unseen_segments": 20 if minute in LOSSY else 0,
        "valid": minute not in LOSSY,
        "exclusion": "",
        "one_sided": False,
        "not_measurable_encrypted": 0,
        "not_measurable_unmatched": 0,
        "not_measurable_one_sided": 0,
        "not_measurable_clock": 0,
        "duplicate_packets": 0,
        "rtt": rtt,
        # The tap is by the servers: most of the way is the clients' side.
        "ack_client": [round(sample * 0.9) for sample in rtt],
        "ack_server": [sample - round(sample * 0.9) for sample in rtt],
        "client_half_min_ns": round(min(rtt) * 0.9),
        "server_half_min_ns": min(rtt) - round(min(rtt) * 0.9),
        "transactions": talk.requests,
        "good": talk.requests - bad,
        "exceptions": 0,
        "unanswered": bad,
        "late": 0,
        "missed": 0,
        "transaction": samples[: talk.requests - bad],
        "server_time": [max(0, sample - min(rtt) // 10) for sample in samples[: talk.requests - bad]],
    }


def _histograms(rows: list[dict[str, Any]], prefix: str) -> None:
    """Replace each row's samples by their histogram."""
    flat = [sample for row in rows for sample in row[prefix]]
    buckets = iter(sketch.buckets(pl.Series(flat, dtype=pl.UInt64)).to_list())
    for row in rows:
        counts: dict[int, int] = {}
        for _ in row.pop(prefix):
            bucket = next(buckets)
            counts[bucket] = counts.get(bucket, 0) + 1
        row[f"{prefix}_buckets"] = sorted(counts)
        row[f"{prefix}_counts"] = [counts[bucket] for bucket in sorted(counts)]


def finding(minute: int, kind: str, title: str, why: str, severity: Severity, **fields: Any) -> Finding:
    """One finding of the day; `fields` replace what is usual."""
    first_ns = _ns(minute) + 11_173_000_000
    usual: dict[str, Any] = {
        "src_zone": "enterprise",
        "dst_zone": "plant",
        "src_ip": "10.40.2.77",
        "dst_ip": "10.20.0.11",
        "dst_port": 22,
        "service": "ssh",
        "count": 1,
        "confidence": Confidence.HIGH,
        "references": ("SR 5.1", "SR 5.2"),
        "techniques": ("T0886",),
        "operations": ("TCP SYN, then 14 kB both ways",),
    }
    values: Mapping[str, Any] = usual | fields
    operations = tuple(
        Operation(frame=1201 + 3 * n + minute * 1900, ts_ns=first_ns + n * 1_173_000_000, text=text)
        for n, text in enumerate(values["operations"])
    )
    rest = {name: value for name, value in values.items() if name != "operations"}
    subject = (values["src_ip"], values["dst_ip"], str(values["dst_port"]))
    return Finding(
        id=finding_id("mine-a", kind, subject, first_ns, POLICY_SHA256),
        kind=kind,
        title=title,
        why=why,
        severity=severity,
        site="mine-a",
        first_ns=first_ns,
        last_ns=first_ns + 96_000_000_000,
        policy_sha256=POLICY_SHA256,
        version=VERSION,
        evidence=Evidence(
            capture_sha256=CAPTURE_SHA256,
            first_ns=first_ns,
            last_ns=first_ns + 96_000_000_000,
            operations=operations,
        ),
        **rest,
    )


def findings() -> tuple[Finding, ...]:
    """The day's findings."""
    write = {"src_zone": "crushing", "dst_zone": "plant", "src_ip": "10.21.0.66", "dst_ip": "10.20.0.12"}
    modbus = {"dst_port": 502, "service": "modbus"}
    day = [
        finding(
            601,
            "SEG-02",
            "a Purdue level skipped",
            "10.40.2.77 in Enterprise (level 4) opened SSH to plc1 in Concentrator (level 1) without passing the DMZ.",
            Severity.CRITICAL,
            dst_asset="plc1",
        ),
        finding(
            601,
            "SEG-01",
            "a conversation between zones that no conduit declares",
            "10.40.2.77 in Enterprise opened SSH to plc1 in Concentrator. No conduit leads from enterprise to plant.",
            Severity.HIGH,
            dst_asset="plc1",
        ),
        finding(
            1186,
            "SEG-01",
            "a conversation between zones that no conduit declares",
            "10.21.0.66 in Crushing opened Modbus to plc2 in Concentrator. No conduit leads from crushing to plant.",
            Severity.HIGH,
            dst_asset="plc2",
            count=15,
            **write,
            **modbus,
        ),
        finding(
            1188,
            "SEG-05",
            "an operation the rule does not allow",
            "hmi1 wrote holding registers 100 to 103 of crusher1 (function 16), and crusher1 confirmed it. Rule "
            "r-crush allows functions 3 and 4 only.",
            Severity.CRITICAL,
            src_zone="supervisory",
            dst_zone="crushing",
            src_ip="10.22.0.11",
            dst_ip="10.21.0.11",
            src_asset="hmi1",
            dst_asset="crusher1",
            conduit="c-sup-crush",
            nearest_rule="r-crush: function 16 is not among 3, 4",
            techniques=("T0836", "T0855"),
            references=("SR 2.1",),
            count=4,
            operations=tuple(f"write multiple registers, unit 1, {100 + n} = {n * 17 + 3}" for n in range(4)),
            **modbus,
        ),
        finding(
            415,
            "SEG-03",
            "a conversation opened against the conduit's direction",
            "plc1 in Concentrator opened Modbus to hmi1 in Supervisory; conduit c-sup-plant allows only the other way.",
            Severity.MEDIUM,
            src_zone="plant",
            dst_zone="supervisory",
            src_ip="10.20.0.11",
            dst_ip="10.22.0.11",
            confidence=Confidence.MEDIUM,
            **modbus,
        ),
    ]
    for number, minute in enumerate((95, 236, 388, 512, 733, 905, 1011, 1270, 1402)):
        day.append(
            finding(
                minute,
                "SEG-04",
                "a service the conduit does not allow",
                "historian1 in Site operations opened HTTP to hmi1 in Supervisory; c-ops-sup allows modbus only.",
                Severity.MEDIUM if number % 3 else Severity.LOW,
                src_zone="operations",
                dst_zone="supervisory",
                src_ip="10.30.0.20",
                dst_ip="10.22.0.11",
                dst_port=80,
                service="http",
                conduit="c-ops-sup",
                nearest_rule="r-ops: service http is not modbus",
                techniques=("T0885",),
                references=("SR 7.7",),
                operations=("GET /status", "200 OK"),
                count=number + 1,
            )
        )
    return tuple(day)


def hostile_finding() -> Finding:
    """A finding whose every text tries to be more than text: markup, quotes, newlines, reversed order."""
    return finding(
        1300,
        "SEG-01",
        "a title <script>alert(1)</script> \"with\" 'quotes'",
        "why <img src=x onerror=alert(2)>\nsecond line \u202egnp.exe",
        Severity.HIGH,
        service="mod<b>bus</b>",
        src_asset='"><svg onload=alert(3)>',
        nearest_rule="</code></dd><script>alert(4)</script>",
        references=("SR <i>5.1</i>",),
        operations=("detail </td><script>alert(5)</script>\u2066\r\nX: y",),
    )


def _outcome(rows: pa.RecordBatch, found: list[Finding]) -> ReplayOutcome:
    first, last = _ns(0) + 200_000_000, _ns(MINUTES - 1) + 59_800_000_000
    packets = sum(rows.column("packets").to_pylist())
    transactions = sum(rows.column("transactions").to_pylist())
    digest = hashlib.sha256(b"".join(canonical_line(one) for one in found)).hexdigest()
    return ReplayOutcome(first, last, packets, 3, len(TALKS), transactions, digest, 0.9992)


def _ns(minute: int) -> int:
    return _START_S * 1_000_000_000 + minute * _MINUTE_NS


def _packed(address: str) -> bytes:
    return bytes(10) + b"\xff\xff" + IPv4Address(address).packed
