"""Scans, floods, second servers and changed identities, each beside what is as close as can be and is none."""

from __future__ import annotations

from typing import Any

import pytest

from analyzers.behaviour import Behaviour
from sensors.records import ANOMALIES, DNS, OBSERVATIONS, SERVICES
from tests.analyzers.detections.looking import of, only
from tests.policy.factories import (
    DRIVE,
    HISTORIAN,
    ICMP,
    MINUTE,
    NOON,
    OTHER_DMZ_HOST,
    PLC,
    SECOND,
    SITE,
    UDP,
    Wire,
    compiled,
    packed,
)

STRANGER = OTHER_DMZ_HOST


def knock(
    wire: Wire, client: str, server: str, port: int, *, at: int, answered: bool = False, **more: Any
) -> None:
    """A connection that is begun and carries nothing: its SYN is its first frame."""
    columns = {"established": answered, "payload": (0, 0), "packets": (1, int(answered)), **more}
    frame = len(wire.starts) + 1
    wire.minute(wire.flow(client, server, port, at=at), at=at, frame=frame, syn_frame=frame, **columns)


def ping(wire: Wire, client: str, server: str, *, at: int) -> None:
    flow = wire.flow(client, server, 0, client_port=0, ip_proto=ICMP, role_source="first_seen", at=at)
    wire.minute(flow, at=at, established=False, payload=(8, 0), packets=(1, 0), frame=flow)


@pytest.mark.parametrize(
    ("addresses", "every", "found"),
    [(50, SECOND, True), (49, SECOND, False), (50, 10 * SECOND, False), (60, 2 * SECOND, True)],
)
def test_pinging_fifty_addresses_in_two_minutes_is_a_scan(addresses: int, every: int, found: bool) -> None:
    wire = Wire()
    for number in range(addresses):
        ping(wire, STRANGER, f"10.20.0.{number + 1}", at=NOON + number * every)
    assert bool(of("G1", wire)) == found
    if found:
        finding = only("G1", wire)
        assert (finding.src_ip, finding.dst_ip, finding.service) == (STRANGER, "", "icmp")
        assert (finding.count, finding.severity) == (addresses, 4)


@pytest.mark.parametrize(("ports", "found"), [(25, True), (24, False)])
def test_knocking_on_twenty_five_ports_is_a_scan(ports: int, found: bool) -> None:
    wire = Wire()
    for number in range(ports):
        knock(wire, STRANGER, DRIVE, 1_000 + number, at=NOON + number * SECOND)
    assert bool(of("G1", wire)) == found
    if found:
        finding = only("G1", wire)
        assert (finding.dst_ip, finding.dst_port, finding.title) == (DRIVE, 0, "a scan of ports")


@pytest.mark.parametrize(("port", "found"), [(502, True), (4840, True), (80, False)])
def test_ten_controllers_are_enough_on_their_ports(port: int, found: bool) -> None:
    wire = Wire()
    for number in range(10):
        knock(wire, STRANGER, f"10.20.0.{number + 1}", port, at=NOON + number * SECOND, answered=True)
    assert bool(of("G1", wire)) == found


def test_conversations_that_carry_something_and_one_way_groups_are_no_scan() -> None:
    wire = Wire()
    for number in range(80):
        at = NOON + number * SECOND
        wire.minute(wire.flow(HISTORIAN, f"10.20.0.{number + 1}", 502, at=at), at=at, syn_frame=number + 1)
        group = wire.flow(HISTORIAN, f"239.1.0.{number}", 5000, ip_proto=UDP, at=at)
        wire.minute(group, at=at, packets=(1, 0), payload=(100, 0))
    assert of("G1", wire) == []


def test_an_old_connection_that_idles_is_no_knock() -> None:
    wire = Wire()
    for number in range(60):
        flow = wire.flow(HISTORIAN, f"10.20.0.{number + 1}", 502)
        # Its SYN was in another minute.
        wire.minute(flow, at=NOON + MINUTE, payload=(0, 0), syn_frame=flow, frame=1_000 + flow)
    assert of("G1", wire) == []


def conflict(wire: Wire, address: str, was: str, now: str, *, at: int) -> None:
    detail = f"{address} was at 00:00:5e:00:53:{was}, now at 00:00:5e:00:53:{now}"
    wire.add(ANOMALIES, ts=at, frame=9, layer="application", kind="ip_conflict", detail=detail)


def test_an_address_that_goes_back_and_forth() -> None:
    wire = Wire()
    for number in range(6):
        macs = ("01", "99") if number % 2 == 0 else ("99", "01")
        conflict(wire, PLC, *macs, at=NOON + number * SECOND)
    finding = only("G2", wire)
    assert (finding.src_ip, finding.dst_ip, finding.dst_zone, finding.count) == ("", PLC, "plant", 6)
    assert finding.severity == 5  # a C1 target


def test_an_address_that_moves_on_is_no_flip() -> None:
    once, onward = Wire(), Wire()
    conflict(once, PLC, "01", "02", at=NOON)
    for number in range(4):
        conflict(onward, PLC, f"0{number}", f"0{number + 1}", at=NOON + number * SECOND)
    assert of("G2", once) == of("G2", onward) == []


