"""Remote access through the right machines, at the wrong time: too late, too long, too idle, too many, unapproved."""

from __future__ import annotations

from typing import Final

from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, Tap, expect, ran, told
from pcaps.lab.scenarios.remote_session import NAME as TWIN
from pcaps.lab.scenarios.remote_session import VENDOR_USER
from pcaps.lab.synth import rdp, ssh, vnc

_NAME: Final = "remote-hours"
#: Wednesday from the window's first minute on, until Thursday noon.
_DAY: Final = 2
_MINUTES: Final = 28 * 60
_HOUR: Final = 3_600
#: Seconds of the capture: Wednesday's window ends after four hours, Thursday's begins a day after Wednesday's.
_WINDOW_END: Final = 4 * _HOUR
_THURSDAY: Final = 24 * _HOUR


def _legs(site: MineARemote, vendor: str, from_s: int, to_s: int) -> None:
    """The way to the jump host: the tunnel, and the desktop inside."""
    site.tunnel(vendor, from_s, to_s)
    site.desktop("vpn1", "jump1", VENDOR_USER, (from_s + 40, to_s - 20))


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY)
    # Allowed: twenty minutes, approved, in the window, nobody else.
    _legs(site, "acme1", 600, 2_000)
    site.desktop("jump1", "ews1", VENDOR_USER, (700, 1_900))
    # Idle for forty minutes, in the desktop and in the shell behind it; meanwhile another one: two at once.
    _legs(site, "acme1", 3_000, 8_000)
    site.shell("jump1", "scada1", (3_200, 3_500), (5_900, 6_200))
    _legs(site, "acme2", 6_000, 7_800)
    site.desktop("jump1", "ews1", "acme-two", (6_050, 7_600))
    # Half an hour before the window's end: it goes on for two hours and a half.
    _legs(site, "acme1", _WINDOW_END - 1_800, _WINDOW_END + 7_400)
    site.desktop("jump1", "ews1", VENDOR_USER, (_WINDOW_END - 1_700, _WINDOW_END + 7_300))
    # At half past five in the evening.
    evening = 9 * _HOUR + 1_800
    _legs(site, "acme1", evening, evening + 1_300)
    site.screen("jump1", "hmi1", (evening + 100, evening + 1_200))
    # Thursday, in the window, and nobody approved it.
    _legs(site, "acme2", _THURSDAY + 900, _THURSDAY + 2_400)
    site.desktop("jump1", "ews1", "acme-two", (_THURSDAY + 1_000, _THURSDAY + 2_300))
    captured = ran(site)
    tap = Tap(site, captured)
    late = (_WINDOW_END - 1_800, _WINDOW_END + 7_600)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "Remote access at the wrong time",
            """
Wednesday and Thursday, always through gateway and jump host, which is why the segmentation has nothing to say. The
first visit is allowed. In the second a shell on the SCADA server is idle for forty minutes, and when its owner is
back a second engineer is at work on the engineering station: two at once. The third begins half an hour before the
window's end and goes on for two more hours: out of the window, and longer than the two hours that a session may
last. The fourth is at half past five in the evening, on the operator station. The fifth is on Thursday morning, in
the window, and has no approval.
""",
            planted=(
                tap.saw(
                    "RA-04",
                    "jump1",
                    "scada1",
                    1,
                    "idle for 40 minutes, 15 are allowed",
                    service="ssh",
                    seconds=(3_000, 7_000),
                ),
                tap.saw(
                    "RA-05",
                    "jump1",
                    "ews1",
                    1,
                    "a second session, one is allowed",
                    service="rdp",
                    seconds=(6_000, 8_000),
                ),
                tap.saw(
                    "RA-02", "jump1", "ews1", 1, "goes on after the window's end", service="rdp", seconds=late
                ),
                tap.saw(
                    "RA-04",
                    "jump1",
                    "ews1",
                    1,
                    "two hours and a half, two hours are allowed",
                    service="rdp",
                    seconds=late,
                ),
                tap.saw(
                    "RA-02",
                    "jump1",
                    "hmi1",
                    1,
                    "in the evening",
                    service="vnc",
                    seconds=(evening, evening + 1_500),
                ),
                tap.saw(
                    "RA-03",
                    "jump1",
                    "ews1",
                    1,
                    "no approval covers Thursday",
                    service="rdp",
                    seconds=(_THURSDAY, _THURSDAY + 3_000),
                ),
            ),
            expected=tuple(
                expect(
                    site,
                    check,
                    "jump1",
                    dst,
                    port,
                    service,
                    conduit="c-jump-room",
                    severity=severity,
                    exactly=1,
                    because=f"{'high' if severity == 5 else 'medium'}, one more for an established session",
                )
                for check, dst, port, service, severity in (
                    ("RA-04", "scada1", ssh.PORT, "ssh", 4),
                    ("RA-05", "ews1", rdp.PORT, "rdp", 4),
                    ("RA-02", "ews1", rdp.PORT, "rdp", 5),
                    ("RA-04", "ews1", rdp.PORT, "rdp", 4),
                    ("RA-02", "hmi1", vnc.PORT, "vnc", 5),
                    ("RA-03", "ews1", rdp.PORT, "rdp", 5),
                )
            ),
            twin=TWIN,
            paths=(("jump1", "ews1"), ("vpn1", "jump1")),
        ),
    )


SCENARIO: Final = Scenario(_NAME, 20_261_303, _make, packed=True)
