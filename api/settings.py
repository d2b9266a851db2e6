"""What can be set about the API and the pages; every setting says what it does."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ApiSettings(BaseModel):
    """Settings of the API and the pages. Unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operator: str = Field(
        default="local",
        min_length=1,
        max_length=64,
        description="who decides: the name that decisions are kept under. There is no login yet: the application "
        "listens on the loopback address only, so whoever can reach it is this one operator.",
    )
    decision_target_minutes: int = Field(
        default=30, ge=1, description="how soon after detection an alert should be decided on, in minutes"
    )
    poll_seconds: int = Field(
        default=15,
        ge=1,
        le=3600,
        description="how often an open alert queue asks whether there are newer alerts, in seconds",
    )
    version: str = Field(
        default="", max_length=64, description="the version that the pages and the API description show"
    )
