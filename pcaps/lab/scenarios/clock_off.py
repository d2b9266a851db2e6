"""An edge node whose clock is ahead: everything that it says was sent before it is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pcaps import ExpectedFinding
from pcaps.lab.conveyors import Conveyors
from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, Tap, ran, told
from pcaps.lab.scenarios.mqtt_proper import NAME as TWIN
from pcaps.lab.synth.clock import SECOND

_NAME: Final = "clock-off"
#: Friday, after the one in which all is broken. Whole slots of five minutes.
_DAY, _START_S = 4, 3_600
_MINUTES: Final = 5
_AHEAD_S: Final = 90


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY, start_s=_START_S)
    site.operators()
    plant = Conveyors(site)
    plant.edge.ahead_ns = _AHEAD_S * SECOND
    held = plant.node(10)
    plant.readings(held, 20, 280, 10)
    plant.run()
    captured = ran(site)
    seen = Tap(site, captured).saw(
        "COV-02", "edge2", "mq1", 1, f"a clock that is {_AHEAD_S} s ahead", service="mqtt"
    )
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A clock that is ahead",
            """
The conveyors' edge node, back after a restart, is born and sends readings every ten seconds, all in order. Its clock is
a minute and a half ahead, and so are the timestamps of all that it says.
""",
            # It is of the node, whoever it talks with.
            planted=(replace(seen, dst_ip="", service=""),),
            expected=(
                ExpectedFinding(
                    kind="COV-02",
                    src_ip=seen.src_ip,
                    dst_ip="",
                    dst_port=0,
                    conduit="",
                    service="",
                    severity=2,
                    count=1,
                    count_is="exactly",
                    because="low",
                ),
            ),
            twin=TWIN,
            truth={"clock_ahead_s": _AHEAD_S},
            paths=(("edge2", "mq1"),),
        ),
    )


SCENARIO: Final = Scenario(_NAME, 20_261_324, _make, packed=True)
