"""What the plant consists of: zones, stations, addresses. Nothing here is built yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

#: Namespaces that are not stations: the control zone's switch and the router between the zones.
SWITCH: Final = "switch"
ROUTER: Final = "router"
#: The emulated link, under one name at either end.
LINK: Final = "link0"
#: Mirror ports. R: every port of the router, ingress only. C: every port of the control zone's switch, ingress only.
#: Double: the router's ports, ingress and egress, as a badly set SPAN has it.
SPAN_ROUTER: Final = "span-r"
SPAN_CONTROL: Final = "span-c"
SPAN_DOUBLE: Final = "span-double"
#: Namespace of each mirror port.
SPANS: Final = MappingProxyType({SPAN_ROUTER: ROUTER, SPAN_CONTROL: SWITCH, SPAN_DOUBLE: ROUTER})

MODBUS_PORT: Final = 502
OPCUA_PORT: Final = 4840
MQTT_PORT: Final = 1883
SSH_PORT: Final = 22
#: Pictures and trends: what estimators of loss and delay live on. Up and down with many segments on their way, and
#: bursts so far apart that each is acknowledged before the next.
UPLOAD_PORT: Final = 9000
DOWNLOAD_PORT: Final = 9001
BURST_PORT: Final = 9003
#: Connections that are opened and closed again.
KNOCK_PORT: Final = 9002


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's network; the router is its .1."""

    name: str
    network: str
    number: int

    @property
    def router_ip(self) -> str:
        """The router's address in the zone."""
        return f"{self.network}.1"

    @property
    def router_mac(self) -> str:
        """The router's port into the zone; the range is RFC 7042's, for documentation."""
        return f"00:00:5e:00:53:{0xE0 + self.number:02x}"


@dataclass(frozen=True, slots=True)
class Station:
    """A station of the plant, each in a namespace of its own."""

    name: str
    zone: str
    number: int

    @property
    def ip(self) -> str:
        """Its address."""
        return f"{ZONES[self.zone].network}.{self.number}"

    @property
    def mac(self) -> str:
        """Its hardware address; the range is RFC 7042's, for documentation."""
        return f"00:00:5e:00:53:{self.number:02x}"


CONTROL: Final = "control"

ZONES: Final[Mapping[str, Zone]] = MappingProxyType(
    {
        zone.name: zone
        for zone in (
            Zone(CONTROL, "10.61.1", 1),
            Zone("supervisory", "10.61.2", 2),
            Zone("operations", "10.61.3", 3),
            Zone("enterprise", "10.61.4", 4),
            Zone("vendor", "10.61.9", 9),
        )
    }
)

STATIONS: Final[Mapping[str, Station]] = MappingProxyType(
    {
        station.name: station
        for station in (
            Station("plc1", CONTROL, 11),
            Station("plc2", CONTROL, 12),
            Station("ua1", CONTROL, 13),
            Station("edge1", CONTROL, 14),
            Station("scada1", "supervisory", 20),
            Station("ua-client1", "supervisory", 21),
            Station("ews1", "supervisory", 22),
            Station("broker1", "operations", 30),
            Station("sub1", "operations", 31),
            Station("jump1", "operations", 32),
            Station("office1", "enterprise", 40),
            Station("vendor1", "vendor", 90),
        )
    }
)


def address(station: str) -> str:
    """The address of a station; KeyError where there is none of that name."""
    return STATIONS[station].ip
