"""SEG-07: one device in two zones."""

from __future__ import annotations

import pytest

from policy.checks.seg_07 import TwoZones
from sensors.records import OBSERVATIONS
from tests.policy.factories import NOON, SITE, Wire, compiled, only, packed
from tests.policy.watching import watched

CHECK = TwoZones()
CARD = 0x00005E005342
PLANT, DMZ, PORT = "10.20.0.40", "10.35.0.40", "10.50.0.40"


def claims(*said: tuple[int, str], kind: str = "address") -> Wire:
    wire = Wire()
    for number, (mac, ip) in enumerate(said):
        wire.add(
            OBSERVATIONS,
            None,
            mac=mac,
            ip=packed(ip),
            kind=kind,
            source="arp",
            ts=NOON + number,
            frame=number + 1,
        )
    return wire


def test_reports_one_mac_address_in_two_zones() -> None:
    site = compiled()
    found = only(watched(CHECK, site, claims((CARD, DMZ), (CARD, PLANT))))
    assert (found["client_zone"], found["server_zone"]) == ("dmz", "plant")
    assert (found["client_ip"], found["server_ip"]) == (packed(DMZ), packed(PLANT))
    assert found["what"] == "00:00:5e:00:53:42"
    assert "10.35.0.40 (by arp, frame 1), and at 10.20.0.40" in found["examples"][0]["text"]
    assert "zone dmz" in CHECK.why(site, found) and "Concentrator" in CHECK.why(site, found)


def test_each_further_zone_is_one_more() -> None:
    found = watched(CHECK, compiled(), claims((CARD, DMZ), (CARD, PLANT), (CARD, "10.20.0.41"), (CARD, PORT)))
    assert sorted(found["server_zone"]) == ["plant", "port"]


@pytest.mark.parametrize(
    "said",
    [
        ((CARD, PLANT), (CARD, "10.20.0.41")),
        ((CARD, PLANT), (CARD + 1, DMZ)),
        ((CARD, PLANT), (CARD, "192.168.1.1")),
        # VRRP's group address is in every zone that the pair of routers is in.
        ((0x00005E000107, PLANT), (0x00005E000107, DMZ)),
        ((0x00000C07AC01, PLANT), (0x00000C07AC01, DMZ)),
    ],
)
def test_ignores_what_is_in_one_zone_or_shared(said: tuple[tuple[int, str], ...]) -> None:
    assert watched(CHECK, compiled(), claims(*said)).is_empty()


def test_ignores_requests_that_are_no_claims() -> None:
    wire = claims((CARD, PLANT), (CARD, DMZ), kind="requested_address")
    assert watched(CHECK, compiled(), wire).is_empty()


@pytest.mark.parametrize(
    "site",
    [
        SITE.replace("  to: plant\n", '  to: plant\n  eap: {id: fw1, macs: ["00:00:5e:00:53:42"]}\n', 1),
        SITE.replace(
            "assets:\n", 'assets:\n- {id: rt1, zone: dmz, mac: "00:00:5e:00:53:42", role: router}\n'
        ),
    ],
    ids=["access point", "router"],
)
def test_ignores_devices_that_are_there_to_be_in_both(site: str) -> None:
    assert watched(CHECK, compiled(site), claims((CARD, DMZ), (CARD, PLANT))).is_empty()
