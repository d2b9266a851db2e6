"""A conversation in; the rules that allow it, or the one that came closest, out. The one place that matches rules.

A verdict depends on an address only through the rules that name it, and on a port only if a rule names it. So
addresses and ports are first put into classes, whole columns at a time, and each combination of classes is judged
once: a scan of a million addresses that no rule names is one combination.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from policy.lookup import intervals_of
from policy.model import AllowRule, Asset, Conduit, Site
from policy.prefixes import PrefixMap
from policy.services import BY_NAME, TCP, UDP
from policy.values import IpNetwork

#: Stands for every port that no rule and no service has.
OTHER_PORT: Final = 0
_TRANSPORTS: Final = {"tcp": TCP, "udp": UDP}

_Selector = int
_Class = tuple[_Selector, ...]


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """An allow-rule with its conduit; `number` is its place in the file, from 0."""

    number: int
    rule: AllowRule
    conduit: str
    src: frozenset[_Selector] | None
    dst: frozenset[_Selector] | None
    ip_protos: tuple[int, ...] | None

    def mismatches(self, key: Key) -> tuple[str, ...]:
        """What of a conversation this rule does not allow: source, destination, transport, service, port."""
        service_fits, port_fits = self._service_and_port(key)
        fits = (
            ("source", self.src is None or not self.src.isdisjoint(key.src)),
            ("destination", self.dst is None or not self.dst.isdisjoint(key.dst)),
            ("transport", self.ip_protos is None or key.ip_proto in self.ip_protos),
            ("service", service_fits),
            ("port", port_fits),
        )
        return tuple(name for name, fit in fits if not fit)

    def _service_and_port(self, key: Key) -> tuple[bool, bool]:
        """A decoded protocol is what it is on any port; an undecoded one is what its port says, so far."""
        port_named = self.rule.port is None or self.rule.port == key.port
        if self.rule.service is None:
            return True, port_named
        service = BY_NAME[self.rule.service]
        if key.decoded:
            return key.service in (service.name, *service.seen_as), port_named
        usual = self.rule.port is not None or not service.ports or key.port in service.ports
        fits = port_named and usual
        return fits, fits

    def wants(self, fields: tuple[str, ...]) -> str:
        """What the rule is for, in the fields that did not match: `only from hist1 and on port 502`."""
        rule = self.rule
        usual = BY_NAME[rule.service].ports if rule.service else ()
        ports = str(rule.port) if rule.port else " or ".join(map(str, usual))
        words = {
            "source": f"from {', '.join(rule.src or ())}",
            "destination": f"to {', '.join(rule.dst or ())}",
            "transport": f"over {'UDP' if self.ip_protos == (UDP,) else 'TCP' if self.ip_protos == (TCP,) else 'ICMP'}",
            "service": f"for {rule.service}",
            "port": f"on port {ports}",
        }
        return "only " + " and ".join(words[field] for field in fields)


@dataclass(frozen=True, slots=True)
class Key:
    """A conversation as far as rules can tell: the classes of its addresses, its port and its service."""

    conduit: str
    src: _Class
    dst: _Class
    ip_proto: int
    port: int
    service: str
    decoded: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the conduit's rules say of a conversation."""

    rules: tuple[CompiledRule, ...]  #: those that allow it, in the order of the file
    nearest: str  #: where none does: the rule that came closest and what it is for; empty without rules
    expected: str  #: the decodable service that all allowing rules take this undecoded port for
    limited: bool  #: there are allowing rules, and each of them limits operations

    @property
    def allowed(self) -> bool:
        """At least one rule allows the conversation."""
        return bool(self.rules)


