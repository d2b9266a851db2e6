"""Wireshark's names of application protocols and ours, where both have one."""

from __future__ import annotations

from typing import Final

#: Wireshark's name in `frame.protocols` -> ours in the `service` column.
SERVICES: Final = {
    "mbtcp": "modbus",
    "mbudp": "modbus",
    "mbrtu": "modbus-rtu",
    "opcua": "opcua",
    "mqtt": "mqtt",
    "dns": "dns",
    "http": "http",
    "ssh": "ssh",
    "telnet": "telnet",
    "ftp": "ftp",
    "dhcp": "dhcp",
    "dhcpv6": "dhcp",
    "tftp": "tftp",
    "ntp": "ntp",
    "snmp": "snmp",
    "syslog": "syslog",
    "s7comm": "s7comm",
    "enip": "enip",
    "cip": "enip",
    "cipio": "enip",
    "dnp3": "dnp3",
    "iec60870_104": "iec104",
    "bacnet": "bacnet",
    "bacapp": "bacnet",
    "bvlc": "bacnet",
    "mms": "mms",
    "omron": "fins",
    "hart_ip": "hart-ip",
    "mdns": "mdns",
    "ssdp": "ssdp",
    "llmnr": "llmnr",
    "vnc": "vnc",
    "nbns": "netbios",
}
