"""Every protocol that is compared message by message: one module each, declared in `PROTOCOLS`."""

from __future__ import annotations

from typing import Final

from sensors.crosscheck.mapping import Protocol
from sensors.crosscheck.protocols.modbus import MODBUS

PROTOCOLS: Final[tuple[Protocol, ...]] = (MODBUS,)
