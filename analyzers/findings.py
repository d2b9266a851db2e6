"""Findings: what the network shows, immutable, with a stable id and its evidence."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from analyzers.severity import Severity as Severity

#: Frames and operations kept as examples: a flood adds to `count`, not to the evidence.
EXAMPLES_LIMIT: Final = 16


class Confidence(StrEnum):
    """How sure the network's evidence is; lowered by a poor capture."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Operation(_Frozen):
    """One decoded message or conversation that the finding points at."""

    frame: int = Field(ge=1, description="frame number in the capture, as Wireshark counts")
    ts_ns: int = Field(description="time of the frame, ns since the epoch, UTC")
    text: str = Field(description="what was decoded, in words")


class Evidence(_Frozen):
    """Where to look: the capture and its frames."""

    capture_sha256: str
    first_ns: int
    last_ns: int
    operations: tuple[Operation, ...] = Field(max_length=EXAMPLES_LIMIT, description="the first ones")


class SuppressedBy(_Frozen):
    """Who keeps a finding out of the open queue, why, and until when."""

    id: str = Field(description="the policy's suppression")
    owner: str = Field(description="who answers for it")
    reason: str
    until: str = Field(description="the day on which it ends, by the site's clock, like 2027-06-30")


class Finding(_Frozen):
    """One thing the network shows, in a form that never changes."""

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    kind: str = Field(description="the check's or detection's id, e.g. SEG-05")
    title: str = Field(description="finishes 'the network shows…'")
    why: str = Field(description="why this fired, in full sentences with the figures")
    severity: Severity
    confidence: Confidence
    site: str
    src_zone: str = Field(description="zone id, empty where the address is in none")
    dst_zone: str
    src_ip: str
    dst_ip: str
    dst_port: int
    src_asset: str = Field(default="", description="asset id, where the policy names one")
    dst_asset: str = ""
    service: str
    conduit: str = Field(default="", description="the conduit it went through, empty where there is none")
    nearest_rule: str = Field(
        default="", description="the allow-rule that came closest, and what did not match"
    )
    references: tuple[str, ...] = ()
    techniques: tuple[str, ...] = Field(default=(), description="ATT&CK for ICS technique ids")
    possible_techniques: tuple[str, ...] = Field(
        default=(), description="ATT&CK for ICS technique ids that it may be, and as well may not be"
    )
    change: str = Field(default="", description="the change window it happened in: tagged, never suppressed")
    suppression: SuppressedBy | None = Field(
        default=None, description="the suppression it is under: kept, but not in the open queue"
    )
    count: int = Field(
        ge=1, description="operations, or minutes in which the conversation was seen, within the window"
    )
    first_ns: int
    last_ns: int
    policy_sha256: str
    evidence_sha256: str = Field(
        default="", description="of the approvals and gateway log imported for the policy; empty without any"
    )
    version: str = Field(description="the version of Geophone that judged")
    evidence: Evidence


def finding_id(site: str, kind: str, subject: tuple[str, ...], first_ns: int, policy_sha256: str) -> str:
    """The stable id: 128 bits of SHA-256 over what makes the finding this one.

    The capture's name, its hash and frame numbers are left out: the same traffic in another file, or with
    SPAN duplicates in it, is the same finding.
    """
    key = json.dumps(
        [site, kind, list(subject), first_ns, policy_sha256], separators=(",", ":"), ensure_ascii=True
    )
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def canonical_line(finding: Finding) -> bytes:
    """One canonical JSON line: sorted keys, no spaces, UTF-8, integers only, ended by a newline."""
    body = json.dumps(
        finding.model_dump(mode="json"),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )
    return body.encode() + b"\n"


def canonical_order(finding: Finding) -> tuple[int, str, str]:
    """The order of findings in a canonical file: by time, kind, id."""
    return finding.first_ns, finding.kind, finding.id
