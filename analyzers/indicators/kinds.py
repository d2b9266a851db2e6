"""The kinds of findings that indicators make, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from analyzers.indicators.indicator import NO_END_NS, WHAT, Indicator
from policy.zoning import CompiledSite


@dataclass(frozen=True, slots=True)
class IndicatorKind:
    """All findings of one kind of indicator (`analyzers.reporting.FindingKind`)."""

    id: str
    title: str
    base_severity: int
    references: tuple[str, ...]
    techniques: tuple[str, ...]
    possible_techniques: tuple[str, ...]
    #: What is in force, by `Indicator.key`.
    by_key: Mapping[str, Indicator]
    #: Why the confidence may be less than high.
    doubt: str = "its source is not surer of it, or part of the conversation was not seen"

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """The title, with what was seen."""
        return f"{self.title}: {self.by_key[violation['what']].value}"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Whose indicator it is, since when and until when it holds, and how sure its source is."""
        one = self.by_key[violation["what"]]
        named = f" ({one.name})" if one.name else ""
        since = (
            f"valid from {_at(one.valid_from_ns)}"
            if one.valid_from_ns > -NO_END_NS
            else "valid from the beginning"
        )
        until = f"until {_at(one.valid_until_ns)}" if one.valid_until_ns < NO_END_NS else "without an end"
        sure = (
            "without saying how sure it is"
            if one.confidence < 0
            else f"with a confidence of {one.confidence} of 100"
        )
        return (
            f"The {WHAT[one.what]} {one.value} is an indicator of {one.source}: {one.id}{named}, {since} {until}, "
            f"given {sure}. It was seen {violation['count']} × while it was valid."
        )


_TITLES: Final = {
    "address": ("TI-01", "contact with an address of a threat indicator", ("T0869",)),
    "network": ("TI-02", "contact with a network of a threat indicator", ("T0869",)),
    "domain": ("TI-03", "a domain name of a threat indicator", ("T0869",)),
    "ja4": ("TI-04", "a TLS client with the fingerprint of a threat indicator", ("T0869",)),
    "certificate": ("TI-05", "a certificate of a threat indicator", ("T0869",)),
}

_SEVERITY: Final = 4


def kinds_of(by_key: Mapping[str, Indicator]) -> dict[str, IndicatorKind]:
    """The kind of finding of each kind of indicator."""
    return {
        what: IndicatorKind(
            id=id_,
            title=title,
            base_severity=_SEVERITY,
            references=("STIX 2.1, 4.7",),
            techniques=(),
            possible_techniques=possible,
            by_key=by_key,
        )
        for what, (id_, title, possible) in _TITLES.items()
    }


def _at(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
