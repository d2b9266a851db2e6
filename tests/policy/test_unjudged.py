"""What no check judges yet is said, so that its silence is not taken for compliance."""

from __future__ import annotations

from policy.loader import loads
from policy.unjudged import unjudged

ZONES = """\
schema: 1
site: {id: small, name: "Small", tz: UTC}
zones:
- {id: plant, purdue: 1, cidrs: [10.1.0.0/24]}
- {id: control, purdue: 2, cidrs: [10.2.0.0/24]}
"""
CONDUIT = """\
conduits:
- id: c1
  from: control
  to: plant
  allow:
"""


def _said(text: str) -> list[str]:
    return [found.message for found in unjudged(loads(text, "small.yaml").site)]


def test_a_policy_of_judged_keys_has_nothing_unjudged() -> None:
    rule = "  - {id: r1, service: modbus, port: 502, units: [1], functions: [3], read: [[0, 9]]}\n"
    assert _said(ZONES + CONDUIT + rule) == []


def test_limits_of_opcua_and_mqtt_are_judged() -> None:
    rules = (
        "  - {id: r2, service: opcua, min_mode: Sign, auth: [certificate], services: [read], write_nodes: []}\n"
        "  - {id: r3, service: mqtt, tls: true, client_ids: [a], publish: ['a/#'], subscribe: []}\n"
    )
    assert _said(ZONES + CONDUIT + rules) == []


def test_what_is_judged_is_not_named() -> None:
    rule = "  - {id: r1, port: 502, expires: 2020-01-01, expect_used_days: 30}\n"
    point = CONDUIT.replace(
        "  allow:", "  eap: {id: fw1, macs: ['00:00:5e:00:53:fe']}\n  cleartext: deny\n  allow:"
    )
    assert _said(ZONES.replace("cidrs", "internet: deny, cidrs") + point + rule) == []


def test_terms_of_changes_are_named_once_with_their_count() -> None:
    change = (
        "assets:\n- {id: plc1, zone: plant, ip: 10.1.0.5}\n"
        'changes:\n- {ref: CHG-1, start: "2026-11-23T11:00:00Z", end: "2026-11-23T15:00:00Z", assets: [plc1], '
        'sla_exclude: true, rollback_by: "2026-11-23T16:00:00Z"}\n'
    )
    assert _said(ZONES + change) == [
        "no check judges rollback_by yet (1 in this file)",
    ]


def test_a_change_that_counts_for_the_sla_has_nothing_unjudged() -> None:
    change = (
        "assets:\n- {id: plc1, zone: plant, ip: 10.1.0.5}\n"
        'changes:\n- {ref: CHG-1, start: "2026-11-23T11:00:00Z", end: "2026-11-23T15:00:00Z", assets: [plc1], '
        "sla_exclude: false}\n"
    )
    assert _said(ZONES + change) == []
