"""The detections' thresholds: each setting in one place, with its type, its default and what it means.

A policy changes them in its section `detections`, so that a replay under the same policy finds the same. What is not
named there has its default; what `switched_off` names is not looked for at all.
"""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from policy.values import TopicFilter, suggestion

Count = Annotated[int, Field(ge=1, le=1_000_000)]


Entries = Annotated[int, Field(ge=1_000, le=10_000_000)]


class _Thresholds(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class UnusualValues(_Thresholds):
    """M3: values that nobody usually writes."""

    writes: Count = Field(default=8, description="learned writes of a register from which on it is judged")
    margin_percent: Annotated[int, Field(ge=0, le=1_000)] = Field(
        default=10, description="of the learned range, that a value or a step may lie outside"
    )


class Frozen(_Thresholds):
    """M15: readings that stand still."""

    changes: Count = Field(
        default=20, description="changes from which on a reading counts as one that varies"
    )
    readings: Count = Field(default=30, description="equal readings in a row, at least")
    times: Count = Field(default=3, description="times as many as were ever equal in a row before")


class Forcing(_Thresholds):
    """M4: outputs switched."""

    toggles: Count = Field(default=10, description="changes of one coil by one client within a minute")
    outputs: Count = Field(default=32, description="coils that one request switches all on or all off")


class Probing(_Thresholds):
    """M8: units and functions that are asked for and not there."""

    units: Count = Field(default=10, description="units turned down or silent within 60 s")
    functions: Count = Field(default=8, description="function codes turned down within 60 s")


class Sweep(_Thresholds):
    """M9: registers looked for where there are none."""

    addresses: Count = Field(default=10, description="addresses refused with exception 02 within 60 s")


class Exceptions(_Thresholds):
    """M10: a device that turns requests down."""

    per_hour: Count = Field(
        default=20, description="exceptions within an hour that are still no finding, whatever their code"
    )


class Unanswered(_Thresholds):
    """M14: a server that falls silent."""

    requests: Count = Field(default=3, description="requests without an answer within 5 minutes")


class Refused(_Thresholds):
    """O4, Q6: logins turned down."""

    per_minute: Count = Field(description="refused logins within a minute")


class RefusedOpcUa(Refused):
    """O4: OPC UA sessions refused."""

    per_minute: Count = Field(default=5, description="refused activations of a session within a minute")


class RefusedMqtt(Refused):
    """Q6: MQTT connections refused."""

    per_minute: Count = Field(default=20, description="refused connections within a minute")


class Discovery(_Thresholds):
    """O5: servers asked who they are."""

    servers: Count = Field(
        default=3, description="servers asked within two minutes, by whoever; one is enough for a stranger"
    )


class Browsing(_Thresholds):
    """O6: an address space walked."""

    nodes: Count = Field(default=10, description="nodes browsed within 60 s")


class Commands(_Thresholds):
    """Q3: topics that command."""

    topics: tuple[TopicFilter, ...] = Field(
        default=(),
        max_length=1_000,
        description="MQTT topic filters of commands, like `mine-a/+/cmd/#`; Sparkplug's are known without",
    )


class Scan(_Thresholds):
    """G1: knocking on many doors."""

    addresses: Count = Field(default=50, description="addresses knocked at within two minutes")
    ports: Count = Field(default=25, description="ports of one address knocked at within two minutes")
    controllers: Count = Field(
        default=10, description="addresses knocked at within two minutes, on ports of control protocols"
    )


class Flips(_Thresholds):
    """G2: an address that changes its owner."""

    changes: Count = Field(default=3, description="changes of an address's MAC within 10 minutes")


class Flood(_Thresholds):
    """G3: a server kept busy."""

    connections: Count = Field(default=3_000, description="connections begun in vain within a minute")
    logins: Count = Field(default=100, description="refused logins within a minute")


class Beaconing(_Thresholds):
    """G5: somebody outside contacted again and again."""

    contacts: Count = Field(default=10, description="conversations begun with one address and port")
    jitter_percent: Count = Field(
        default=20, description="how far the intervals may be from the middle one, of 100"
    )
    payload_bytes: Count = Field(default=20_000, description="payload of a contact, the middle one")


#: Every detection there are settings of, in the order of the catalogue; most have no thresholds.
DETECTION_IDS: Final = (
    "M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8", "M9", "M10", "M11", "M12", "M13", "M14", "M15",
    "O1", "O2", "O3", "O4", "O5", "O6", "O7", "O8", "O9", "O10", "O11",
    "Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7",
    "G1", "G2", "G3", "G4", "G5", "G6", "G7",
)  # fmt: skip


class DetectionSettings(_Thresholds):
    """What the detections look for: thresholds, and those that are off."""

    switched_off: tuple[str, ...] = Field(default=(), description="ids of detections that are not wanted")
    kept: Entries = Field(
        default=50_000,
        description="how many entries, each a source and ten seconds, every count of scans and floods keeps; past it "
        "sources that did least are forgotten, the longest silent first, and counted; and how many outputs' writes "
        "(M4) and Sparkplug messages (Q7) wait for earlier ones; and how many conversations of a minute are measured "
        "each on its own, past which those that said least are measured together",
    )
    M3: UnusualValues = Field(default=UnusualValues(), description="unusual values written")
    M4: Forcing = Field(default=Forcing(), description="outputs toggled or written en masse")
    M8: Probing = Field(default=Probing(), description="units and function codes probed")
    M9: Sweep = Field(default=Sweep(), description="a register sweep")
    M10: Exceptions = Field(default=Exceptions(), description="exceptions")
    M14: Unanswered = Field(default=Unanswered(), description="requests without an answer")
    M15: Frozen = Field(default=Frozen(), description="readings that stand still")
    O4: RefusedOpcUa = Field(default=RefusedOpcUa(), description="refused OPC UA logins")
    O5: Discovery = Field(default=Discovery(), description="OPC UA discovery")
    O6: Browsing = Field(default=Browsing(), description="an OPC UA address space walked")
    Q3: Commands = Field(default=Commands(), description="MQTT commands")
    Q6: RefusedMqtt = Field(default=RefusedMqtt(), description="refused MQTT logins")
    G1: Scan = Field(default=Scan(), description="scans")
    G2: Flips = Field(default=Flips(), description="an address that changes its MAC")
    G3: Flood = Field(default=Flood(), description="floods of connections and logins")
    G5: Beaconing = Field(default=Beaconing(), description="beacons")

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in self.switched_off:
            if name not in DETECTION_IDS:
                raise ValueError(
                    f"`switched_off` names {name!r}, which is no detection"
                    f"{suggestion(name, list(DETECTION_IDS)) or '; they are: ' + ', '.join(DETECTION_IDS)}"
                )
        return self
