"""The six indicators of the operating model from an SLA report's scopes: each a number, or why there is none.

The first three are sums over the report's conduits, which share no conversation (zones do). What happens to alerts,
who uses the product and what is an incident is not in measured minutes: of those the report says where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from analyzers.budget import WITHIN_TARGET
from analyzers.sla import Status
from analyzers.sla_report_form import Indicator, Objective, Scope

#: Classes whose service is critical, and whose conduits are the key ones.
CRITICAL: Final = ("C1", "C2")
NAMES: Final = (
    "Critical network availability",
    "Latency and loss in key conduits",
    "Data integrity and quality",
    "Time from detection to decision",
    "Adoption by role",
    "Incidents and third-party exposure",
)
_ELSEWHERE: Final = (
    "decisions are kept with the alerts of a store, not with measured minutes: the page Indicators has them",
    "who decided is kept with the alerts of a store, not with measured minutes: the page Indicators has it",
    "alerts of remote access are in a store, visits are listed by geophone access: neither is in measured minutes",
)
_NOT_KEPT: Final = (
    "status codes of OPC UA values, gaps of Sparkplug, stale or flat readings and clock skew are not kept by the "
    "minute: what is wrong with them is a finding"
)


def report_indicators(scopes: Sequence[Scope]) -> tuple[Indicator, ...]:
    """All six, in their order; what cannot be told from the scopes has no value and says why."""
    conduits = [scope for scope in scopes if scope.kind == "conduit"]
    critical = [scope for scope in conduits if scope.target.sla_class in CRITICAL]
    return (
        _availability(critical),
        _latency_and_loss(critical),
        _quality(conduits),
        *(without(number, why) for number, why in enumerate(_ELSEWHERE, start=4)),
    )


def without(number: int, why: str) -> Indicator:
    """An indicator that has no value, and why."""
    return Indicator(
        number=number, name=NAMES[number - 1], value=None, unit="", limit=None, made_of="", missing=why
    )


def _availability(critical: Sequence[Scope]) -> Indicator:
    slots, bad = _slots(critical, lambda scope: scope.availability)
    if not slots:
        return without(1, _nothing(critical, "no request whose answer can be matched was seen in them"))
    judged = [scope for scope in critical if scope.availability.left_percent is not None]
    least = min(judged, key=lambda scope: scope.availability.left_percent or 0.0)
    breached = sum(scope.status is Status.BREACHED for scope in critical)
    alerts = sum(len(scope.alerts) for scope in critical)
    minutes, met = (
        sum(getattr(scope.minutes, which) for scope in judged) for which in ("with_slots", "in_target")
    )
    return Indicator(
        number=1,
        name=NAMES[0],
        value=_percent(slots - bad, slots),
        unit="%",
        limit=max(scope.target.availability_percent for scope in judged),
        made_of=(
            f"{slots:,} slots of {len(judged)} conduits of class C1 or C2, {bad:,} bad; within target in {met:,} of "
            f"{minutes:,} minutes of a conduit ({_percent(met, minutes):.4g} %); least budget left "
            f"{least.availability.left_percent:,.2f} % ({least.id}); {breached} breached, {alerts} budget alerts"
        ),
        missing=_unmeasured(critical, judged),
    )


def _latency_and_loss(critical: Sequence[Scope]) -> Indicator:
    slots, bad = _slots(critical, lambda scope: scope.transaction_time)
    if not slots:
        return without(2, _nothing(critical, "nothing was answered in them"))
    trips = [(scope.rtt.p95_ms, scope.id) for scope in critical if scope.rtt.p95_ms is not None]
    losses = [(scope.loss.percent, scope.id) for scope in critical if scope.loss.percent is not None]
    worst = [_worst("RTT p95", "ms", trips), _worst("loss", "%", losses)]
    judged = [scope for scope in critical if scope.transaction_time.slots]
    return Indicator(
        number=2,
        name=NAMES[1],
        value=_percent(slots - bad, slots),
        unit="%",
        limit=float(100 * WITHIN_TARGET),
        made_of=f"share of {slots:,} answers within their conduit's target; {', '.join(worst)}",
        missing=_unmeasured(critical, judged),
    )


def _quality(conduits: Sequence[Scope]) -> Indicator:
    refused = sum(scope.outcomes.exceptions for scope in conduits)
    answered = refused + sum(scope.outcomes.good + scope.outcomes.late for scope in conduits)
    if not answered:
        return without(3, f"nothing was answered; {_NOT_KEPT}")
    return Indicator(
        number=3,
        name=NAMES[2],
        value=_percent(answered - refused, answered),
        unit="%",
        limit=None,
        made_of=f"share of {answered:,} answers without an exception; {refused:,} with one",
        missing=_NOT_KEPT,
    )


def _worst(name: str, unit: str, figures: Sequence[tuple[float, str]]) -> str:
    if not figures:
        return f"{name} not measured"
    value, scope = max(figures)
    return f"{name} up to {value:.3g} {unit} ({scope})"


def _slots(scopes: Sequence[Scope], of: Callable[[Scope], Objective]) -> tuple[int, int]:
    return sum(of(scope).slots for scope in scopes), sum(of(scope).bad_slots for scope in scopes)


def _percent(part: int, whole: int) -> float:
    """Of 100; four decimals, rounded down: what missed its target does not read as having met it."""
    return Fraction(part, whole) * 1_000_000 // 1 / 10_000


def _nothing(critical: Sequence[Scope], why: str) -> str:
    return why if critical else "no conduit of class C1 or C2 is in the report"


def _unmeasured(critical: Sequence[Scope], judged: Sequence[Scope]) -> str:
    left = [scope.id for scope in critical if scope not in judged]
    return f"not measured: {', '.join(left)}" if left else ""
