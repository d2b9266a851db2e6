"""Observations and flows in; what there is on the network out: one asset an IP address, or a MAC address without one.

An observation of an IP address is that asset's; one of a MAC address alone is told of every asset that claimed its
address with it (ARP, neighbour discovery, DHCP, LLDP). What no protocol tells is inferred, and says so: a vendor
from the MAC address's registered half, an operating system from the time to live that its packets start with.
Values are as devices say them: nothing here is proved, and two answers are both shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

import polars as pl
import pyarrow as pa

from analyzers.endpoints import Endpoints
from analyzers.frames import frame_of
from analyzers.vendors import vendor_of
from policy.traffic import table_schema
from policy.zoning import CompiledSite
from sensors.addresses import address_text, mac_text
from sensors.records import FLOWS, OBSERVATIONS, OPERATIONS

#: Observations of a capture that are kept; the engine gives each thing once.
OBSERVATIONS_KEPT: Final = 262_144

#: Assets that are listed.
ASSETS_KEPT: Final = 65_536

#: Values of one kind of one asset that are listed.
VALUES_KEPT: Final = 32

#: An address's MAC addresses by its flows count only where few addresses share them, and where it is not known to be
#: behind a router, whose MAC address that would be.
_SHARED_BY: Final = 2

#: What changes a device's program or state: who does it is an engineering station.
_ENGINEERING: Final = frozenset({"program", "start", "stop", "restart", "configure"})

#: What systems start their packets' time to live from.
_SYSTEMS: Final = {
    "64": "Linux, macOS or an embedded system",
    "128": "Windows",
    "255": "a switch, a router or a real-time system",
    "32": "an old or embedded system",
}

#: Services whose servers and clients are roles of their own.
_ROLES: Final = {
    "modbus": "Modbus",
    "modbus-rtu": "Modbus RTU",
    "opcua": "OPC UA",
    "mqtt": "MQTT",
    "mqtt-tls": "MQTT",
    "s7comm": "S7",
    "enip": "EtherNet/IP",
    "dnp3": "DNP3",
    "iec104": "IEC 104",
    "bacnet": "BACnet",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One value, and the protocols that told it."""

    value: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """What is known of one device. Everything is in a fixed order."""

    ip: str  #: empty for a device that is only seen below IP
    macs: tuple[str, ...]
    names: tuple[Told, ...]
    vendor: tuple[Told, ...]
    model: tuple[Told, ...]
    firmware: tuple[Told, ...]
    system: tuple[Told, ...]
    roles: tuple[Told, ...]
    #: Everything else that it was told of, by kind.
    more: Mapping[str, tuple[Told, ...]]
    #: `service/port`, of what it answered; a service that is only known by its port has a question mark.
    offers: tuple[str, ...]
    uses: tuple[str, ...]
    #: More than one MAC address has claimed its IP address.
    conflict: bool
    zone: str
    first_seen: datetime
    last_seen: datetime


