"""The same traffic over a link with one fault at a time: what the sensor's measurements are held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pcaps.lab.plant.layout import SPAN_DOUBLE, SPAN_ROUTER
from pcaps.lab.plant.link.settings import Direction, LinkSettings, both
from pcaps.lab.plant.plays.base import BOTH_ENDS, Scenario, Task, polls, publisher, streams

_SERVICES: Final = ("modbus-server", "stream-server", "broker")
_SECONDS: Final = 20.0
_STORY: Final = (
    "The control room polls both controllers, takes data from the edge station and gives it some, opens and closes "
    "connections; the edge station publishes at QoS 0, 1 and 2. "
)


def _traffic(seconds: float) -> Sequence[Task]:
    return [
        streams(seconds),
        *polls(seconds),
        publisher(seconds, 0),
        publisher(seconds, 1, "5"),
        publisher(seconds, 2),
    ]


def _fault(name: str, title: str, what: str, **more: Any) -> Scenario:
    chosen: dict[str, Any] = {"spans": BOTH_ENDS, **more}
    return Scenario(name, title, _STORY + what, _SERVICES, _traffic, _SECONDS, measured=True, **chosen)


FAULTS: Final = (
    _fault("clean", "a link without a fault", "The link does nothing to it."),
    _fault("delay-5ms", "5 ms added each way", "The link adds 5 ms each way.", link=both(delay_ms=5)),
    _fault("delay-20ms", "20 ms added each way", "The link adds 20 ms each way.", link=both(delay_ms=20)),
    _fault("delay-80ms", "80 ms added each way", "The link adds 80 ms each way.", link=both(delay_ms=80)),
    _fault(
        "jitter-20ms",
        "20 ms added each way, give or take 5",
        "The link adds 15 to 25 ms each way, in order.",
        link=both(delay_ms=20, jitter_ms=5),
    ),
    _fault(
        "asymmetric",
        "5 ms towards the plant, 40 ms back",
        "The link adds 5 ms towards the controllers and 40 ms back.",
        link=LinkSettings(Direction(delay_ms=5), Direction(delay_ms=40)),
    ),
    _fault(
        "loss-0.5",
        "0.5 % of the frames lost each way",
        "The link loses 0.5 % of the frames each way.",
        link=both(delay_ms=5, loss=0.005),
    ),
    _fault(
        "loss-2",
        "2 % of the frames lost each way",
        "The link loses 2 % of the frames each way.",
        link=both(delay_ms=5, loss=0.02),
    ),
    _fault(
        "capture-loss-1",
        "1 % of the frames missing from the capture",
        "The link does nothing to it, but the SPAN port is too slow: 1 % of the frames are not in the capture.",
        spans=(SPAN_ROUTER,),
        removed_share=0.01,
    ),
    _fault(
        "duplicates",
        "a SPAN port that copies every frame twice",
        "The link does nothing to it, but one SPAN port copies what enters and what leaves: every frame twice.",
        spans=(SPAN_ROUTER, SPAN_DOUBLE),
    ),
)