@dataclass(slots=True)
class _Postings:
    """Rules by what they name, so that one question looks at a handful of them however many there are."""

    first: CompiledRule | None = None
    by_both: dict[tuple[str | None, int | None], CompiledRule] = field(default_factory=dict)
    by_service: dict[str | None, CompiledRule] = field(default_factory=dict)
    by_port: dict[int | None, list[CompiledRule]] = field(default_factory=dict)

    def add(self, rule: CompiledRule) -> None:
        self.first = self.first or rule
        self.by_both.setdefault((rule.rule.service, rule.rule.port), rule)
        self.by_service.setdefault(rule.rule.service, rule)
        self.by_port.setdefault(rule.rule.port, []).append(rule)

    def on_port(self, port: int) -> Iterator[CompiledRule]:
        """Rules for this port and rules without one."""
        yield from self.by_port.get(port, ())
        yield from self.by_port.get(None, ())

    def near(self, service: str, port: int) -> Iterator[CompiledRule]:
        """One rule of each way to come close."""
        for name in (service, None):
            for number in (port, None):
                if (name, number) in self.by_both:
                    yield self.by_both[name, number]
            if name in self.by_service:
                yield self.by_service[name]
        for number in (port, None):
            yield from self.by_port.get(number, ())[:1]
        if self.first:
            yield self.first


_Place = tuple[str, _Selector | None, _Selector | None]
_ANYONE: Final = -1


