"""Findings that somebody answers for until a day: they are kept and tagged, and leave the open queue.

A suppression is a decision, so it has an owner, a reason and an end, and it never deletes anything. It says which kinds
of finding and where: what it names must all hold, and of each list one entry. A finding is under it when it began
before the day on which it expires, by the site's clock.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from policy.kinds import KIND_IDS, is_kind
from policy.values import Day, Identifier, suggestion

_LISTED: Final = f"{', '.join(KIND_IDS)}, and rule:NAME"

Selector = Annotated[str, Field(min_length=1, max_length=64)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_name=False)


class SuppressionScope(_Entry):
    """Where a suppression holds: every key that is given, and of its list any entry."""

    zones: tuple[Identifier, ...] | None = Field(
        default=None, min_length=1, description="zones that either end is in"
    )
    conduits: tuple[Identifier, ...] | None = Field(
        default=None, min_length=1, description="conduits that it goes through"
    )
    assets: tuple[Identifier, ...] | None = Field(
        default=None, min_length=1, description="assets that either end is"
    )
    client: tuple[Selector, ...] | None = Field(
        default=None, min_length=1, description="who asks: asset ids, addresses, prefixes"
    )
    server: tuple[Selector, ...] | None = Field(
        default=None, min_length=1, description="who is asked: asset ids, addresses, prefixes"
    )
    service: tuple[Identifier, ...] | None = Field(
        default=None, min_length=1, description="application protocols"
    )

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError(
                "limits nothing; name zones, conduits, assets, client, server or service. What is wanted nowhere is "
                "switched off in `detections: switched_off`"
            )
        for side in ("client", "server"):
            for selector in getattr(self, side) or ():
                _refuse_host_bits(side, selector)
        return self


class Suppression(_Entry):
    """One decision to keep findings out of the open queue for a while."""

    id: Identifier = Field(description="the suppression's id, put on the findings")
    what: tuple[str, ...] = Field(
        min_length=1, description="kinds of finding: ids of checks, detections, indicators, or rule:NAME"
    )
    scope: SuppressionScope = Field(description="where it holds")
    reason: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="why, put on the findings"
    )
    owner: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="who answers for it")
    expires: Day = Field(description="first day on which it no longer holds")

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        for kind in self.what:
            if not is_kind(kind):
                raise ValueError(
                    f"`what` names {kind!r}, which is no kind of finding"
                    f"{suggestion(kind, list(KIND_IDS)) or '; the kinds are: ' + _LISTED}"
                )
        for name in ("reason", "owner"):
            if not getattr(self, name).strip():
                raise ValueError(f"`{name}` is empty; a suppression is somebody's decision, with its reason")
        return self


def _refuse_host_bits(side: str, selector: str) -> None:
    try:
        meant = ipaddress.ip_network(selector, strict=False)
    except ValueError:
        return  # an asset, which is looked up with all references
    if "/" in selector and str(meant.network_address) != selector.partition("/")[0]:
        raise ValueError(f"`{side}` names {selector}, which has host bits set; write {meant}")
