"""SEG-08: traffic across a conduit that its access point did not carry. The point is 00:00:5e:00:53:fe."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from policy.checks.seg_08 import AroundTheAccessPoint
from tests.policy.factories import HISTORIAN, OFFICE_HOST, PLC, SITE, Wire, compiled, only

CHECK = AroundTheAccessPoint()
POINT, HOST, CONTROLLER = 0x00005E0053FE, 0x00005E005320, 0x00005E005301
MINE = compiled(
    SITE.replace("  to: plant\n", '  to: plant\n  eap: {id: fw1, macs: ["00:00:5e:00:53:fe"]}\n', 1)
)


def found(client: str, server: str, macs: tuple[int, int], **link: Any) -> pl.DataFrame:
    wire = Wire()
    flow = wire.flow(client, server)
    wire.starts[0].update(client_mac=macs[0], server_mac=macs[1], tunnel="none", **link)
    wire.minute(flow, service="modbus", confidence="structure")
    return CHECK.violations(MINE, wire.judged(MINE))


@pytest.mark.parametrize("macs", [(HOST, POINT), (POINT, CONTROLLER)])
def test_ignores_what_the_access_point_carries_on_either_side(macs: tuple[int, int]) -> None:
    assert found(HISTORIAN, PLC, macs).is_empty()


def test_reports_frames_that_go_straight_to_the_other_zone() -> None:
    violation = only(found(HISTORIAN, PLC, (HOST, CONTROLLER)))
    assert violation["conduit"] == "c-hist"
    text = violation["examples"][0]["text"]
    assert text.endswith("sent by 00:00:5e:00:53:20 to 00:00:5e:00:53:01")
    assert "only fw1 (00:00:5e:00:53:fe) may carry" in CHECK.why(MINE, violation)


def test_reports_the_other_direction_too() -> None:
    violation = only(found(PLC, HISTORIAN, (CONTROLLER, HOST)))
    assert violation["reverse_conduit"] == "c-hist"
    assert "conduit c-hist" in CHECK.why(MINE, violation)


def test_a_link_without_mac_addresses_is_not_judged() -> None:
    assert found(HISTORIAN, PLC, (0, 0)).is_empty()


def test_a_conduit_without_an_access_point_is_not_judged() -> None:
    assert found(OFFICE_HOST, HISTORIAN, (HOST, CONTROLLER)).is_empty()


@pytest.mark.parametrize(("tunnel", "fires"), [("gre", 0), ("ip_in_ip", 0), ("mpls", 0), ("vxlan", 1)])
def test_only_tunnels_that_carry_frames_show_who_carried_them(tunnel: str, fires: int) -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC)
    wire.starts[0].update(client_mac=HOST, server_mac=CONTROLLER, tunnel=tunnel)
    wire.minute(flow)
    assert CHECK.violations(MINE, wire.judged(MINE)).height == fires
