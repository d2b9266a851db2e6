"""Techniques and what is known of each in; a layer file of the ATT&CK Navigator, format 4.5, out.

Format: "ATT&CK Navigator Layer File Format Definition", version 4.5, of the Navigator's own documentation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from analyzers.attack.coverage import coverage
from analyzers.attack.unseen import UNSEEN
from analyzers.findings import Finding, Severity
from analyzers.techniques import ATTACK_VERSION, TECHNIQUES

LAYER_VERSION: Final = "4.5"
#: The first Navigator whose documentation shows layers of this format and ATT&CK version.
NAVIGATOR_VERSION: Final = "5.2.0"

_POSSIBLE, _ASSERTED = 1, 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What findings say of one technique. Times are ns since the epoch."""

    asserted: int  #: open findings that assert it
    possible: int  #: open findings that call it possible
    suppressed: int  #: findings under a suppression, either way
    severity: int  #: the worst of the open ones, 1 to 5; 0 where there is none
    kinds: tuple[str, ...]
    first_ns: int
    last_ns: int


def seen_in(findings: Iterable[Finding]) -> dict[str, Seen]:
    """Findings, each once, in; what they say of each technique out."""
    gathered: dict[str, list[Finding]] = {}
    for finding in findings:
        for technique in {*finding.techniques, *finding.possible_techniques}:
            gathered.setdefault(technique, []).append(finding)
    return {technique: _seen(technique, found) for technique, found in sorted(gathered.items())}


def _seen(technique: str, found: list[Finding]) -> Seen:
    still_open = [one for one in found if one.suppression is None]
    return Seen(
        asserted=sum(technique in one.techniques for one in still_open),
        possible=sum(technique not in one.techniques for one in still_open),
        suppressed=len(found) - len(still_open),
        severity=max((int(one.severity) for one in still_open), default=0),
        kinds=tuple(sorted({one.kind for one in found})),
        first_ns=min(one.first_ns for one in found),
        last_ns=max(one.last_ns for one in found),
    )


def coverage_layer() -> dict[str, Any]:
    """What this version can tell: 2 asserted, 1 possible, and for every other technique why not."""
    cited = coverage()
    techniques = []
    for technique in TECHNIQUES:
        if one := cited.get(technique):
            parts = [f"asserted by {', '.join(one.asserted)}"] if one.asserted else []
            parts += [f"possible in {', '.join(one.possible)}"] if one.possible else []
            entry = {"score": _ASSERTED if one.asserted else _POSSIBLE, "comment": "; ".join(parts)}
        else:
            reason, text = UNSEEN[technique]
            entry = {"comment": f"{reason}: {text}"}
        techniques.append({"techniqueID": technique, "enabled": True, **entry})
    return _layer(
        "Geophone: coverage",
        "What findings can say of each technique: asserted, possible, or why not.",
        techniques,
        colors=("#cfe3f7", "#1f6fb2"),
        ends=(_POSSIBLE, _ASSERTED),
        legend={"possible": "#cfe3f7", "asserted": "#1f6fb2"},
    )


def findings_layer(seen: Mapping[str, Seen], what: str) -> dict[str, Any]:
    """What findings name: the score is the worst severity, 1 info to 5 critical; `what` says of what."""
    techniques = [
        {
            "techniqueID": technique,
            "enabled": True,
            # what is suppressed is told and not scored
            **({"score": one.severity} if one.severity else {}),
            "comment": _comment(one),
            "metadata": [
                {"name": "findings that assert it", "value": str(one.asserted)},
                {"name": "findings that call it possible", "value": str(one.possible)},
                {"name": "under a suppression", "value": str(one.suppressed)},
                {"name": "first packet", "value": _utc(one.first_ns)},
                {"name": "last packet", "value": _utc(one.last_ns)},
            ],
        }
        for technique, one in seen.items()
    ]
    return _layer(
        f"Geophone: {what}",
        f"Techniques that the findings of {what} name; the score is the worst severity, 1 info to 5 critical.",
        techniques,
        colors=("#fdf3c4", "#f2a33a", "#b3202c"),
        ends=(int(Severity.INFO), int(Severity.CRITICAL)),
        legend={"info": "#fdf3c4", "medium": "#f2a33a", "critical": "#b3202c"},
    )


def layer_bytes(layer: Mapping[str, Any]) -> bytes:
    """The file's bytes: the same layer, the same bytes."""
    return json.dumps(layer, indent=2, ensure_ascii=False).encode() + b"\n"


def _comment(one: Seen) -> str:
    words = f"by {', '.join(one.kinds)}"
    return (
        words if one.asserted else f"possible only, {words}" if one.possible else f"suppressed only, {words}"
    )


def _layer(
    name: str,
    description: str,
    techniques: list[dict[str, Any]],
    *,
    colors: tuple[str, ...],
    ends: tuple[int, int],
    legend: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "name": name,
        "versions": {"attack": ATTACK_VERSION, "navigator": NAVIGATOR_VERSION, "layer": LAYER_VERSION},
        "domain": "ics-attack",
        "description": description,
        "sorting": 3,
        "hideDisabled": False,
        "techniques": techniques,
        "gradient": {"colors": list(colors), "minValue": ends[0], "maxValue": ends[1]},
        "legendItems": [{"label": label, "color": color} for label, color in legend.items()],
    }


def _utc(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
