"""The synthetic captures: one file a story, SCENARIOS names them all."""

from __future__ import annotations

from typing import Final

from pcaps.lab.scenarios import (
    clock_off,
    conduit_misuse,
    degraded_link,
    gap_and_duplicates,
    mqtt_misuse,
    mqtt_proper,
    normal_shift,
    opcua_certificate,
    opcua_exposed,
    opcua_new_work,
    opcua_protected,
    pump_b,
    remote_bypass,
    remote_hours,
    remote_pivot,
    remote_session,
    shift,
    sparkplug_broken,
)
from pcaps.lab.scenarios.base import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (
    normal_shift.SCENARIO,
    conduit_misuse.SCENARIO,
    degraded_link.SCENARIO,
    gap_and_duplicates.SCENARIO,
    shift.SCENARIO,
    shift.TWIN,
    opcua_protected.SCENARIO,
    opcua_exposed.SCENARIO,
    opcua_certificate.SCENARIO,
    opcua_new_work.SCENARIO,
    mqtt_proper.SCENARIO,
    mqtt_misuse.SCENARIO,
    sparkplug_broken.SCENARIO,
    clock_off.SCENARIO,
    remote_session.SCENARIO,
    remote_bypass.SCENARIO,
    remote_hours.SCENARIO,
    remote_pivot.SCENARIO,
    *pump_b.SCENARIOS,
)