class RuleBook:
    """All rules of a site, compiled; verdicts are kept for as long as it lives, one a combination of classes."""

    def __init__(self, site: Site) -> None:
        assets = {asset.id: asset for asset in site.assets}
        self._selectors: dict[IpNetwork, _Selector] = {}
        self.rules = tuple(
            self._compile(number, conduit, rule, assets)
            for number, (conduit, rule) in enumerate((c, r) for c in site.conduits for r in c.allow)
        )
        #: Whether any of them limits operations that it names.
        self.name_operations = any(rule.rule.operations is not None for rule in self.rules)
        self._map = PrefixMap(self._selectors.items())
        self._classes, self._class_of_interval = _distinct(self._map.covering)
        self._ports = {rule.rule.port for rule in self.rules if rule.rule.port} | {
            port for service in BY_NAME.values() for port in service.ports
        }
        self._postings: dict[_Place, _Postings] = {}
        for rule in self.rules:
            self._post(rule)
        self._verdicts: dict[Key, int] = {}
        #: Every verdict given so far; columns of verdicts hold indexes into it.
        self.verdicts: list[Verdict] = []

    def _compile(
        self, number: int, conduit: Conduit, rule: AllowRule, assets: Mapping[str, Asset]
    ) -> CompiledRule:
        protos: tuple[int, ...] | None = (_TRANSPORTS[rule.transport],) if rule.transport else None
        if protos is None and rule.service:
            protos = BY_NAME[rule.service].ip_protos
        return CompiledRule(
            number,
            rule,
            conduit.id,
            self._selected(rule.src, assets),
            self._selected(rule.dst, assets),
            protos,
        )

    def _selected(
        self, names: tuple[str, ...] | None, assets: Mapping[str, Asset]
    ) -> frozenset[_Selector] | None:
        """The selectors of a rule's side; an asset without an address selects nothing."""
        if names is None:
            return None
        networks: list[IpNetwork] = []
        for name in names:
            asset = assets.get(name)
            if asset is None:
                networks.append(ipaddress.ip_network(name))
            elif asset.ip is not None:
                networks.append(ipaddress.ip_network(asset.ip))
        return frozenset(self._selectors.setdefault(network, len(self._selectors)) for network in networks)

    def _post(self, rule: CompiledRule) -> None:
        sources = rule.src if rule.src is not None else (None,)
        destinations = rule.dst if rule.dst is not None else (None,)
        places = {(rule.conduit, s, d) for s in sources for d in destinations}
        places |= {(rule.conduit, s, _ANYONE) for s in sources} | {
            (rule.conduit, _ANYONE, d) for d in destinations
        }
        for place in (*places, (rule.conduit, _ANYONE, _ANYONE)):
            self._postings.setdefault(place, _Postings()).add(rule)

    def classes_of(self, addresses: pl.Series) -> pl.Series:
        """The class of each address: Binary(16) in, UInt32 out; 0 is the class of addresses no rule names."""
        return self._class_of_interval.gather(intervals_of(self._map, addresses)).rename(addresses.name)

    def class_of(self, address: bytes) -> int:
        """The class of one address of 16 bytes."""
        return int(self._class_of_interval[self._map.interval(address)])

    def selectors_of(self, address: bytes) -> tuple[int, ...]:
        """The selectors of all rules that hold one address of 16 bytes."""
        return self._map.at(address)

    def judge(
        self,
        conduit: str,
        client_class: int,
        server_class: int,
        ip_proto: int,
        port: int,
        service: str,
        decoded: bool,
    ) -> int:
        """The index in `verdicts` of what the conduit's rules say of a conversation.

        `decoded`: the service was recognised in the bytes, not guessed from the port.
        """
        src, dst = self._classes[client_class], self._classes[server_class]
        port = port if port in self._ports else OTHER_PORT
        key = Key(conduit, src, dst, ip_proto, port, service if decoded else "", decoded)
        if key not in self._verdicts:
            self._verdicts[key] = len(self.verdicts)
            self.verdicts.append(self._judge(key))
        return self._verdicts[key]

    def judge_rows(self, rows: pl.DataFrame) -> pl.Series:
        """The verdict index of each row, UInt32, null where `conduit` is empty; each combination judged once.

        Columns used: conduit, client_ip, server_ip, ip_proto, server_port, service, decoded.
        """
        ports = pl.Series("port", sorted(self._ports), dtype=pl.UInt16)
        keyed = rows.select(
            "conduit",
            self.classes_of(rows["client_ip"]).alias("client_class"),
            self.classes_of(rows["server_ip"]).alias("server_class"),
            "ip_proto",
            pl.when(pl.col("server_port").is_in(ports.implode()))
            .then("server_port")
            .otherwise(pl.lit(OTHER_PORT, pl.UInt16))
            .alias("port"),
            pl.when("decoded").then("service").otherwise(pl.lit("")).alias("service"),
            "decoded",
        )
        distinct = keyed.unique().filter(pl.col("conduit") != "")
        verdicts = [self.judge(*key) for key in distinct.iter_rows()]
        table = distinct.with_columns(pl.Series("verdict", verdicts, dtype=pl.UInt32))
        return keyed.join(table, on=keyed.columns, how="left", maintain_order="left")["verdict"]

    def allow_rows(self, rows: pl.DataFrame) -> pl.Series:
        """Whether a rule allows each row's conversation as such, Boolean; the columns of `judge_rows`."""
        numbers = self.judge_rows(rows)
        allowed = pl.Series([verdict.allowed for verdict in self.verdicts], dtype=pl.Boolean)
        return allowed.gather(numbers).fill_null(value=False)

    def _judge(self, key: Key) -> Verdict:
        allowing = {
            rule.number: rule
            for place in self._places(key)
            for rule in (self._postings[place].on_port(key.port) if place in self._postings else ())
            if not rule.mismatches(key)
        }
        rules = tuple(allowing[number] for number in sorted(allowing))
        expected = {rule.rule.service or "" for rule in rules}
        known = [name for name in expected if name and BY_NAME[name].decoded]
        return Verdict(
            rules=rules,
            nearest="" if rules else self._nearest(key),
            expected=known[0] if len(expected) == len(known) == 1 and not key.decoded else "",
            limited=bool(rules) and all(rule.rule.limits_operations for rule in rules),
        )

    def _places(self, key: Key) -> list[_Place]:
        return [(key.conduit, s, d) for s in (None, *key.src) for d in (None, *key.dst)]

    def _nearest(self, key: Key) -> str:
        """The rule with the fewest mismatches, the first in the file among equals, and what it is for."""
        places = [
            *self._places(key),
            *((key.conduit, s, _ANYONE) for s in (None, *key.src)),
            *((key.conduit, _ANYONE, d) for d in (None, *key.dst)),
            (key.conduit, _ANYONE, _ANYONE),
        ]
        best: tuple[int, int, str] | None = None
        for place in places:
            for rule in self._postings[place].near(key.service, key.port) if place in self._postings else ():
                mismatches = rule.mismatches(key)
                found = len(mismatches), rule.number, f"{rule.rule.id}: {rule.wants(mismatches)}"
                best = found if best is None else min(best, found)
        return best[2] if best else ""


def _distinct(covering: list[_Class]) -> tuple[list[_Class], pl.Series]:
    """Intervals that the same selectors cover are one class; class 0 is covered by none."""
    numbers: dict[_Class, int] = {(): 0}
    of_interval = [numbers.setdefault(values, len(numbers)) for values in covering]
    return list(numbers), pl.Series(of_interval, dtype=pl.UInt32)