@dataclass(slots=True)
class _Draft:
    """An asset while it is put together: kind -> value -> sources."""

    ip: bytes
    told: dict[str, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    claimed: set[int] = field(default_factory=set)
    seen_at: set[int] = field(default_factory=set)
    offers: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None

    def seen(self, first: datetime, last: datetime) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def tell(self, kind: str, value: str, source: str) -> None:
        values = self.told[kind]
        if value in values or len(values) < VALUES_KEPT:
            values[value].add(source)


class Inventory:
    """Takes a capture's batches; says what there is. The order and the size of batches change nothing."""

    def __init__(self, *, observations_kept: int = OBSERVATIONS_KEPT, assets_kept: int = ASSETS_KEPT) -> None:
        self._observations_kept = observations_kept
        self._assets_kept = assets_kept
        self._observed = pl.DataFrame(schema=table_schema(OBSERVATIONS))
        self._endpoints = Endpoints()
        self._engineers: set[bytes] = set()
        self._observations_lost = 0
        self._assets_lost = 0

    @property
    def not_kept(self) -> int:
        """Observations, services and assets that there was no room for."""
        return self._observations_lost + self._endpoints.not_kept + self._assets_lost

    def add(self, batches: Mapping[str, pa.RecordBatch]) -> None:
        """Take one batch of decoded rows by table name."""
        self._endpoints.add(frame_of(batches, FLOWS))
        seen = frame_of(batches, OBSERVATIONS)
        room = max(self._observations_kept - self._observed.height, 0)
        self._observations_lost += max(seen.height - room, 0)
        self._observed.extend(seen.head(room))
        operations = frame_of(batches, OPERATIONS)
        if not operations.is_empty():
            changing = operations.filter(pl.col("operation_class").is_in(list(_ENGINEERING)))
            for client in changing["client_ip"].unique(maintain_order=True):
                if len(self._engineers) < self._assets_kept:
                    self._engineers.add(client)

    def assets(self, site: CompiledSite | None = None) -> list[Asset]:
        """Every asset, by address; with a site, in which zone."""
        self._assets_lost = 0
        drafts: dict[bytes, _Draft] = {}
        by_mac: dict[int, _Draft] = {}
        observed = list(self._observed.iter_rows(named=True))
        owners: dict[int, set[bytes]] = defaultdict(set)
        for row in observed:
            if row["kind"] == "address" and _is_device(row["ip"]) and row["mac"]:
                self._draft(drafts, row["ip"]).claimed.add(row["mac"])
                owners[row["mac"]].add(row["ip"])
        for row in observed:
            self._place(row, drafts, by_mac, owners)
        self._add_endpoints(drafts)
        for ip in self._engineers & drafts.keys():
            drafts[ip].tell("role", "engineering station", "operations")
        made = [*drafts.values(), *by_mac.values()]
        finished = [
            _finish(draft, site, draft.first, draft.last) for draft in made if draft.first and draft.last
        ]
        return sorted(finished, key=_order)

    def _draft(self, drafts: dict[bytes, _Draft], ip: bytes) -> _Draft:
        """The asset of an address; without room a draft that nobody lists."""
        known = drafts.get(ip)
        if known is None:
            known = _Draft(ip)
            if len(drafts) < self._assets_kept:
                drafts[ip] = known
            else:
                self._assets_lost += 1
        return known

    def _place(
        self,
        row: Mapping[str, Any],
        drafts: dict[bytes, _Draft],
        by_mac: dict[int, _Draft],
        owners: Mapping[int, set[bytes]],
    ) -> None:
        """Tell an observation of the assets that it is of."""
        if _is_device(row["ip"]):
            of: Iterable[_Draft] = [self._draft(drafts, row["ip"])]
        elif row["mac"] in owners:
            of = [drafts[ip] for ip in sorted(owners[row["mac"]]) if ip in drafts]
        elif row["mac"]:
            if row["mac"] not in by_mac and len(by_mac) >= self._assets_kept:
                self._assets_lost += 1
                return
            draft = by_mac.setdefault(row["mac"], _Draft(bytes(16)))
            draft.claimed.add(row["mac"])
            of = [draft]
        else:
            return
        for draft in of:
            draft.seen(row["ts"], row["ts"])
            if row["kind"] != "address":
                draft.tell(row["kind"], row["value"], row["source"])

    def _add_endpoints(self, drafts: dict[bytes, _Draft]) -> None:
        for row in self._endpoints.services().iter_rows(named=True):
            if not _is_device(row["ip"]):
                continue
            draft = self._draft(drafts, row["ip"])
            draft.seen(row["first_seen"], row["last_seen"])
            name = row["service"] or {6: "tcp", 17: "udp"}.get(row["ip_proto"], f"ip-{row['ip_proto']}")
            doubt = "" if row["sure"] or not row["service"] else "?"
            listed = draft.offers if row["offered"] else draft.uses
            if len(listed) < VALUES_KEPT:
                listed.add(f"{name}{doubt}/{row['port']}" if row["port"] else f"{name}{doubt}")
            role = _ROLES.get(row["service"])
            if role and row["sure"]:
                draft.tell("role", _role(role, offered=row["offered"]), "flows")
        senders = self._endpoints.senders()
        shared = senders.group_by("mac").len().filter(pl.col("len") > _SHARED_BY)["mac"]
        own = senders.filter(~pl.col("mac").is_in(shared.implode()))
        for ip, mac in own.select("ip", "mac").iter_rows():
            if ip in drafts and _is_near(drafts[ip]):
                drafts[ip].seen_at.add(mac)


def _is_device(ip: bytes) -> bool:
    """True for an address that one device has, loopback and "this network" left out; link-local ones are devices'."""
    address = IPv6Address(ip)
    plain = address.ipv4_mapped or address
    return not (
        plain.is_multicast or plain.is_unspecified or plain.is_loopback or plain.packed == b"\xff" * 4
    )


def _role(of: str, *, offered: bool) -> str:
    if not offered:
        return f"{of} client"
    return "MQTT broker" if of == "MQTT" else f"{of} server"


def _is_near(draft: _Draft) -> bool:
    """False where its packets have passed a router."""
    distances = draft.told.get("distance", {})
    return not distances or any(distance.startswith("0 of ") for distance in distances)


def _listed(values: Mapping[str, set[str]]) -> tuple[Told, ...]:
    return tuple(Told(value, tuple(sorted(sources))) for value, sources in sorted(values.items()))


def _finish(draft: _Draft, site: CompiledSite | None, first: datetime, last: datetime) -> Asset:
    told = {kind: _listed(values) for kind, values in sorted(draft.told.items())}
    macs = sorted(draft.claimed or draft.seen_at)
    vendors = told.pop("vendor", ())
    if not vendors:
        registered = sorted({name for mac in macs if (name := vendor_of(mac_text(mac)))})
        vendors = tuple(Told(name, ("oui",)) for name in registered)
    distances = told.get("distance", ())
    systems = told.pop("operating_system", ())
    if not systems:
        starts = [distance.value.split()[2] for distance in distances if len(distance.value.split()) == 4]
        systems = tuple(Told(_SYSTEMS[start], ("ttl",)) for start in starts if start in _SYSTEMS)
    names = (*told.pop("host_name", ()), *told.pop("domain_name", ()))
    no_address = not any(draft.ip)
    return Asset(
        ip="" if no_address else address_text(draft.ip),
        macs=tuple(map(mac_text, macs)),
        names=_united(names),
        vendor=vendors,
        model=_united((*told.pop("model", ()), *told.pop("product_name", ()))),
        firmware=told.pop("firmware", ()),
        system=systems,
        roles=told.pop("role", ()),
        more=told,
        offers=tuple(sorted(draft.offers)),
        uses=tuple(sorted(draft.uses)),
        conflict=len(draft.claimed) > 1,
        zone="" if site is None or no_address else site.zone_of(draft.ip),
        first_seen=first,
        last_seen=last,
    )


def _united(values: Iterable[Told]) -> tuple[Told, ...]:
    """One entry a value, its sources together, in the order of first mention."""
    sources: dict[str, set[str]] = {}
    for told in values:
        sources.setdefault(told.value, set()).update(told.sources)
    return tuple(Told(value, tuple(sorted(of))) for value, of in sources.items())


def _order(asset: Asset) -> tuple[bool, int, bytes, tuple[str, ...]]:
    if not asset.ip:
        return (True, 0, b"", asset.macs)
    address = ip_address(asset.ip)
    return (False, address.version, address.packed, asset.macs)
