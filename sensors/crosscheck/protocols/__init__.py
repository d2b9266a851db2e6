"""Every protocol that is compared message by message: one module each, declared in `PROTOCOLS`."""

from __future__ import annotations

from typing import Final

from sensors.crosscheck.mapping import Protocol
from sensors.crosscheck.protocols.dns import DNS
from sensors.crosscheck.protocols.http import HTTP
from sensors.crosscheck.protocols.modbus import MODBUS, MODBUS_RTU, MODBUS_UDP
from sensors.crosscheck.protocols.mqtt import MQTT
from sensors.crosscheck.protocols.opcua import OPCUA
from sensors.crosscheck.protocols.operations import OPERATIONS

PROTOCOLS: Final[tuple[Protocol, ...]] = (
    MODBUS,
    MODBUS_UDP,
    MODBUS_RTU,
    OPCUA,
    MQTT,
    DNS,
    HTTP,
    *OPERATIONS,
)
