"""Remote access past the jump host, without its first leg, and by tools that need no gateway at all."""

from __future__ import annotations

from typing import Final

from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, Tap, expect, ran, told
from pcaps.lab.scenarios.remote_session import NAME as TWIN
from pcaps.lab.scenarios.remote_session import VENDOR_USER, set_limits
from pcaps.lab.synth import rdp, tunnels, vnc
from pcaps.lab.synth.modbus import PORT as MODBUS_PORT
from pcaps.lab.synth.modbus import READ_HOLDING, WRITE_SINGLE, Request
from pcaps.lab.synth.opcua import PORT as OPCUA_PORT
from pcaps.lab.thickener import RAKE_SPEED

_NAME: Final = "remote-bypass"
#: Thursday: nothing is approved.
_DAY, _START_S = 3, 600
_MINUTES: Final = 50
#: Not the setpoints, which end with register 119: what the mill is set up with.
_PARAMETERS: Final = (
    Request(READ_HOLDING, 140, 20),
    Request(WRITE_SINGLE, 150, 1, (3_100,)),
    Request(WRITE_SINGLE, 151, 1, (0,)),
)


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY, start_s=_START_S)
    site.operators()
    site.housekeeping()
    site.desktop("acme1", "ews1", VENDOR_USER, (60, 1_200))
    site.session("ews1", "plc1", 400, _PARAMETERS, pause_s=6)
    set_limits(site, 600, 0.0, "bypass", node=RAKE_SPEED)
    site.screen("vpn1", "hmi1", (1_300, 1_700))
    site.desktop("jump1", "ews1", VENDOR_USER, (1_800, 2_300))
    site.teamviewer("ews1", "relay1", (1_400, 2_400))
    site.wireguard("hist1", "peer1", 1_500, 40)
    site.fetch("jump1", "upd1", 1_000, "updates.example")
    site.chatter("hist1", "upd1", 443, 1_100, 12)
    captured = ran(site)
    tap = Tap(site, captured)
    established = "one more for an established session"
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "Remote access past the jump host",
            """
Thursday, nothing approved. Acme's engineer opens Remote Desktop straight to the engineering station, from outside
and past gateway and jump host; while that lasts, the engineering station writes over Modbus what the mill is set up
with, beyond the setpoints that its rule gives it, and stops the thickener's rake over OPC UA, all outside any change.
Then somebody goes from the gateway to the operator station
by VNC, past the jump host; then there is a desktop from the jump host to the engineering station although nobody is
on the jump host through the gateway. The engineering station speaks what looks like TeamViewer to a relay outside,
and the historian has a WireGuard tunnel to a peer outside. Beside them updates are fetched over TLS, and datagrams
of nearly WireGuard's lengths go to the update server: those are allowed.
""",
            planted=(
                tap.saw(
                    "RA-01", "acme1", "ews1", 1, "a desktop from outside, past the jump host", service="rdp"
                ),
                tap.saw(
                    "RA-01", "vpn1", "hmi1", 1, "a screen from the gateway, past the jump host", service="vnc"
                ),
                tap.saw("RA-03", "acme1", "ews1", 1, "no approval covers Thursday", service="rdp"),
                tap.saw("RA-03", "vpn1", "hmi1", 1, "no approval covers Thursday", service="vnc"),
                tap.saw("RA-03", "jump1", "ews1", 1, "no approval covers Thursday", service="rdp"),
                tap.saw(
                    "RA-06", "jump1", "ews1", 1, "nobody is on the jump host by the gateway", service="rdp"
                ),
                tap.saw("RA-07", "ews1", "relay1", 1, "commands like TeamViewer's", service="teamviewer"),
                tap.saw("RA-07", "hist1", "peer1", 1, "a WireGuard handshake", service="wireguard"),
                tap.saw("SEG-01", "vpn1", "hmi1", 1, "no conduit leads there", service="vnc"),
                tap.saw("SEG-01", "ews1", "relay1", 1, "an address of no zone", service="teamviewer"),
                tap.saw("SEG-01", "hist1", "peer1", 1, "an address of no zone", service="wireguard"),
                tap.saw("SEG-02", "acme1", "ews1", 1, "from level 5 to level 2", service="rdp"),
                tap.saw("SEG-06", "ews1", "relay1", 1, "out of a zone that denies it", service="teamviewer"),
                tap.saw("SEG-06", "hist1", "peer1", 1, "out of a zone that denies it", service="wireguard"),
                tap.saw(
                    "SEG-05", "ews1", "ua1", 1, "a node that its rule does not let it write", service="opcua"
                ),
                tap.saw("SEG-05", "ews1", "plc1", 2, "registers beyond the setpoints", service="modbus"),
                tap.saw("CHG-01", "ews1", "plc1", 2, "function 6, beyond the setpoints", service="modbus"),
                tap.saw(
                    "CHG-01",
                    "ews1",
                    "ua1",
                    1,
                    "a Write of the rake's speed, no node of its rule",
                    service="opcua",
                ),
            ),
            expected=(
                *(
                    expect(
                        site,
                        "CHG-01",
                        "ews1",
                        server,
                        port,
                        service,
                        conduit="c-room-plant",
                        severity=5,
                        exactly=count,
                        because="high, one more because the device confirmed it, and 5 is the most",
                    )
                    for server, port, service, count in (
                        ("plc1", MODBUS_PORT, "modbus", 2),
                        ("ua1", OPCUA_PORT, "opcua", 1),
                    )
                ),
                *(
                    expect(
                        site,
                        check,
                        src,
                        dst,
                        port,
                        service,
                        conduit=conduit,
                        severity=5,
                        exactly=1,
                        because=f"high, {established}",
                    )
                    for checks, src, dst, port, service, conduit in (
                        (("RA-01", "RA-03"), "acme1", "ews1", rdp.PORT, "rdp", ""),
                        (("RA-01", "RA-03"), "vpn1", "hmi1", vnc.PORT, "vnc", ""),
                        (("RA-03", "RA-06"), "jump1", "ews1", rdp.PORT, "rdp", "c-jump-room"),
                    )
                    for check in checks
                ),
                expect(
                    site,
                    "SEG-05",
                    "ews1",
                    "plc1",
                    MODBUS_PORT,
                    "modbus",
                    conduit="c-room-plant",
                    severity=5,
                    exactly=2,
                    because="medium, one more for a C1 target, one more because the controller confirmed",
                ),
                expect(
                    site,
                    "SEG-05",
                    "ews1",
                    "ua1",
                    OPCUA_PORT,
                    "opcua",
                    conduit="c-room-plant",
                    severity=4,
                    exactly=1,
                    because="medium, one more because the server confirmed; the thickener is C2",
                ),
                expect(
                    site,
                    "SEG-02",
                    "acme1",
                    "ews1",
                    rdp.PORT,
                    "rdp",
                    severity=5,
                    because=f"high, {established}",
                ),
                expect(
                    site,
                    "SEG-01",
                    "vpn1",
                    "hmi1",
                    vnc.PORT,
                    "vnc",
                    severity=4,
                    because=f"medium, {established}",
                ),
                *(
                    expect(
                        site,
                        check,
                        src,
                        dst,
                        port,
                        service,
                        severity=5,
                        because=f"high, {established}",
                    )
                    for check in ("SEG-06", "RA-07")
                    for src, dst, port, service in (
                        ("ews1", "relay1", tunnels.TEAMVIEWER_PORT, "teamviewer"),
                        ("hist1", "peer1", tunnels.WIREGUARD_PORT, "wireguard"),
                    )
                ),
                expect(
                    site,
                    "SEG-01",
                    "ews1",
                    "relay1",
                    tunnels.TEAMVIEWER_PORT,
                    "teamviewer",
                    severity=4,
                    because=f"medium, {established}",
                ),
                expect(
                    site,
                    "SEG-01",
                    "hist1",
                    "peer1",
                    tunnels.WIREGUARD_PORT,
                    "wireguard",
                    severity=4,
                    because=f"medium, {established}",
                ),
            ),
            twin=TWIN,
            paths=(("hmi1", "plc1"), ("jump1", "ews1")),
        ),
    )


SCENARIO: Final = Scenario(_NAME, 20_261_302, _make, packed=True)
