"""The operations that rules can limit: one protocol a file, registered here."""

from __future__ import annotations

from typing import Final

from policy.operations.base import Operations
from policy.operations.modbus import ModbusOperations

OPERATIONS: Final[tuple[Operations, ...]] = (ModbusOperations(),)
