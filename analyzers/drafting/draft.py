"""What was seen in; a policy that allows it and nothing else, as YAML with comments, out.

A zone for each network of private addresses, one for all public ones; a conduit for each pair of zones; a rule for
each client, server and service. It is a draft: it allows whatever was there, an intruder included. Each rule says how
often and when it was seen, and a person decides.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from analyzers.drafting.knowledge import Knowledge
from policy.modbus import joined_ranges
from policy.operation_words import CLASSES
from policy.public import public
from policy.services import BY_NAME, ICMP, ICMPV6, NAMED_OPERATIONS, TCP, UDP
from policy.values import IpNetwork
from policy.zoning import LOCAL_PREFIXES
from sensors.addresses import address_text

#: Ports of one client at one server that become rules of their own; more look like a scan and become one rule.
PORTS_LIMIT: Final = 16
_PREFIX: Final = {4: 24, 6: 64}
_OUTSIDE: Final = "outside"
#: What the decoder calls a layer that a service is wrapped in.
_WRAPPED: Final = {"mqtt-tls": "mqtt", "quic": "https", "websocket": "http"}
#: Who serves these stands at the machines.
_CONTROL: Final = frozenset(
    {"modbus", "s7comm", "enip", "dnp3", "iec104", "bacnet", "profinet", "fins", "melsec", "ads", "hart-ip"}
)

_HEAD: Final = """\
# Drafted by `geophone policy learn` from what was seen: it allows all of it, whoever it was. Review each rule,
# name zones and owners, set levels, and take out what should not be.
schema: 1
"""


@dataclass(slots=True)
class _Rule:
    client: str
    server: str
    service: str
    ip_proto: int
    port: int
    count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    limits: list[str] = field(default_factory=list)

    def see(self, row: dict[str, Any]) -> None:
        self.first_ns = min(self.first_ns or row["first_ns"], row["first_ns"])
        self.last_ns = max(self.last_ns, row["last_ns"])
        self.count += row["count"]


class Draft:
    """The draft of one site's policy."""

    def __init__(self, seen: Knowledge) -> None:
        self._unit, self._knows_reads = seen.unit, seen.knows_reads
        self._talks = [row for row in seen.talks().iter_rows(named=True) if _crossable(row)]
        self._asked = seen.modbus()
        self._done = seen.operations()
        addresses = {row[side] for row in self._talks for side in ("client_ip", "server_ip")}
        self._zones = _zones(addresses, self._talks)
        self._zone_of = {address: zone for zone, members in self._zones.items() for address in members}

    def yaml(self, site_id: str, *, name: str, tz: str) -> str:
        """The policy's text."""
        parts = [
            _HEAD,
            f"site: {{id: {site_id}, name: {_quoted(name)}, tz: {tz}}}\n\nzones:\n",
            *self._zone_lines(),
            "\nconduits:" + ("\n" if self._pairs() else " []\n"),
            *self._conduit_lines(),
        ]
        return "".join(parts)

    def counts(self) -> dict[str, int]:
        """How many zones, conduits and rules."""
        pairs = self._pairs()
        return {"zones": len(self._zones), "conduits": len(pairs), "rules": sum(map(len, pairs.values()))}

    def _zone_lines(self) -> Iterator[str]:
        for zone, members in self._zones.items():
            serving = {
                row["service"] for row in self._talks if row["server_ip"] in members and row["service"]
            }
            level = 5 if zone == _OUTSIDE else 2 if serving & _CONTROL else 3
            cidrs = sorted({_network(address, zone) for address in members}, key=lambda n: (n.version, n))
            internet = ", internet: allow" if zone == _OUTSIDE else ""
            yield f"# {len(members)} addresses seen. The level is a guess.\n"
            yield (
                f"- {{id: {zone}, purdue: {level}, cidrs: [{', '.join(_quoted(str(one)) for one in cidrs)}]"
                f"{internet}}}\n"
            )

    def _pairs(self) -> dict[tuple[str, str], list[_Rule]]:
        """The rules of each pair of zones."""
        rules: dict[tuple[str, str, str, int, int], _Rule] = {}
        for row in self._rows():
            key = (row["client"], row["server"], row["service"], row["ip_proto"], row["server_port"])
            rule = rules.setdefault(
                key, _Rule(row["client"], row["server"], row["service"], row["ip_proto"], row["server_port"])
            )
            rule.see(row)
            if rule.service == "modbus" and not rule.limits:
                rule.limits = self._modbus_limits(row)
            if rule.service in NAMED_OPERATIONS and not rule.limits:
                rule.limits = self._operation_limits(row)
        pairs: dict[tuple[str, str], list[_Rule]] = {}
        zones = {address_text(address): zone for address, zone in self._zone_of.items()}
        for key in sorted(rules):
            rule = rules[key]
            pairs.setdefault((zones[rule.client], zones[rule.server]), []).append(rule)
        return dict(sorted(pairs.items()))

    def _rows(self) -> Iterator[dict[str, Any]]:
        """Conversations that cross, as rules name them."""
        crossing = [
            row for row in self._talks if self._zone_of[row["client_ip"]] != self._zone_of[row["server_ip"]]
        ]
        named: dict[tuple[bytes, bytes, int, int], set[str]] = {}
        ports: dict[tuple[bytes, bytes, int], set[int]] = {}
        for row in crossing:
            place = row["client_ip"], row["server_ip"], row["ip_proto"], row["server_port"]
            service = _service(row)
            if service:
                named.setdefault(place, set()).add(service)
            ports.setdefault(place[:3], set()).add(row["server_port"])
        for row in crossing:
            place = row["client_ip"], row["server_ip"], row["ip_proto"], row["server_port"]
            service = _service(row)
            others = named.get(place, set())
            if not service and others and not row["unrecognised"]:
                # Minutes before it was recognised, or without payload: the rule with the service holds them.
                service = sorted(others)[0]
            many = not service and len(ports[place[:3]]) > PORTS_LIMIT
            yield row | {
                "client": address_text(row["client_ip"]),
                "server": address_text(row["server_ip"]),
                "service": service,
                "server_port": 0 if many else row["server_port"],
            }

    def _modbus_limits(self, row: dict[str, Any]) -> list[str]:
        """What was asked for, as a rule limits it."""
        asked = self._asked.filter(
            (pl.col("client_ip") == row["client_ip"])
            & (pl.col("server_ip") == row["server_ip"])
            & (pl.col("server_port") == row["server_port"])
        )
        if asked.is_empty():
            return []
        limits = [f"units: {sorted(asked['unit'].unique())}"]
        if functions := sorted(asked["function"].drop_nulls().unique()):
            limits.append(f"functions: {functions}")
        if asked["unlimited"].any() or asked["function"].max() == 0:
            return limits
        for side in ("read", "write") if self._knows_reads else ("write",):
            ranges = asked.select(f"{side}_first", f"{side}_last").drop_nulls().rows()
            limits.append(f"{side}: [{', '.join(f'[{a}, {b}]' for a, b in joined_ranges(ranges))}]")
        return limits

    def _operation_limits(self, row: dict[str, Any]) -> list[str]:
        """What was done, as a rule names it: what only looks by its class, what writes or changes by its name."""
        client, server, port = row["client_ip"], row["server_ip"], row["server_port"]
        asks = (
            (pl.col("client_ip") == client)
            & (pl.col("server_ip") == server)
            & (pl.col("server_port") == port)
        )
        # Who opened the conversation may be asked in it, too.
        is_asked = (
            (pl.col("client_ip") == server)
            & (pl.col("server_ip") == client)
            & (pl.col("client_port") == port)
        )
        done = self._done.filter((pl.col("service") == _service(row)) & (asks | is_asked))
        if done.is_empty():
            return []
        kinds = set(done["operation_class"]) & {"read", "write", "discover"}
        names = done.filter(~pl.col("operation_class").is_in([*kinds, "session"]))["operation"]
        words = [kind for kind in CLASSES if kind in kinds]
        return [f"operations: [{', '.join([*words, *map(_quoted, sorted(set(names)))])}]"]

    def _conduit_lines(self) -> Iterator[str]:
        number = 0
        for (client_zone, server_zone), rules in self._pairs().items():
            yield f"- id: {f'c-{client_zone}-{server_zone}'[:64]}\n"
            yield f"  from: {client_zone}\n  to: {server_zone}\n  allow:\n"
            for rule in rules:
                number += 1
                yield from _rule_lines(f"r{number}", rule, self._unit)


