"""The operations that rules can limit: one protocol a file, registered here."""

from __future__ import annotations

from typing import Final

from policy.operations.base import Operations
from policy.operations.modbus import ModbusOperations
from policy.operations.mqtt import MqttOperations
from policy.operations.named import NamedOperations
from policy.operations.opcua import OpcuaOperations

OPERATIONS: Final[tuple[Operations, ...]] = (
    ModbusOperations(),
    OpcuaOperations(),
    MqttOperations(),
    NamedOperations(),
)
