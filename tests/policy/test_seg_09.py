"""SEG-09: a device that nobody declared. The site lists devices of the plant and the DMZ, none of the port."""

from __future__ import annotations

import pytest

from policy.checks.seg_09 import UndeclaredDevice
from sensors.records import OBSERVATIONS
from tests.policy.factories import (
    HISTORIAN,
    NOON,
    OFFICE_HOST,
    OTHER_DMZ_HOST,
    PLANT_HOST,
    PLC,
    PORT_HOST,
    SECOND,
    SITE,
    Wire,
    compiled,
    conversation,
    only,
    packed,
)  # fmt: skip
from tests.policy.watching import watched

CHECK = UndeclaredDevice()
LAPTOP = 0x00005E005399


def claim(wire: Wire, mac: int, ip: str, at: int = NOON, source: str = "arp") -> Wire:
    wire.add(OBSERVATIONS, None, mac=mac, ip=packed(ip), kind="address", source=source, ts=at, frame=3)
    return wire


def test_reports_a_sender_that_is_no_asset() -> None:
    found = only(watched(CHECK, compiled(), conversation(PLANT_HOST, PLC)))
    assert (found["client_ip"], found["server_ip"]) == (packed(PLANT_HOST), bytes(16))
    assert found["client_zone"] == "plant"
    assert found["examples"][0]["text"] == f"it talks with {PLC}"
    assert not found["confirmed"]


def test_one_that_only_answers_is_there_too_and_one_that_does_not_is_not() -> None:
    assert only(watched(CHECK, compiled(), conversation(PLC, PLANT_HOST)))["client_ip"] == packed(PLANT_HOST)
    silent = conversation(PLC, PLANT_HOST, packets=(3, 0), payload=(0, 0), established=False)
    assert watched(CHECK, compiled(), silent).is_empty()


def test_reports_a_device_that_only_claims_an_address() -> None:
    found = only(watched(CHECK, compiled(), claim(Wire(), LAPTOP, PLANT_HOST, source="dhcp")))
    assert found["examples"][0]["text"] == f"00:00:5e:00:53:99 says by DHCP that it is at {PLANT_HOST}"
    assert "Concentrator (plant)" in CHECK.why(compiled(), found)


def test_a_device_is_one_however_often_it_is_seen() -> None:
    wire = conversation(PLANT_HOST, PLC, at=NOON + SECOND)
    wire.minute(1, at=NOON + 3_600 * SECOND)
    claim(wire, LAPTOP, PLANT_HOST, NOON)
    found = only(watched(CHECK, compiled(), wire))
    assert (found["count"], found["first_ns"]) == (1, NOON)


@pytest.mark.parametrize("client", [HISTORIAN, OFFICE_HOST, PORT_HOST, "198.51.100.7"])
def test_ignores_assets_the_office_and_zones_that_are_not_listed(client: str) -> None:
    assert watched(CHECK, compiled(), conversation(client, PLC)).is_empty()


def test_an_address_that_a_rule_names_or_holds_is_known() -> None:
    for name in ("10.20.0.77", "10.20.0.64/26"):
        site = SITE.replace("dst: [plc1, sis1, vsd1]", f"dst: [plc1, sis1, vsd1, {name}]")
        assert watched(CHECK, compiled(site), conversation(PLANT_HOST, PLC)).is_empty()
    assert not watched(CHECK, compiled(), conversation(OTHER_DMZ_HOST, PLC)).is_empty()


def test_a_known_device_at_a_new_address_is_known() -> None:
    site = SITE.replace("{id: plc1, zone: plant, ip", '{id: plc1, zone: plant, mac: "00:00:5e:00:53:99", ip')
    wire = claim(conversation(PLANT_HOST, PLC), LAPTOP, PLANT_HOST)
    assert watched(CHECK, compiled(site), wire).is_empty()
    assert watched(CHECK, compiled(), wire).height == 1


def test_an_address_that_routers_share_is_no_device() -> None:
    assert watched(CHECK, compiled(), claim(Wire(), 0x00005E00010F, PLANT_HOST)).is_empty()


@pytest.mark.parametrize("group", ["224.0.0.251", "10.20.0.255", "255.255.255.255"])
def test_addresses_of_many_are_no_devices(group: str) -> None:
    assert watched(CHECK, compiled(), conversation(HISTORIAN, group, ip_proto=17)).is_empty()