def _rule_lines(id: str, rule: _Rule, unit: str) -> Iterator[str]:  # noqa: A002 - the policy's own word
    when = f"{_utc(rule.first_ns)} to {_utc(rule.last_ns)} UTC"
    yield f"  # Seen in {rule.count} {unit}, {when}.\n" if rule.last_ns else "  # Accepted, not seen.\n"
    keys = [f"id: {id}", f"src: [{_quoted(rule.client)}]", f"dst: [{_quoted(rule.server)}]"]
    if rule.service:
        keys.append(f"service: {rule.service}")
    if rule.port and rule.ip_proto in (TCP, UDP):
        keys.append(f"port: {rule.port}")
    if rule.ip_proto in (TCP, UDP):
        keys.append(f"transport: {'tcp' if rule.ip_proto == TCP else 'udp'}")
    keys += [*rule.limits, 'reason: "seen, to be reviewed"', "owner: unknown"]
    yield f"  - {{{', '.join(keys)}}}\n"


def _service(row: dict[str, Any]) -> str:
    """The name that a rule has for what was recognised; empty where it has none."""
    if row["ip_proto"] in (ICMP, ICMPV6):
        return "icmp"
    service = _WRAPPED.get(row["service"], row["service"])
    known = BY_NAME.get(service)
    return service if known is not None and row["ip_proto"] in known.ip_protos else ""


def _crossable(row: dict[str, Any]) -> bool:
    """Both addresses can be in a zone: none stays on its link."""
    return not any(_local(row[side]) for side in ("client_ip", "server_ip"))


def _local(address: bytes) -> bool:
    ip = ipaddress.ip_address(address_text(address))
    return any(ip in network for network in LOCAL_PREFIXES if network.version == ip.version)


def _zones(addresses: set[bytes], talks: Sequence[dict[str, Any]]) -> dict[str, set[bytes]]:
    """Zone ids and the addresses seen in each: private networks by number, then everything public."""
    ordered = sorted(addresses)
    if not ordered:
        return {}
    is_public = dict(zip(ordered, public(pl.Series(ordered, dtype=pl.Binary)), strict=True))
    networks: dict[IpNetwork, set[bytes]] = {}
    for address in ordered:
        if not is_public[address]:
            networks.setdefault(_network(address, ""), set()).add(address)
    zones = {_zone_id(network): members for network, members in networks.items()}
    if outside := {address for address in ordered if is_public[address]}:
        zones[_OUTSIDE] = outside
    return zones


def _network(address: bytes, zone: str) -> IpNetwork:
    """The network that an address is taken to be of; outside it is the address alone."""
    ip = ipaddress.ip_address(address_text(address))
    length = ip.max_prefixlen if zone == _OUTSIDE else _PREFIX[ip.version]
    return ipaddress.ip_network(f"{ip}/{length}", strict=False)


def _zone_id(network: IpNetwork) -> str:
    text = str(network.network_address)
    return "z-" + text.removesuffix(".0").replace(".", "-").replace("::", "").replace(":", "-")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _utc(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}"
