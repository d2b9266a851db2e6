"""Every suppression of the known sites, whether it still holds, and what it keeps out of the open queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from api.sites import KnownSite
from policy.suppressions import SuppressionScope
from store.client import Store
from store.queries.suppressed import HeldBack, held_back


@dataclass(frozen=True, slots=True)
class SuppressionShown:
    """One suppression: what it covers where, who answers for it until when, and how much it holds back."""

    site: str
    id: str
    what: tuple[str, ...]
    #: Key of the scope -> its entries; empty where the policy in force does not have it.
    scope: dict[str, tuple[str, ...]]
    reason: str
    owner: str
    #: First day on which it no longer holds.
    expires: date
    expired: bool  #: today, by the site's clock
    in_policy: bool  #: False: what it held back is still out of the queue, the policy in force has it no more
    held_back: int  #: alerts that are out of the queue by it

    @property
    def state(self) -> str:
        """In a word or two."""
        if not self.in_policy:
            return "no longer in the policy"
        return "expired" if self.expired else "in force" if self.held_back else "in force, met nothing"


def every_suppression(
    store: Store, sites: Sequence[KnownSite], now: datetime | None = None
) -> list[SuppressionShown]:
    """Those of the policies in force, in their order, then those that only hold back what they once covered.

    `now` is an aware moment: a suppression expires when its day begins at the site.
    """
    moment = now or datetime.now(UTC)
    held = {(one.site, one.suppression): one for one in held_back(store)}
    shown = []
    for known in sites:
        shown += list(_of_policy(known, held, moment))
    named = {(one.site, one.id) for one in shown}
    zones = {known.site.id: ZoneInfo(known.site.tz) for known in sites}
    shown += [
        _no_longer(one, moment.astimezone(zones.get(one.site, UTC)).date())
        for key, one in held.items()
        if key not in named
    ]
    return shown


def _of_policy(
    known: KnownSite, held: dict[tuple[str, str], HeldBack], moment: datetime
) -> Iterator[SuppressionShown]:
    today = moment.astimezone(ZoneInfo(known.site.tz)).date()
    for one in known.site.suppressions:
        found = held.get((known.site.id, one.id))
        yield SuppressionShown(
            site=known.site.id,
            id=one.id,
            what=one.what,
            scope=_entries(one.scope),
            reason=one.reason,
            owner=one.owner,
            expires=one.expires,
            expired=one.expires <= today,
            in_policy=True,
            held_back=found.alerts if found else 0,
        )


def _no_longer(one: HeldBack, today: date) -> SuppressionShown:
    until = date.fromisoformat(one.until)
    return SuppressionShown(
        site=one.site,
        id=one.suppression,
        what=(),
        scope={},
        reason=one.reason,
        owner=one.owner,
        expires=until,
        expired=until <= today,
        in_policy=False,
        held_back=one.alerts,
    )


def _entries(scope: SuppressionScope) -> dict[str, tuple[str, ...]]:
    return {
        name: entries for name in type(scope).model_fields if (entries := getattr(scope, name)) is not None
    }
