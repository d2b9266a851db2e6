"""Stories of pump station B, one thing each, with their benign twins."""

from __future__ import annotations

from typing import Final

from pcaps.lab.scenarios.base import Scenario
from pcaps.lab.scenarios.pump_b import (
    arp_flip,
    beacon,
    changes,
    connection_flood,
    dhcp,
    firmware_changed,
    forgotten_rules,
    lateral_tools,
    link_cut,
    link_phases,
    modbus_answers,
    modbus_diagnostics,
    modbus_exceptions,
    modbus_malformed,
    modbus_program,
    modbus_survey,
    modbus_values,
    network_scan,
    poll_flapping,
    sensor_silence,
    span,
    split_write,
    two_cards,
)

SCENARIOS: Final[tuple[Scenario, ...]] = (
    *split_write.SCENARIOS,
    *modbus_survey.SCENARIOS,
    *modbus_diagnostics.SCENARIOS,
    *modbus_exceptions.SCENARIOS,
    *modbus_malformed.SCENARIOS,
    *modbus_values.SCENARIOS,
    *modbus_program.SCENARIOS,
    *modbus_answers.SCENARIOS,
    *firmware_changed.SCENARIOS,
    *network_scan.SCENARIOS,
    *connection_flood.SCENARIOS,
    *beacon.SCENARIOS,
    *arp_flip.SCENARIOS,
    *dhcp.SCENARIOS,
    *span.SCENARIOS,
    *sensor_silence.SCENARIOS,
    *link_phases.SCENARIOS,
    *link_cut.SCENARIOS,
    *poll_flapping.SCENARIOS,
    *two_cards.SCENARIOS,
    *forgotten_rules.SCENARIOS,
    *lateral_tools.SCENARIOS,
    *changes.SCENARIOS,
)
