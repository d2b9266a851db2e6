"""Wireshark's names of application protocols and ours, where both have one."""

from __future__ import annotations

from typing import Final

#: Wireshark's name in `frame.protocols` -> ours in the `service` column.
SERVICES: Final = {
    "mbtcp": "modbus",
    "opcua": "opcua",
    "mqtt": "mqtt",
}
