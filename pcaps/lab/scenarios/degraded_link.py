"""A bad link on one conduit, for a while: 20 ms each way and 1 % loss, between two good stretches."""

from __future__ import annotations

from typing import Final

from pcaps import ExpectedFinding
from pcaps.lab.mine_a import TREND_PAGES, MineA
from pcaps.lab.notes import Notes
from pcaps.lab.scenarios.base import (
    POLICY,
    Made,
    Scenario,
    conversations,
    modbus_figures,
    origin,
    planted,
    round_trips,
)
from pcaps.lab.site import MINUTE_NS, MORNING_NS
from pcaps.lab.synth import modbus
from pcaps.lab.synth.clock import MICROSECOND, MILLISECOND
from pcaps.lab.synth.network import Impairment
from pcaps.lab.synth.span import frames_of, in_order

_NAME: Final = "degraded-link"
_START_NS: Final = MORNING_NS + 61 * MINUTE_NS
_MINUTES: Final = 24
_FIRST_BAD: Final = 8
_FIRST_GOOD_AGAIN: Final = 16
_BAD: Final = Impairment(
    near_zone="supervisory",
    far_zone="plant",
    start_ns=_START_NS + _FIRST_BAD * MINUTE_NS,
    end_ns=_START_NS + _FIRST_GOOD_AGAIN * MINUTE_NS,
    one_way_ns=20 * MILLISECOND,
    jitter_ns=200 * MICROSECOND,
    loss=0.01,
)


def _make(seed: int) -> Made:
    site = MineA(seed, _MINUTES, (_BAD,), start_ns=_START_NS)
    site.operators()
    site.poll("scada1", "plc2", TREND_PAGES, 2_000, offset_ms=820, connection_s=30, at_once=True)
    site.background()
    site.run()
    captured = in_order(site.network.captured)
    # The way from the control room to the concentrator is the only one that loses.
    talks = conversations(site, captured)
    lost = sum(int(str(one[how])) for one in talks for how in ("seen_twice", "filled_holes"))
    offered, dropped = site.network.losses.offered, site.network.losses.dropped
    notes = Notes(
        title="A degraded link",
        story="""
From 12:09 to 12:17 UTC the link that carries the conduit from the control room to the concentrator is bad:
20 ms more each way, 1 % of the packets lost. The eight minutes before and after are good, and so is every
other conduit. The tap is on the near side of the link: what the concentrator is sent is lost after the tap
and seen twice; what it answers is lost before the tap, and shows only where a later segment overtook it
(the SCADA server's trend pages, asked for six at once). A lone request or answer that is lost before the
tap leaves no hole: that part of the loss cannot be seen from here, only the late answer. The policy
is kept; the conduit loses more than its target allows.
""",
        origin=origin(_NAME, seed),
        policy=POLICY,
        demo=True,
        twin="normal-shift",
        planted=(
            planted(
                site,
                captured,
                "SLA-04",
                "scada1",
                "plc2",
                service="modbus",
                count=lost,
                because="segments of the conduit lost, as the tap can see",
                seconds=(_FIRST_BAD * 60, _FIRST_GOOD_AGAIN * 60),
            ),
        ),
        expected=(
            ExpectedFinding(
                kind="SLA-04",
                src_ip=site.hosts["scada1"].ip,
                dst_ip=site.hosts["plc2"].ip,
                dst_port=modbus.PORT,
                conduit="c-room-plant",
                service="modbus",
                severity=2,
                count=lost,
                count_is="exactly",
                because="one less than the medium of class C2, for loss tells why, not what",
            ),
        ),
        truth={
            **modbus_figures(site),
            "impaired_conduit": "c-room-plant",
            "one_way_delay_ns": _BAD.one_way_ns,
            "loss": _BAD.loss,
            "offered_data_before_tap": offered["before_tap_data"],
            "offered_data_after_tap": offered["after_tap_data"],
            "dropped_data_before_tap": dropped["before_tap_data"],
            "dropped_data_after_tap": dropped["after_tap_data"],
            "dropped_control_before_tap": dropped["before_tap_control"],
            "dropped_control_after_tap": dropped["after_tap_control"],
            "removed_frames": 0,
            "span_duplicates": 0,
        },
        truth_lists={
            "round_trip": round_trips(
                site,
                (("hmi1", "plc1"), ("hmi1", "plc2"), ("scada1", "plc2"), ("hist1", "plc1")),
                ((0, _FIRST_BAD), (_FIRST_BAD, _FIRST_GOOD_AGAIN), (_FIRST_GOOD_AGAIN, _MINUTES)),
            ),
            "conversation": talks,
        },
    )
    return Made(frames_of(captured), notes)


SCENARIO: Final = Scenario(_NAME, 20_261_117, _make)
