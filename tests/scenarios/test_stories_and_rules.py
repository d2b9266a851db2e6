"""The benign stories keep to every word of their rules, also to those that this version does not judge yet."""

from __future__ import annotations

from ipaddress import ip_address

import polars as pl
import pytest

from pcaps import sample
from pcaps.lab.mine_a_remote import PLAN
from pcaps.lab.synth.mqtt.broker import matches
from policy.loader import load
from policy.model import AllowRule
from tests.scenarios.decoded import rows

SITE = load(sample("remote-session-benign").policy).site
ADDRESS = {asset.id: str(asset.ip) for asset in SITE.assets}
BENIGN = ("remote-session-benign", "opcua-protected-benign", "mqtt-proper-benign")
#: Stations that the policy does not know on purpose: they are outside, and in no zone.
STRANGERS = {"relay1", "peer1"}
MODES = ["none", "sign", "sign_and_encrypt"]
#: A rule's words for modes, users and groups of services -> the rows' words.
RULE_MODES = {"None": "none", "Sign": "sign", "SignAndEncrypt": "sign_and_encrypt"}
RULE_USERS = {
    "username": "user_name",
    "certificate": "certificate",
    "anonymous": "anonymous",
    "issued": "issued",
}
GROUPS = {
    "read": {"Read"},
    "browse": {"Browse", "BrowseNext"},
    "subscribe": {"CreateSubscription", "CreateMonitoredItems", "Publish"},
    "write": {"Write"},
    "call": {"Call"},
}
SESSION = {
    "",
    "GetEndpoints",
    "OpenSecureChannel",
    "CloseSecureChannel",
    "CreateSession",
    "ActivateSession",
    "CloseSession",
}


def rule(service: str, client: str, server: str) -> AllowRule:
    """The one rule for a service between two addresses."""
    (found,) = [
        one
        for conduit in SITE.conduits
        for one in conduit.allow
        if one.service == service
        and client in {ADDRESS.get(name, name) for name in one.src or ()}
        and server in {ADDRESS.get(name, name) for name in one.dst or ()}
    ]
    return found


def test_policy_and_drawing_are_of_the_same_site() -> None:
    zones = {zone.id: zone.cidrs for zone in SITE.zones}
    drawn = {station.name: PLAN.host(station, seed=1) for station in PLAN.stations}
    assert drawn.keys() - ADDRESS.keys() == STRANGERS
    for asset in SITE.assets:
        host = drawn[asset.id]
        assert (str(asset.ip), asset.zone) == (host.ip, host.zone)
        # Behind the border's router nobody sees an address of the outside's own.
        assert asset.mac in (host.mac, None)
        assert any(ip_address(host.ip) in prefix for prefix in zones[asset.zone])
    for name in STRANGERS:
        assert not any(
            ip_address(drawn[name].ip) in prefix for prefixes in zones.values() for prefix in prefixes
        )


def test_access_points_carry_what_they_are_there_for() -> None:
    ports = {zone.name: zone.router_mac for zone in PLAN.zones}
    border = {
        PLAN.host(station, seed=1).mac for station in PLAN.stations if station.zone in ("vendor", "updates")
    }
    for conduit in SITE.conduits:
        assert conduit.eap is not None, conduit.id
        expected = {ports[conduit.from_zone], ports[conduit.to_zone]}
        if {conduit.from_zone, conduit.to_zone} & {"vendor", "updates"}:
            expected |= border
        assert set(conduit.eap.macs) == expected, conduit.id


@pytest.mark.parametrize("name", ["opcua-protected-benign", "remote-session-benign"])
def test_opcua_keeps_to_modes_users_services_and_nodes(name: str) -> None:
    said = rows(name, "opcua").filter(pl.col("message_type") == "MSG")
    for one in said.to_dicts():
        allowed = rule("opcua", one["client_ip"], one["server_ip"])
        assert MODES.index(one["security_mode"]) >= MODES.index(RULE_MODES[allowed.min_mode or "None"]), one
        if one["encrypted"]:
            continue
        services = set().union(*(GROUPS[group] for group in allowed.services or ()))
        assert one["service"] in services | SESSION, one
        if one["service"] in services:
            assert one["user_kind"] in {RULE_USERS[kind] for kind in allowed.auth or ()}, one
        if one["service"] == "Write":
            assert set(one["nodes"]) <= set(allowed.write_nodes or ()), one


def test_mqtt_keeps_to_client_ids_and_topics() -> None:
    said = rows("mqtt-proper-benign", "mqtt").filter(pl.col("direction") == "client_to_broker")
    assert {"connect", "publish", "subscribe"} <= set(said["packet_type"])
    for one in said.to_dicts():
        allowed = rule("mqtt", one["client_ip"], one["server_ip"])
        assert one["client_id"] in (allowed.client_ids or ()), one
        if one["packet_type"] == "publish":
            assert any(matches(wanted, one["topic"]) for wanted in allowed.publish or ()), one
        for asked in one["filters"]:
            assert asked in (allowed.subscribe or ()), one


def test_what_is_to_cross_in_tls_does() -> None:
    flows = rows("mqtt-proper-benign", "flows").filter(pl.col("client_ip") == ADDRESS["edge1"])
    assert rule("mqtt", ADDRESS["edge1"], ADDRESS["mq1"]).tls
    assert set(flows["service"]) == {"mqtt-tls"}


@pytest.mark.parametrize("name", BENIGN)
def test_writes_to_controllers_stay_in_their_range(name: str) -> None:
    said = rows(name, "modbus")
    for one in said.to_dicts():
        allowed = rule("modbus", one["client_ip"], one["server_ip"])
        assert one["function"] in (allowed.functions or ()), one
        ranges = (allowed.write if one["function"] in (6, 16) else allowed.read) or ()
        last = one["address"] + (one["quantity"] or 1) - 1
        assert any(first <= one["address"] and last <= end for first, end in ranges), one
