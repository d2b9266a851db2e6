"""An hour in which nothing is wrong: everything that talks is allowed to, and the network is good."""

from __future__ import annotations

from typing import Final

from pcaps.lab.mine_a import MineA
from pcaps.lab.notes import Notes
from pcaps.lab.scenarios.base import (
    POLICY,
    Made,
    Scenario,
    conversations,
    modbus_figures,
    origin,
    round_trips,
)
from pcaps.lab.synth.span import frames_of, in_order

_NAME: Final = "normal-shift"
_MINUTES: Final = 60


def _make(seed: int) -> Made:
    site = MineA(seed, _MINUTES)
    site.operators()
    site.engineering(9, 31, 48)
    site.background()
    site.run()
    captured = in_order(site.network.captured)
    notes = Notes(
        title="A normal shift",
        story="""
One hour of a calm morning at Mine A. The operator station polls the concentrator's and the crusher's
controllers, the historian in the DMZ reads trends, the engineering station sets mill setpoints three times,
inside the registers that its rule gives it. The SCADA server reads an OPC UA server and a feeder meter, a
vibration gateway publishes over MQTT, the office fetches shift reports from the historian over TLS,
stations ask for names, time and hardware addresses. Clients reconnect every minute or two, so that handshakes
measure the path. Everything is allowed: no finding, and no loss.
""",
        origin=origin(_NAME, seed),
        policy=POLICY,
        demo=True,
        truth={
            **modbus_figures(site),
            "dropped_segments": 0,
            "removed_frames": 0,
            "span_duplicates": 0,
        },
        truth_lists={
            "round_trip": round_trips(
                site,
                (
                    ("hmi1", "plc1"),
                    ("hmi1", "plc2"),
                    ("hmi1", "plc3"),
                    ("hist1", "plc1"),
                    ("scada1", "meter1"),
                ),
                ((0, _MINUTES),),
            ),
            "conversation": conversations(site, captured),
        },
    )
    return Made(frames_of(captured), notes)


SCENARIO: Final = Scenario(_NAME, 20_261_116, _make)
