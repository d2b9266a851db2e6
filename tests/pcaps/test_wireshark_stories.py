"""A second opinion on the stories of OPC UA, MQTT and remote access: Wireshark counts what their notes say."""

from __future__ import annotations

from collections import Counter

import pytest

from pcaps import sample
from tests.pcaps.test_wireshark import TSHARK, fields

pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")

#: Requests by the number of their type (OPC 10000-6, A.3).
SERVICES = {
    422: "FindServers",
    428: "GetEndpoints",
    461: "CreateSession",
    467: "ActivateSession",
    473: "CloseSession",
    488: "AddNodes",
    527: "Browse",
    533: "BrowseNext",
    631: "Read",
    673: "Write",
    712: "Call",
    787: "CreateSubscription",
    751: "CreateMonitoredItems",
    826: "Publish",
}
#: MQTT control packets by their number (2.2.1 of both versions).
PACKETS = {1: "connect", 3: "publish", 8: "subscribe", 10: "unsubscribe", 12: "pingreq", 14: "disconnect"}
#: How each service's client shows itself, by Wireshark's fields.
SEES = {
    "rdp": "rdp.rt_cookie",
    "ssh": "ssh.protocol && tcp.dstport == 22",
    "vnc": "vnc.client_proto_ver",
    "wireguard": "wg.type == 1",
    "https": "tls.handshake.type == 1 && tcp.dstport == 443",
}


@pytest.mark.parametrize(
    "name", ["opcua-exposed", "opcua-new-work", "opcua-protected-benign", "remote-bypass"]
)
def test_services_in_clear_are_those_that_were_asked(name: str) -> None:
    one = sample(name)
    asked = fields(one, "opcua.servicenodeid.numeric", "ip.src", "ip.dst", "opcua.servicenodeid.numeric")
    seen = Counter(
        (client, server, SERVICES[int(kind)]) for client, server, kind in asked if int(kind) in SERVICES
    )
    truth = one.truth["opcua_service"]
    said = {
        (each["client"], each["server"], each["service"]): each["asked"] for each in truth if each["service"]
    }
    assert seen == said


@pytest.mark.parametrize("name", ["mqtt-misuse", "mqtt-proper-benign", "sparkplug-broken"])
def test_packets_that_open_an_exchange_are_those_that_were_sent(name: str) -> None:
    one = sample(name)
    kinds = [kind for (several,) in fields(one, "mqtt", "mqtt.msgtype") for kind in several.split(",")]
    seen = Counter(PACKETS[int(kind)] for kind in kinds if int(kind) in PACKETS)
    assert seen == {each["kind"]: each["sent"] for each in one.truth["mqtt_packet"]}


@pytest.mark.parametrize("name", ["remote-session-benign", "remote-bypass", "remote-hours", "remote-pivot"])
def test_remote_sessions_are_those_that_were_held(name: str) -> None:
    one = sample(name)
    shown = ("ip.src", "ip.dst", "rdp.rt_cookie", "ssh.protocol", "vnc.client_proto_ver", "wg.type")
    rows = fields(one, " || ".join(f"({each})" for each in SEES.values()), *shown)
    seen = Counter(
        (client, server, next((name for name, said in zip(SEES, signs, strict=False) if said), "https"))
        for client, server, *signs in rows
        # Updates are fetched over TLS too; they are no remote session.
        if server != "192.0.2.10"
    )
    held = Counter((each["client"], each["server"], each["service"]) for each in one.truth["remote_session"])
    assert seen == {ends: count for ends, count in held.items() if ends[2] in SEES}
