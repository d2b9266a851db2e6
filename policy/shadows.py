"""A conduit's rules in; those that another rule makes superfluous out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from policy.modbus import functions_allowed, joined_ranges
from policy.model import SERVICE_KEYS, AllowRule, Conduit, Site
from policy.problems import Path
from policy.services import BY_NAME
from policy.values import IpNetwork

_Key = tuple[str | None, int | None]


def shadowed_rules(site: Site) -> Iterator[tuple[Path, AllowRule, AllowRule]]:
    """Each rule that another one of its conduit covers, its place before it and that other one after it."""
    addresses = {asset.id: ipaddress.ip_network(asset.ip) for asset in site.assets if asset.ip is not None}
    for at, conduit in enumerate(site.conduits):
        for index, cover in _shadowed(conduit, addresses):
            yield ("conduits", at, "allow", index), conduit.allow[index], cover


def _shadowed(conduit: Conduit, addresses: Mapping[str, IpNetwork]) -> Iterator[tuple[int, AllowRule]]:
    """The index of each rule that another one covers, and that one; of two equal rules the later.

    Rules are sought by service, port and source, so that ten thousand rules are not compared pair by pair.
    """
    by_key: dict[tuple[_Key, str | None], list[int]] = {}
    for index, rule in enumerate(conduit.allow):
        for name in _posts(rule.src, addresses):
            by_key.setdefault(((rule.service, rule.port), name), []).append(index)
    for index, rule in enumerate(conduit.allow):
        names = dict.fromkeys((None, _PREFIX, *_posts(rule.src and rule.src[:1], addresses)))
        keys = {(service, port) for service in (rule.service, None) for port in (rule.port, None)}
        candidates = {i for key in keys for name in names for i in by_key.get((key, name), ()) if i != index}
        for other in sorted(candidates):
            cover = conduit.allow[other]
            both = _covers(cover, rule, addresses) and _covers(rule, cover, addresses)
            if _covers(cover, rule, addresses) and (other < index or not both):
                yield index, cover
                break


#: Stands for every source that is a prefix of more than one address.
_PREFIX = "prefix"


def _posts(src: tuple[str, ...] | None, addresses: Mapping[str, IpNetwork]) -> Iterable[str | None]:
    """What a rule is found under: each of its source addresses, however they are written."""
    if src is None:
        return (None,)
    networks = ((name, _network(name, addresses)) for name in src)
    return dict.fromkeys(
        name if network is None else str(network) if network.num_addresses == 1 else _PREFIX
        for name, network in networks
    )


def _covers(cover: AllowRule, rule: AllowRule, addresses: Mapping[str, IpNetwork]) -> bool:
    """Everything the second rule allows, the first one allows too."""
    if cover.service is not None and cover.service != rule.service:
        return False
    return (
        _hosts_cover(cover.src, rule.src, addresses)
        and _hosts_cover(cover.dst, rule.dst, addresses)
        and _ports_cover(cover, rule)
        and _limits_cover(cover, rule)
    )


def _hosts_cover(
    cover: tuple[str, ...] | None, hosts: tuple[str, ...] | None, addresses: Mapping[str, IpNetwork]
) -> bool:
    if cover is None:
        return True
    if hosts is None:
        return False
    held = [network for name in cover if (network := _network(name, addresses)) is not None]
    for name in hosts:
        network = _network(name, addresses)
        if name not in cover and (network is None or not any(_within(network, wide) for wide in held)):
            return False
    return True


def _network(name: str, addresses: Mapping[str, IpNetwork]) -> IpNetwork | None:
    if name in addresses:
        return addresses[name]
    try:
        return ipaddress.ip_network(name)
    except ValueError:
        return None  # an asset without an address


def _within(narrow: IpNetwork, wide: IpNetwork) -> bool:
    if isinstance(narrow, ipaddress.IPv4Network) and isinstance(wide, ipaddress.IPv4Network):
        return narrow.subnet_of(wide)
    if isinstance(narrow, ipaddress.IPv6Network) and isinstance(wide, ipaddress.IPv6Network):
        return narrow.subnet_of(wide)
    return False


def _ports_cover(cover: AllowRule, rule: AllowRule) -> bool:
    if cover.transport is not None and cover.transport != rule.transport:
        return False
    if cover.port == rule.port:
        return True
    if cover.port is not None:
        return False
    # Without a port a named service counts on its usual ports only, until it is decoded.
    return cover.service is None or rule.port in BY_NAME[cover.service].ports


def _limits_cover(cover: AllowRule, rule: AllowRule) -> bool:
    """The limits of the operations; a protocol's keys other than Modbus's must be the same."""
    for name in (*SERVICE_KEYS["opcua"], *SERVICE_KEYS["mqtt"]):
        if getattr(cover, name) not in (None, getattr(rule, name)):
            return False
    if cover.operations is not None and (
        rule.operations is None or not set(rule.operations) <= set(cover.operations)
    ):
        return False
    functions, wanted = functions_allowed(cover), functions_allowed(rule)
    if functions is not None and (wanted is None or not set(wanted) <= set(functions)):
        return False
    if cover.units is not None and (rule.units is None or not set(rule.units) <= set(cover.units)):
        return False
    return _ranges_cover(cover.read, rule.read) and _ranges_cover(cover.write, rule.write)


def _ranges_cover(
    cover: tuple[tuple[int, int], ...] | None, ranges: tuple[tuple[int, int], ...] | None
) -> bool:
    if cover is None:
        return True
    if ranges is None:
        return False
    held = joined_ranges(cover)
    return all(any(a <= first and last <= b for a, b in held) for first, last in joined_ranges(ranges))