@pytest.mark.parametrize(("count", "found"), [(3_000, True), (2_900, False)])
def test_three_thousand_connections_in_vain_are_a_flood(count: int, found: bool) -> None:
    wire = Wire()
    for number in range(count):
        knock(wire, STRANGER, DRIVE, 502, at=NOON + number * 15_000_000)
    assert bool(of("G3", wire)) == found
    if found:
        finding = only("G3", wire)
        assert (finding.src_ip, finding.dst_ip, finding.dst_port, finding.count) == (
            STRANGER,
            DRIVE,
            502,
            count,
        )


def test_a_flood_of_forged_sources_is_one_finding_of_nobody() -> None:
    wire = Wire()
    for number in range(3_000):
        knock(
            wire, f"203.0.{113 + number // 250}.{number % 250 + 1}", DRIVE, 502, at=NOON + number * 15_000_000
        )
    finding = only("G3", wire)
    assert (finding.src_ip, finding.count) == ("", 3_000)
    assert "may be forged" in finding.why


@pytest.mark.parametrize(("refused", "found"), [(100, True), (99, False)])
def test_a_hundred_refused_logins_a_minute(refused: int, found: bool) -> None:
    wire = Wire()
    flow = wire.flow(STRANGER, DRIVE, 22)
    for number in range(3):
        logins = refused - 2 * (refused // 3) if number == 0 else refused // 3
        wire.add(SERVICES, flow, ts=NOON + number * SECOND, frame=5, service="ssh", refused_logins=logins)
    assert bool(of("G3", wire)) == found
    if found:
        assert (only("G3", wire).service, only("G3", wire).count) == ("ssh", refused)


def dhcp_server(wire: Wire, address: str, *, at: int) -> None:
    wire.add(
        OBSERVATIONS, ts=at, frame=7, ip=packed(address), kind="role", source="dhcp", value="dhcp server"
    )


def test_a_second_dhcp_server_beside_a_declared_one() -> None:
    wire = Wire()
    # The stranger is first, and a stranger all the same.
    dhcp_server(wire, STRANGER, at=NOON)
    dhcp_server(wire, HISTORIAN, at=NOON + SECOND)
    finding = only("G6", wire)
    assert (finding.src_ip, finding.dst_ip, finding.dst_port, finding.service) == (STRANGER, "", 67, "dhcp")


def test_one_dhcp_server_and_two_declared_ones_are_quiet() -> None:
    alone, pair = Wire(), Wire()
    dhcp_server(alone, STRANGER, at=NOON)
    dhcp_server(pair, HISTORIAN, at=NOON)
    dhcp_server(pair, PLC, at=NOON)
    assert of("G6", alone) == of("G6", pair) == []


def answer(wire: Wire, server: str, *, at: int) -> None:
    flow = wire.flow(DRIVE, server, 53, ip_proto=UDP)
    wire.add(DNS, flow, ts=at, service="dns", outcome="answered", request_frame=3, response_frame=4)


def test_a_second_server_of_names_in_the_site() -> None:
    wire = Wire()
    answer(wire, HISTORIAN, at=NOON)
    answer(wire, STRANGER, at=NOON + SECOND)
    answer(wire, "198.51.100.53", at=NOON + SECOND)  # outside: the segmentation's business
    assert only("G6", wire).src_ip == STRANGER


def identity(wire: Wire, flow: int, value: str, *, at: int, kind: str = "firmware", ip: str = DRIVE) -> None:
    wire.add(OBSERVATIONS, flow, ts=at, frame=7, ip=packed(ip), kind=kind, source="modbus", value=value)


def test_another_firmware_is_reported_where_it_is_told() -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, DRIVE)
    identity(wire, flow, "2.4", at=NOON)
    identity(wire, flow, "2.9-rc1", at=NOON + 2 * MINUTE)
    finding = only("G7", wire)
    assert (finding.src_ip, finding.dst_ip, finding.count) == (HISTORIAN, DRIVE, 1)
    assert finding.first_ns == NOON + 2 * MINUTE
    assert (finding.techniques, finding.possible_techniques) == ((), ("T0857",))


def test_other_things_of_a_device_and_other_devices_are_no_change() -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, DRIVE)
    identity(wire, flow, "2.4", at=NOON)
    identity(wire, flow, "EC-410", at=NOON, kind="model")
    identity(wire, flow, "2.9-rc1", at=NOON + 2 * MINUTE, ip=PLC)
    identity(wire, flow, "hall-panel", at=NOON, kind="host_name")
    identity(wire, flow, "hall-panel-2", at=NOON + MINUTE, kind="host_name")
    assert of("G7", wire) == []


def test_a_flood_of_forged_sources_does_not_hide_a_scan_and_is_told() -> None:
    """More sources than are kept, one knock each; a stranger knocks at ten controllers among them."""
    tight = compiled(SITE + "detections: {kept: 1000}\n")
    wire = Wire()
    for number in range(1_100):
        knock(wire, f"11.0.{number // 250}.{number % 250 + 1}", PLC, 502, at=NOON)
    for number in range(10):
        knock(wire, STRANGER, f"10.20.0.{number + 1}", 502, at=NOON + number * SECOND)
    behaviour = Behaviour(tight, "p" * 64, "0.1.0")

    behaviour.feed(wire.traffic(tight))

    scans = [finding for finding in behaviour.finish("c" * 64) if finding.kind == "G1"]
    assert [(finding.src_ip, finding.count) for finding in scans] == [(STRANGER, 10)]
    # Ports are counted by client and address: 1,110 pairs, of which 1,000 are kept.
    assert behaviour.evicted == {"G1": 110}
