"""What the API answers about incidents: one model an answer, each field with its unit and meaning."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from analyzers.severity import SeverityName
from api.models import AlertAnswer, EventAnswer, at_ns, severity_name
from store.answers import Alike, Incident, IncidentDetail, IncidentPage


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True, extra="ignore")


class IncidentAnswer(_Answer):
    """Alerts that belong together, told by the gravest of them."""

    id: str = Field(description="that of its first alert; every alert's id leads to it")
    site: str
    severity: SeverityName = Field(description="of the gravest alert")
    state: str = Field(
        description="new (nobody acted on any of it), open or closed (all of it, or suppressed)"
    )
    kind: str = Field(description="of the gravest alert")
    title: str = Field(description="of the gravest alert")
    alerts: int = Field(description="how many that are not suppressed")
    new: int = Field(description="of these, nobody acted on")
    closed: int = Field(description="of these, closed")
    suppressed: int = Field(description="how many more are under a suppression")
    kinds: list[str]
    zones: list[str]
    sources: list[str] = Field(description="the first few addresses")
    source_count: int
    targets: list[str] = Field(description="the first few addresses")
    target_count: int
    first_at: str = Field(description="first packet, RFC 3339 with nine decimals")
    last_at: str = Field(description="last packet")

    @classmethod
    def of(cls, incident: Incident) -> Self:
        """From the store's answer."""
        fields = {name: getattr(incident, name) for name in cls.model_fields if hasattr(incident, name)}
        fields |= {
            "severity": severity_name(incident.severity),
            "first_at": at_ns(incident.first_ns),
            "last_at": at_ns(incident.last_ns),
        }
        return cls.model_validate(fields)


class AlikeAnswer(_Answer):
    """Alerts of one kind and severity that the time line leaves out."""

    kind: str
    severity: SeverityName
    more: int = Field(description="how many; `/api/v1/alerts?incident=…&kind=…` has them all")

    @classmethod
    def of(cls, alike: Alike) -> Self:
        """From the store's answer."""
        return cls(kind=alike.kind, severity=severity_name(alike.severity), more=alike.more)


class IncidentsAnswer(_Answer):
    """A page of incidents, the latest first."""

    incidents: list[IncidentAnswer]
    total: int = Field(description="incidents of the filter")
    next: str = Field(description="cursor of the next page; empty at the end")

    @classmethod
    def of(cls, page: IncidentPage) -> Self:
        """From the store's page."""
        return cls(
            incidents=[IncidentAnswer.of(one) for one in page.incidents], total=page.total, next=page.next
        )


class DecisionAnswer(EventAnswer):
    """One step in the life of one of the incident's alerts."""

    alert: str = Field(description="its id")


class IncidentDetailAnswer(_Answer):
    """One incident with its time line."""

    incident: IncidentAnswer
    alerts: list[AlertAnswer] = Field(
        description="by time of the first packet; of each kind and severity the first five"
    )
    left_out: list[AlikeAnswer] = Field(description="how many more there are of a kind and severity")
    decisions: list[DecisionAnswer] = Field(description="who decided what, oldest first")

    @classmethod
    def of(cls, detail: IncidentDetail) -> Self:
        """From the store's detail."""
        return cls(
            incident=IncidentAnswer.of(detail.incident),
            alerts=[AlertAnswer.of(alert) for alert in detail.alerts],
            left_out=[AlikeAnswer.of(alike) for alike in detail.left_out],
            decisions=[
                DecisionAnswer(alert=alert, **EventAnswer.of(event).model_dump())
                for alert, event in detail.decisions
            ],
        )
