"""SEG-10: two devices claim one address. plc1 is at 00:00:5e:00:53:01."""

from __future__ import annotations

import pytest

from policy.checks.seg_10 import AddressClaimedTwice
from sensors.records import ANOMALIES, OBSERVATIONS
from tests.policy.factories import NOON, PLC, SECOND, SITE, Wire, compiled, only, packed
from tests.policy.watching import watched

CHECK = AddressClaimedTwice()
MINE = compiled(
    SITE.replace("{id: plc1, zone: plant, ip", '{id: plc1, zone: plant, mac: "00:00:5e:00:53:01", ip')
)
OWNER, LAPTOP = "00:00:5e:00:53:01", "00:00:5e:00:53:99"
OTHER = "10.20.0.44"


def moved(wire: Wire, ip: str, *macs: str) -> Wire:
    """The address goes from one MAC address to the next, a second apart."""
    for number in range(1, len(macs)):
        before, now = macs[number - 1], macs[number]
        wire.add(
            ANOMALIES,
            None,
            layer="application",
            kind="ip_conflict",
            detail=f"{ip} was at {before}, now at {now}",
            ts=NOON + number * SECOND,
            frame=10 + number,
        )
    return wire


def claimed(wire: Wire, mac: str, ip: str, at: int = NOON) -> Wire:
    number = int(mac.replace(":", ""), 16)
    wire.add(OBSERVATIONS, None, mac=number, ip=packed(ip), kind="address", source="arp", ts=at, frame=3)
    return wire


def test_back_and_forth_is_one_claimant_and_counts_each_change() -> None:
    found = only(watched(CHECK, MINE, moved(Wire(), PLC, OWNER, LAPTOP, OWNER, LAPTOP)))
    assert (found["count"], found["what"]) == (3, LAPTOP)
    assert (found["client_ip"], found["server_ip"]) == (bytes(16), packed(PLC))
    assert f"The policy has it at {OWNER}" in CHECK.why(MINE, found)


def test_where_the_policy_does_not_say_the_first_is_the_owner() -> None:
    found = only(watched(CHECK, MINE, moved(Wire(), OTHER, LAPTOP, OWNER, LAPTOP)))
    assert found["what"] == OWNER


def test_the_claimant_is_named_by_the_address_it_had_before() -> None:
    wire = claimed(Wire(), LAPTOP, "10.20.0.99", NOON - SECOND)
    claimed(wire, LAPTOP, "10.20.0.100", NOON + 60 * SECOND)
    found = only(watched(CHECK, MINE, moved(wire, PLC, OWNER, LAPTOP)))
    assert (found["client_ip"], found["client_zone"]) == (packed("10.20.0.99"), "plant")
    late = claimed(Wire(), LAPTOP, "10.20.0.99", NOON + 60 * SECOND)
    assert only(watched(CHECK, MINE, moved(late, PLC, OWNER, LAPTOP)))["client_ip"] == bytes(16)


def test_an_asset_s_address_at_another_device_is_reported_without_a_change() -> None:
    found = only(watched(CHECK, MINE, claimed(Wire(), LAPTOP, PLC)))
    assert (found["count"], found["what"]) == (1, LAPTOP)
    assert watched(CHECK, MINE, claimed(Wire(), OWNER, PLC)).is_empty()
    assert watched(CHECK, MINE, claimed(Wire(), LAPTOP, OTHER)).is_empty()


@pytest.mark.parametrize(
    "group", ["00:00:5e:00:01:0f", "00:00:5e:00:02:01", "00:00:0c:07:ac:07", "00:00:0c:9f:f0:01"]
)
def test_a_failover_with_a_shared_mac_address_is_none(group: str) -> None:
    assert watched(CHECK, MINE, moved(Wire(), OTHER, OWNER, group, LAPTOP)).is_empty()


def test_an_access_point_that_answers_for_others_is_none() -> None:
    text = SITE.replace("  to: plant\n", f'  to: plant\n  eap: {{id: fw1, macs: ["{LAPTOP}"]}}\n', 1)
    assert watched(CHECK, compiled(text), moved(Wire(), PLC, OWNER, LAPTOP)).is_empty()


def test_other_anomalies_are_none() -> None:
    wire = Wire()
    wire.add(ANOMALIES, None, layer="application", kind="name_loop", detail="x was at y, now at z", frame=1)
    assert watched(CHECK, MINE, wire).is_empty()
