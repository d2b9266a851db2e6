"""Until when the requests of an interface that goes on are known: those that nobody answered are told of late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policy.violations import MINUTE_NS
from sensors.engine import EngineLimits

_SECOND_NS: Final = 1_000_000_000


class Waits:
    """How long the decoder waits for an answer; until it tells of the request it is as if nobody had asked.

    It gives a request up with the next packet of the flow that comes after its patience, or when the minute of that
    packet is over: a minute later at most, as long as the flow goes on.
    """

    def __init__(self, limits: EngineLimits | None = None) -> None:
        """`limits`: those of the decoder."""
        limits = limits or EngineLimits()
        self._of: Mapping[str, int] = {
            "modbus": limits.modbus_pending_s,
            "opcua": limits.opcua_pending_s,
            "mqtt": limits.mqtt_pending_s,
        }
        self._others_s = limits.operation_pending_s

    def known_to_ns(self, service: str, now_ns: int, seen_to_ns: int) -> int:
        """Until when it is known what was asked of a service, and that the sensor saw it.

        `now_ns`: the last packet; `seen_to_ns`: the end of the last minute that the decoder counted.
        """
        patience_ns = self._of.get(service, self._others_s) * _SECOND_NS
        return min(seen_to_ns, now_ns - patience_ns - MINUTE_NS)
