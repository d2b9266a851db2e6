"""Mine to port, the second site: its zones and stations as the drawings have them.

A mine, a concentrator, a port terminal and the substations that feed them, run from one control room, with the
operations' servers above it and one way in for vendors.
"""

from __future__ import annotations

from typing import Final

from pcaps.lab.site import Plan, Station, Zone

NAME: Final = "Mine to port"

ZONES: Final = (
    Zone("vendor", "203.0.113", 110, 14_000),
    Zone("enterprise", "10.140.0", 120, 2_100),
    Zone("remote", "10.136.0", 130, 90),
    Zone("dmz", "10.135.0", 140, 90),
    Zone("operations", "10.130.0", 150, 110),
    Zone("supervisory", "10.125.0", 160, 120),
    Zone("mine", "10.121.0", 170, 1_400),
    Zone("plant", "10.120.0", 180, 310),
    Zone("port", "10.123.0", 190, 4_800),
    Zone("energy", "10.122.0", 200, 900),
)

STATIONS: Final = (
    Station("acme-ws1", "vendor", 5, 0x60),
    Station("erp1", "enterprise", 20, 0x64),
    Station("ent-ws4", "enterprise", 74, 0x65),
    Station("vpn1", "remote", 5, 0x68),
    Station("jump1", "dmz", 20, 0x6C),
    Station("mirror1", "dmz", 10, 0x6D),
    Station("hist1", "operations", 10, 0x70),
    Station("mes1", "operations", 20, 0x71),
    Station("mq1", "operations", 30, 0x72),
    Station("dns1", "operations", 53, 0x73),
    Station("scada1", "supervisory", 20, 0x78),
    Station("hmi-mine", "supervisory", 21, 0x79),
    Station("hmi-plant", "supervisory", 22, 0x7A),
    Station("hmi-port", "supervisory", 23, 0x7B),
    Station("ews1", "supervisory", 40, 0x7C),
    Station("crusher1", "mine", 11, 0x80, timestamps=False),
    Station("belt1", "mine", 12, 0x81, timestamps=False),
    Station("mill1", "plant", 11, 0x88, ack_delay_ms=0, timestamps=False),
    Station("flotation1", "plant", 12, 0x89, timestamps=False),
    Station("thickener1", "plant", 31, 0x8A),
    Station("vibration1", "plant", 41, 0x8B),
    Station("loader1", "port", 11, 0x90, timestamps=False),
    Station("crane1", "port", 41, 0x91),
    Station("port-lap7", "port", 87, 0x97),
    Station("relay1", "energy", 11, 0xA0, timestamps=False),
    Station("meter1", "energy", 12, 0xA1, timestamps=False),
)

PLAN: Final = Plan(
    zones=ZONES,
    stations=STATIONS,
    controllers={
        "crusher1": 14,
        "belt1": 12,
        "mill1": 11,
        "flotation1": 9,
        "loader1": 16,
        "relay1": 6,
        "meter1": 26,
    },
    clock_and_names="dns1",
    ports_a_client=600,
)
