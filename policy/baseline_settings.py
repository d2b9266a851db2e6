"""How a baseline is learned: the policy's section `baseline`, each setting with its default and what it means."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from policy.values import Duration

_US = timedelta(microseconds=1)


class BaselineSettings(BaseModel):
    """How long is learned, and what it takes to be known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    learn_for: Duration = Field(
        default=timedelta(days=7),
        description="how long is learned, from the first conversation on, ISO 8601 like P7D or PT30M",
    )
    min_count: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=3, description="how often something must have been seen, as the policy permits, to be known"
    )
    facts: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=20_000, description="facts of one kind that are kept; what there is no room for is counted"
    )

    @property
    def learn_for_ns(self) -> int:
        """How long is learned, in ns."""
        return self.learn_for // _US * 1_000
