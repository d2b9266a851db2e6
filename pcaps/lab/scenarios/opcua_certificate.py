"""A server that suddenly shows another certificate."""

from __future__ import annotations

from typing import Final

from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, Tap, expect, ran, told
from pcaps.lab.scenarios.opcua_protected import NAME as TWIN
from pcaps.lab.scenarios.opcua_protected import watch
from pcaps.lab.synth.opcua import PORT
from pcaps.lab.thickener import UA1, UA1_REKEYED, UA2

_NAME: Final = "opcua-certificate"
_DAY: Final = 1
_START_S: Final = 6 * 3_600 + 1_800
_MINUTES: Final = 10
_CHANGED_S: Final = 290


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY, start_s=_START_S)
    site.operators()
    site.housekeeping()
    watch(site, "first", UA1, 20, 140)
    watch(site, "second", UA1, 150, 270)
    watch(site, "third", UA1_REKEYED, _CHANGED_S + 10, 420)
    watch(site, "fourth", UA1_REKEYED, 430, 560)
    watch(site, "reagents", UA2, 40, 540, opens=True)
    captured = ran(site)
    tap = Tap(site, captured)
    old, new = (server.application.identity for server in (UA1, UA1_REKEYED))
    assert old and new  # noqa: S101 - for the type checker
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "Another certificate",
            """
The SCADA server connects to the thickener's server four times in ten minutes, each time under SignAndEncrypt and
each time renewing its keys once. From the third time on the server shows another certificate: the same name, the
same address, another key. It may have been renewed, or somebody else answers. The reagents' server keeps its own.
""",
            planted=(
                tap.saw(
                    "O11",
                    "scada1",
                    "ua1",
                    2,
                    "connections to a server whose certificate is not the one before",
                    service="opcua",
                    seconds=(_CHANGED_S, _MINUTES * 60),
                ),
            ),
            expected=(
                expect(
                    site,
                    "O11",
                    "scada1",
                    "ua1",
                    PORT,
                    "opcua",
                    conduit="c-room-plant",
                    severity=4,
                    # Two connections, each with its keys renewed once.
                    exactly=4,
                    because="high",
                ),
            ),
            twin=TWIN,
            truth={"certificate_before_sha1": old.sha1, "certificate_after_sha1": new.sha1},
            paths=(("scada1", "ua1"), ("hmi1", "plc1")),
        ),
    )


SCENARIO: Final = Scenario(_NAME, 20_261_313, _make, packed=True)
