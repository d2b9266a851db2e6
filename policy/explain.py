"""Two addresses and a service in; which rule allows it, or what denies it, out."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from policy.levels import skips_level
from policy.limits import limits_text
from policy.model import AllowRule
from policy.prefixes import address_bytes
from policy.services import BY_NAME, TCP
from policy.values import IpAddress
from policy.violations import zone_text
from policy.zoning import CompiledSite


@dataclass(frozen=True, slots=True)
class Explanation:
    """The policy's answer to `may this client open this service there?`."""

    allowed: bool
    check: str  #: the check that reports such a conversation; empty where it is allowed
    client_zone: str
    server_zone: str
    conduit: str
    rules: tuple[str, ...]  #: the rules that allow it
    limits: tuple[str, ...]  #: of each of these rules: what it allows inside, empty where it does not limit
    nearest_rule: str  #: where none does: the one that came closest, and what it is for
    text: str


def explain(
    site: CompiledSite, client: str, server: str, service: str = "", port: int = 0, ip_proto: int = 0
) -> Explanation:
    """Judge one conversation. `port` and `ip_proto` are the service's usual ones where left out.

    Raises ValueError for what is no address and for a service without a name here.
    """
    if service and service not in BY_NAME:
        raise ValueError(f"unknown service {service!r}; known: {', '.join(BY_NAME)}")
    known = BY_NAME.get(service)
    port = port or (known.ports[0] if known and known.ports else 0)
    ip_proto = ip_proto or (known.ip_protos[0] if known else TCP)
    client_bytes, server_bytes = address_bytes(_address(site, client)), address_bytes(_address(site, server))
    client_zone, server_zone = site.zone_of(client_bytes), site.zone_of(server_bytes)
    conduit = site.conduit_of(client_zone, server_zone)

    def answer(check: str, text: str, allowing: Sequence[AllowRule] = (), nearest: str = "") -> Explanation:
        rules, limits = tuple(rule.id for rule in allowing), tuple(map(limits_text, allowing))
        return Explanation(not check, check, client_zone, server_zone, conduit, rules, limits, nearest, text)

    if client_zone == server_zone:
        inside = f"Both are in {zone_text(site, client_zone)}" if client_zone else "Neither is in a zone"
        return answer("", f"{inside}; the policy limits what goes from zone to zone.")
    between = f"from {zone_text(site, client_zone)} to {zone_text(site, server_zone)}"
    if not conduit:
        return answer(_without_conduit(site, client_zone, server_zone), f"No conduit goes {between}.")
    verdict = site.rules.verdicts[
        site.rules.judge(
            conduit,
            site.rules.class_of(client_bytes),
            site.rules.class_of(server_bytes),
            ip_proto,
            port,
            service,
            bool(service),
        )
    ]
    if verdict.allowed:
        allowing = [rule.rule for rule in verdict.rules]
        names = ", ".join(rule.id for rule in allowing)
        return answer("", f"Conduit {conduit} {between} allows it by {names}.", allowing)
    closest = f" The closest is {verdict.nearest}." if verdict.nearest else " It has no rules."
    return answer("SEG-04", f"Conduit {conduit} {between} has no rule for it.{closest}", (), verdict.nearest)


def _address(site: CompiledSite, name: str) -> IpAddress:
    """An asset's address by its id, or the address itself."""
    asset = site.assets.get(name)
    if asset and asset.ip is not None:
        return asset.ip
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        raise ValueError(f"{name!r} is neither an asset with an address nor an address") from None


def _without_conduit(site: CompiledSite, client_zone: str, server_zone: str) -> str:
    one, other = site.zones.get(client_zone), site.zones.get(server_zone)
    if one and other and skips_level(one, other):
        return "SEG-02"
    return "SEG-03" if site.conduit_of(server_zone, client_zone) else "SEG-01"
