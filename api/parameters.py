"""What may be asked: the query parameters of every route, each with its limits. Unknown ones are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from analyzers.severity import Severity, SeverityName
from store.answers import AlertFilter
from store.queries.cursor import decode

StateName = Literal["new", "acknowledged", "assigned", "closed", "suppressed"]
DecisionName = Literal["acknowledge", "assign", "close", "reopen"]
STATE_NAMES: tuple[StateName, ...] = ("new", "acknowledged", "assigned", "closed", "suppressed")

AlertId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="an alert's id: 32 hexadecimal digits")]


def _in_utc(moment: datetime) -> datetime:
    """A time without a zone is UTC: that is what every page shows."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _cursor_of(*kinds: type[int] | type[str]) -> AfterValidator:
    """A cursor is checked before it reaches a query; the first page has none."""

    def check(value: str) -> str:
        if value:
            decode(value, *kinds)
        return value

    return AfterValidator(check)


AlertCursor = Annotated[str, _cursor_of(int, str)]
ReplayCursor = Annotated[str, _cursor_of(int, str)]
DetectionMark = Annotated[str, _cursor_of(int)]


def _none_if_empty(value: object) -> object:
    """A form sends a field that was left empty as an empty text."""
    return None if value == "" else value


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class WindowParameters(_Parameters):
    """A time range."""

    range: Literal["", "1h", "6h", "24h", "7d", "30d", "all"] = Field(
        default="",
        description="a range that ends where the stored data ends; not together with `from` or `to`",
    )
    from_: Annotated[Moment | None, BeforeValidator(_none_if_empty)] = Field(
        default=None, alias="from", description="start, inclusive (RFC 3339; UTC without a zone)"
    )
    to: Annotated[Moment | None, BeforeValidator(_none_if_empty)] = Field(
        default=None, description="end, exclusive (RFC 3339; UTC without a zone)"
    )


class CaptureWindowParameters(WindowParameters):
    """A time range, of all captures of a site or of one."""

    replay: str = Field(default="", max_length=64, description="id of a replay: only what its capture holds")
    site: str = Field(
        default="",
        max_length=64,
        description="id of the site; if left out that of the replay, else the newest replay's",
    )


class SeriesParameters(CaptureWindowParameters):
    """A time range in steps."""

    step: int | None = Field(
        default=None,
        ge=60,
        le=86_400,
        multiple_of=60,
        description="length of a step in s; default: about 300 steps",
    )


class ReportParameters(_Parameters):
    """What an SLA report is about; with neither a month nor times, all that is stored, at most its last 30 days."""

    month: str = Field(
        default="",
        max_length=7,
        description="a month of the site's calendar, like 2026-11; not with from or to",
    )
    from_: Annotated[Moment | None, BeforeValidator(_none_if_empty)] = Field(
        default=None, alias="from", description="start, inclusive (RFC 3339; UTC without a zone)"
    )
    to: Annotated[Moment | None, BeforeValidator(_none_if_empty)] = Field(
        default=None, description="end, exclusive (RFC 3339; UTC without a zone)"
    )
    zone: list[str] = Field(default=[], max_length=64, description="ids of zones; repeat for several")
    conduit: list[str] = Field(default=[], max_length=64, description="ids of conduits; repeat for several")
    site: str = Field(
        default="", max_length=64, description="id of the site; the newest replay's if left out"
    )


class FilterParameters(_Parameters):
    """Which alerts; each left out means all."""

    severity: list[SeverityName] = Field(default=[], max_length=5, description="repeat for several")
    state: list[StateName] = Field(
        default=[],
        max_length=5,
        description="repeat for several; with none, every state but suppressed",
    )
    kind: list[str] = Field(
        default=[], max_length=32, description="ids of checks or detections; repeat for several"
    )
    zone: str = Field(default="", max_length=64, description="id of the zone on either side")
    q: str = Field(
        default="", max_length=200, description="text to find in title, addresses, service, zones or id"
    )
    replay: str = Field(default="", max_length=64, description="id of a replay")
    site: str = Field(default="", max_length=64, description="id of a site")
    incident: str = Field(default="", pattern="^([0-9a-f]{32})?$", description="id of an incident")

    def filter(self) -> AlertFilter:
        """The filter as the store takes it."""
        return AlertFilter(
            severities=tuple(Severity[name.upper()].value for name in self.severity),
            states=tuple(self.state),
            kinds=tuple(self.kind),
            zone=self.zone,
            text=self.q.strip(),
            replay=self.replay,
            site=self.site,
            incident=self.incident,
        )


class AlertParameters(FilterParameters):
    """A page of alerts."""

    after: AlertCursor = Field(default="", max_length=200, description="cursor: `next` of the page before")
    limit: int = Field(default=50, ge=1, le=500, description="alerts a page")


class NewerParameters(FilterParameters):
    """Alerts since a page was made."""

    since: DetectionMark = Field(
        default="",
        max_length=200,
        description="cursor: `newest` of the page that is shown; empty: none was shown",
    )


class PageParameters(_Parameters):
    """A page of a list."""

    after: ReplayCursor = Field(default="", max_length=200, description="cursor: `next` of the page before")
    limit: int = Field(default=50, ge=1, le=500, description="rows a page")


class LimitParameters(_Parameters):
    """How many."""

    limit: int = Field(default=10, ge=1, le=100, description="rows at most")
