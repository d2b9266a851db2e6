"""The indicators that a store knows beside its measured minutes: decisions, adoption, third-party exposure."""

from __future__ import annotations

from typing import Final

from analyzers.sla_indicators import NAMES, without
from analyzers.sla_report_form import Indicator
from store.answers import AlertFilter
from store.client import Store
from store.queries import alerts, deciders
from store.queries.incidents import incident_states

#: Findings of remote access are numbered RA-01 and on.
_REMOTE_ACCESS: Final = "RA-"


def store_indicators(store: Store, site: str) -> tuple[Indicator, ...]:
    """The last three of the six, over all alerts of the site, whenever their packets were."""
    return _decisions(store, site), _adoption(store, site), _exposure(store, site)


def _decisions(store: Store, site: str) -> Indicator:
    counts = alerts.count_alerts(store, AlertFilter(site=site))
    undecided = counts.by_state.get("new", 0)
    if counts.decision_median_s is None or counts.decision_p90_s is None:
        return without(4, f"no alert has been decided; {undecided:,} are new")
    return Indicator(
        number=4,
        name=NAMES[3],
        value=counts.decision_median_s,
        unit="s",
        limit=None,
        made_of=(
            f"median from the finding stored to its first decision; p90 {counts.decision_p90_s:,.0f} s; "
            f"{undecided:,} of {counts.total:,} alerts are new"
        ),
        missing="from the first packet to the finding is the sensor's delay, and in a replay that of whoever replays",
    )


def _adoption(store: Store, site: str) -> Indicator:
    people, decisions = deciders.deciders(store, site)
    if not decisions:
        return without(
            5, "nobody has decided an alert; the API knows no roles, and keeps no log of who reads what"
        )
    return Indicator(
        number=5,
        name=NAMES[4],
        value=people,
        unit="names",
        limit=None,
        made_of=f"how many names decided alerts; their decisions: {decisions:,}",
        missing="roles are not measurable: the API knows names only, and keeps no log of who reads what",
    )


def _exposure(store: Store, site: str) -> Indicator:
    found = deciders.alerts_of_kind(store, site, _REMOTE_ACCESS)
    states = incident_states(store, site)
    return Indicator(
        number=6,
        name=NAMES[5],
        value=found,
        unit="alerts",
        limit=0,
        made_of=(
            "alerts of remote access against its rules (RA-01 to RA-09), whatever became of them; of all kinds, "
            f"{sum(states.values()):,} incidents: {states['new']:,} that nobody acted on, {states['open']:,} open, "
            f"{states['closed']:,} closed"
        ),
        missing=(
            "how many incidents were confirmed: alerts are closed with a reason in words, which nothing counts; "
            "hours of vendors' visits are listed by the command geophone access, of captures"
        ),
    )
