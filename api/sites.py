"""The sites as the store's policies declare them: what the zones' pages and answers are about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from api.problems import UnknownThing
from policy.loader import loads
from policy.model import Conduit, Site, Zone
from policy.sla_classes import SlaTarget
from policy.targets import target_of_conduit, target_of_zone
from store.client import Store
from store.queries import replays


@dataclass(frozen=True, slots=True)
class KnownSite:
    """A declared site and the policy it comes from."""

    site: Site
    policy_name: str
    policy_sha256: str

    def zone(self, zone_id: str) -> Zone | None:
        """The zone of that id."""
        return next((zone for zone in self.site.zones if zone.id == zone_id), None)

    def conduit(self, conduit_id: str) -> Conduit | None:
        """The conduit of that id."""
        return next((conduit for conduit in self.site.conduits if conduit.id == conduit_id), None)

    def zone_name(self, zone_id: str) -> str:
        """A zone's name for people: its id where it has none, and words for addresses in no zone."""
        if not zone_id:
            return "outside any zone"
        zone = self.zone(zone_id)
        return zone.label if zone else zone_id

    def zone_target(self, zone_id: str) -> SlaTarget:
        """What the zone must keep."""
        return target_of_zone(self.site, zone_id)

    def conduit_target(self, conduit_id: str) -> SlaTarget:
        """What the conduit must keep."""
        return target_of_conduit(self.site, conduit_id)


def known_site(store: Store, replay: str = "", site: str = "") -> KnownSite | None:
    """The site that the pages are about: of one replay's policy, else the one named, else the newest replay's.

    None where nothing was replayed yet. Raises `UnknownThing` for a replay or a site that the store has not, and
    for a replay of another site than the one named.
    """
    if replay:
        found = replays.get_replay(store, replay)
        if found is None:
            raise UnknownThing("replay", replay, "/api/v1/replays")
        if site not in ("", found.site):
            raise UnknownThing(f"replay of the site '{site}'", replay, "/api/v1/replays")
        return site_of_policy(store, found.policy_name, found.policy_sha256)
    known = known_sites(store)
    if not site:
        return next(iter(known), None)
    named = next((one for one in known if one.site.id == site), None)
    if named is None:
        raise UnknownThing("site", site, "/api/v1/replays")
    return named


def known_sites(store: Store) -> list[KnownSite]:
    """Every site of the store, as its newest finished replay's policy declares it; the newest first."""
    return [
        KnownSite(_parsed(sha256, text, name), name, sha256)
        for name, sha256, text in replays.active_policies(store)
    ]


def zone_names(sites: Iterable[KnownSite], site_id: str, zone_id: str) -> str:
    """A zone's name for people, where a row may be of any site."""
    site = next((site for site in sites if site.site.id == site_id), None)
    return site.zone_name(zone_id) if site else zone_id or "outside any zone"


def zones_to_choose(sites: Iterable[KnownSite]) -> list[tuple[str, str]]:
    """Id and name of every zone of the sites; a zone id that several sites use has all its names."""
    names: dict[str, list[str]] = {}
    for known in sites:
        for zone in known.site.zones:
            labels = names.setdefault(zone.id, [])
            if zone.label not in labels:
                labels.append(zone.label)
    return [(zone_id, " / ".join(labels)) for zone_id, labels in names.items()]


def site_of_policy(store: Store, name: str, sha256: str) -> KnownSite | None:
    """The site of one stored policy; None where the store has no such text."""
    text = replays.policy_text(store, sha256)
    return None if text is None else KnownSite(_parsed(sha256, text, name), name, sha256)


@lru_cache(maxsize=16)
def _parsed(sha256: str, text: str, name: str) -> Site:
    """A policy text is parsed once: the hash names its content."""
    del sha256
    return loads(text, name).site
