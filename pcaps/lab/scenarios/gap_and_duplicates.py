"""A SPAN port that is badly set and then overfull: the network is good, the capture is not."""

from __future__ import annotations

from typing import Final

from pcaps import ExpectedFinding, Planted
from pcaps.lab.mine_a import MineA
from pcaps.lab.notes import Notes, moment
from pcaps.lab.scenarios.base import (
    POLICY,
    Made,
    Scenario,
    conversations,
    modbus_figures,
    origin,
    round_trips,
)
from pcaps.lab.site import MINUTE_NS, MORNING_NS
from pcaps.lab.synth.span import copy_twice, in_order, lose

_NAME: Final = "gap-and-duplicates"
_START_NS: Final = MORNING_NS + 98 * MINUTE_NS
_MINUTES: Final = 15
_COPIED: Final = (3, 8)
_OVERFULL: Final = (9, 13)
_LOST_SHARE: Final = 0.03


def _within(minutes: tuple[int, int], time_ns: int) -> bool:
    first, last = minutes
    return _START_NS + first * MINUTE_NS <= time_ns < _START_NS + last * MINUTE_NS


def _make(seed: int) -> Made:
    site = MineA(seed, _MINUTES, start_ns=_START_NS)
    site.operators()
    site.background()
    site.run()
    on_the_wire = in_order(site.network.captured)
    captured, removed = lose(on_the_wire, _LOST_SHARE, seed, lambda time_ns: _within(_OVERFULL, time_ns))
    frames, copies = copy_twice(captured, seed, lambda time_ns: _within(_COPIED, time_ns))
    notes = Notes(
        title="Gaps and duplicates",
        story="""
A normal quarter of an hour, seen through a bad SPAN port. From 12:41 to 12:46 UTC it is set to copy what
enters the router and what leaves it: every routed packet is captured twice, 30 to 200 µs apart, the second
time with other MAC addresses, a TTL one less and, towards the concentrator and the crusher, a VLAN tag.
From 12:47 to 12:51 it is overfull: frames that were on the wire are missing from the capture, and the file
does not say so. The network lost nothing: duplicates and gaps must show as coverage, never as loss, and
the one finding is about the sensor.
""",
        origin=origin(_NAME, seed),
        policy=POLICY,
        demo=True,
        truth={
            **modbus_figures(site),
            "dropped_segments": 0,
            "span_duplicates": copies["tcp"] + copies["udp"],
            "span_duplicates_tcp": copies["tcp"],
            "span_duplicates_udp": copies["udp"],
            "duplicates_from": moment(_START_NS + _COPIED[0] * MINUTE_NS),
            "duplicates_to": moment(_START_NS + _COPIED[1] * MINUTE_NS),
            "removed_frames": removed.frames,
            "removed_data_segments": removed.data_segments,
            "removed_from": moment(_START_NS + _OVERFULL[0] * MINUTE_NS),
            "removed_to": moment(_START_NS + _OVERFULL[1] * MINUTE_NS),
        },
        truth_lists={
            "round_trip": round_trips(
                site, (("hmi1", "plc1"), ("hmi1", "plc2"), ("hist1", "plc1")), ((0, _MINUTES),)
            ),
            "conversation": conversations(site, captured),
        },
        planted=(
            Planted(
                "COV-01",
                "",
                "",
                "",
                moment(_START_NS + _OVERFULL[0] * MINUTE_NS),
                moment(_START_NS + _OVERFULL[1] * MINUTE_NS - 1),
                _OVERFULL[1] - _OVERFULL[0],
                "minutes in which frames are missing",
            ),
        ),
        expected=(
            ExpectedFinding(
                kind="COV-01",
                src_ip="",
                dst_ip="",
                dst_port=0,
                conduit="",
                service="",
                severity=3,
                count=_OVERFULL[1] - _OVERFULL[0],
                count_is="exactly",
                because="medium; it is of the sensor",
            ),
        ),
    )
    return Made(frames, notes)


SCENARIO: Final = Scenario(_NAME, 20_261_118, _make)
