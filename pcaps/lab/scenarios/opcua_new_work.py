"""An engineering station that one day does more than it ever did: another node written, another method called."""

from __future__ import annotations

from typing import Final

from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, Tap, expect, ran, told
from pcaps.lab.scenarios.opcua_protected import NAME as TWIN
from pcaps.lab.scenarios.opcua_protected import maintain, watch
from pcaps.lab.synth.opcua import PORT, Certificate, services
from pcaps.lab.thickener import (
    ENGINEERING,
    RAKE_SPEED,
    STOP_RAKE,
    THICKENER,
    TORQUE_LIMIT,
    UA1,
    conversation,
    secured,
    spoken,
)

_NAME: Final = "opcua-new-work"
_DAY: Final = 2
_START_S: Final = 6 * 3_600
_MINUTES: Final = 6
_NEW_S: Final = (229, 260)


def _more(site: MineARemote, at_s: int) -> None:
    """The station's second session: what it does every time, and then what it never did."""
    security = secured(ENGINEERING, UA1, encrypt=False)
    said = conversation(site, "more", ENGINEERING, UA1, security=security)
    said.connect(site.at(at_s))
    said.log_in(site.at(at_s + 1), Certificate(security.client))
    said.ask(services.write({TORQUE_LIMIT: 62.0}), site.at(at_s + 5))
    said.ask(services.write({RAKE_SPEED: 0.4}), site.at(at_s + 10))
    said.ask(services.call(THICKENER, STOP_RAKE), site.at(at_s + 15))
    said.log_out(site.at(at_s + 25))
    spoken(site, "ews1", "ua1", said)


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY, start_s=_START_S)
    site.operators()
    site.housekeeping()
    watch(site, "thickener", UA1, 20, 330)
    maintain(site, "limits", 120)
    _more(site, 230)
    captured = ran(site)
    tap = Tap(site, captured)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "OPC UA, work that is new",
            """
The SCADA server watches the thickener under SignAndEncrypt; the engineering station signs, has a certificate, sets the
torque limit and raises the rake, as it always does. Two minutes later it comes again, sets the torque limit once more,
then writes the rake's speed, which it never did and its rule does not give it, and calls the method that stops the
rake: its rule lets it call, and it never called that one.
""",
            planted=tuple(
                tap.saw(check, "ews1", "ua1", 1, because, service="opcua", seconds=_NEW_S)
                for check, because in (
                    ("O7", "a Write to a node that this client never wrote"),
                    ("O8", "a Call of a method that nobody called before"),
                    ("SEG-05", "a node that its rule does not let it write"),
                    ("CHG-01", "a Write of the rake's speed, in no window"),
                )
            ),
            expected=tuple(
                expect(
                    site,
                    check,
                    "ews1",
                    "ua1",
                    PORT,
                    "opcua",
                    conduit="c-room-plant",
                    severity=severity,
                    exactly=1,
                    because=because,
                )
                for check, severity, because in (
                    ("O7", 5, "high, one more because the server confirmed it"),
                    ("O8", 5, "high, one more because the server confirmed it"),
                    ("SEG-05", 4, "medium, one more because the server confirmed it; the thickener is C2"),
                    ("CHG-01", 5, "high, one more because the server confirmed it"),
                )
            ),
            twin=TWIN,
            baseline=TWIN,
            paths=(("scada1", "ua1"), ("ews1", "ua1"), ("hmi1", "plc1")),
        ),
    )


SCENARIO: Final = Scenario(_NAME, 20_261_314, _make, packed=True)
