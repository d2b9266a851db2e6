"""A visit that does not stay where it was let in: from the target on to other machines, and logins tried."""

from __future__ import annotations

from typing import Final

from pcaps.lab.mine_a import SETPOINTS
from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, Tap, expect, ran, told
from pcaps.lab.scenarios.remote_session import NAME as TWIN
from pcaps.lab.scenarios.remote_session import VENDOR_USER, set_limits
from pcaps.lab.synth import rdp, ssh

_NAME: Final = "remote-pivot"
#: Tuesday again, approved, an hour later than the visit by the book.
_DAY, _START_S = 1, 7_200
_MINUTES: Final = 45
_KNOCKS: Final = 7
_TRIES: Final = 3


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY, start_s=_START_S)
    site.operators()
    site.housekeeping()
    site.tunnel("acme1", 60, 2_500)
    site.desktop("vpn1", "jump1", VENDOR_USER, (90, 2_450))
    site.desktop("jump1", "ews1", VENDOR_USER, (400, 2_400))
    for knock in range(_KNOCKS):
        site.knock("jump1", "scada1", 130 + 25 * knock, _TRIES)
    site.shell("ews1", "ua1", (700, 1_500))
    site.desktop("ews1", "hist1", "operator", (900, 1_300))
    site.session("ews1", "plc1", 1_600, SETPOINTS, pause_s=6)
    set_limits(site, 1_800, 92.0, "pivot")
    captured = ran(site)
    tap = Tap(site, captured)
    established = "one more for an established session"
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "On from where the vendor was let in",
            f"""
Tuesday, an approved visit, through gateway and jump host. From the jump host somebody first tries passwords on the
SCADA server, {_KNOCKS} connections of {_TRIES} refusals each, in vain; then the engineering station's desktop opens.
From there, while the visit lasts, an SSH session goes on to the thickener's server and a desktop to the historian:
the station that the vendor was let in to opens doors of its own. The setpoints and the torque limit that are written
at the end are part of the change.
""",
            planted=(
                tap.saw(
                    "RA-08",
                    "ews1",
                    "ua1",
                    1,
                    "SSH from the visit's target",
                    service="ssh",
                    seconds=(690, 1_550),
                ),
                tap.saw("RA-08", "ews1", "hist1", 1, "a desktop from the visit's target", service="rdp"),
                tap.saw(
                    "RA-09",
                    "jump1",
                    "scada1",
                    _KNOCKS * _TRIES,
                    "refused passwords, in connections of three",
                    service="ssh",
                ),
                tap.saw(
                    "SEG-04",
                    "ews1",
                    "ua1",
                    1,
                    "a service the conduit does not allow",
                    service="ssh",
                    seconds=(690, 1_550),
                ),
                tap.saw("SEG-03", "ews1", "hist1", 1, "only the other direction is declared", service="rdp"),
            ),
            expected=(
                *(
                    expect(
                        site,
                        "RA-08",
                        "ews1",
                        dst,
                        port,
                        service,
                        conduit=conduit,
                        severity=5,
                        exactly=1,
                        because=f"high, {established}",
                    )
                    for dst, port, service, conduit in (
                        ("ua1", ssh.PORT, "ssh", "c-room-plant"),
                        ("hist1", rdp.PORT, "rdp", ""),
                    )
                ),
                expect(
                    site,
                    "RA-09",
                    "jump1",
                    "scada1",
                    ssh.PORT,
                    "ssh",
                    conduit="c-jump-room",
                    severity=3,
                    exactly=_KNOCKS * _TRIES,
                    because="medium; nobody was let in",
                ),
                expect(
                    site,
                    "SEG-04",
                    "ews1",
                    "ua1",
                    ssh.PORT,
                    "ssh",
                    conduit="c-room-plant",
                    severity=4,
                    because=f"medium, {established}",
                ),
                expect(
                    site,
                    "SEG-03",
                    "ews1",
                    "hist1",
                    rdp.PORT,
                    "rdp",
                    severity=4,
                    because=f"medium, {established}",
                ),
            ),
            twin=TWIN,
            paths=(("hmi1", "plc1"), ("jump1", "ews1")),
        ),
    )


SCENARIO: Final = Scenario(_NAME, 20_261_304, _make, packed=True)
