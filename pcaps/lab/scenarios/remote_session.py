"""A vendor's visit as the policy has it: through the gateway and the jump host, approved, in its hours."""

from __future__ import annotations

from typing import Final

from pcaps.lab.mine_a import SETPOINTS
from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, ran, told
from pcaps.lab.synth.opcua import Certificate, services
from pcaps.lab.thickener import ENGINEERING, TORQUE, TORQUE_LIMIT, UA1, conversation, secured, spoken

NAME: Final = "remote-session-benign"
#: Tuesday, ten minutes after the vendor's window opens.
_DAY, _START_S = 1, 600
_MINUTES: Final = 75
VENDOR_USER: Final = "acme-tech"


def set_limits(site: MineARemote, at_s: int, limit: float, name: str, *, node: str = TORQUE_LIMIT) -> None:
    """The engineering station reads the thickener's torque and sets its limit, signed and with its certificate.

    `node`: what it writes instead.
    """
    security = secured(ENGINEERING, UA1, encrypt=False)
    said = conversation(site, name, ENGINEERING, UA1, security=security)
    said.connect(site.at(at_s))
    said.log_in(site.at(at_s + 1), Certificate(security.client))
    said.ask(services.read({TORQUE: 31.5, TORQUE_LIMIT: 60.0}), site.at(at_s + 3))
    said.ask(services.write({node: limit}), site.at(at_s + 8))
    said.ask(services.read({node: limit}), site.at(at_s + 9))
    said.log_out(site.at(at_s + 12))
    spoken(site, "ews1", "ua1", said)


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY, start_s=_START_S)
    site.operators()
    site.housekeeping()
    site.tunnel("acme1", 60, 4_200)
    site.desktop("vpn1", "jump1", VENDOR_USER, (90, 1_500), (1_800, 4_150))
    site.desktop("jump1", "ews1", VENDOR_USER, (180, 900), (1_500, 2_100))
    site.session("ews1", "plc1", 700, SETPOINTS, pause_s=6)
    set_limits(site, 1_600, 58.0, "visit")
    # One after the other: a vendor has one session at a time. A mistyped password is no attack.
    site.shell("jump1", "scada1", (2_300, 2_900), mistakes=1)
    site.screen("jump1", "hmi1", (3_100, 3_900))
    site.fetch("reports1", "upd1", 400, "updates.example")
    site.fetch("jump1", "upd1", 2_000, "updates.example")
    site.chatter("hist1", "upd1", 443, 1_000, 12)
    captured = ran(site)
    return told(
        site,
        captured,
        Story(
            NAME,
            seed,
            "A vendor's visit, by the book",
            """
Tuesday morning, an approved change. Acme's engineer comes in through the gateway (TLS), works on the jump host, from
there on the engineering station by Remote Desktop, then on the SCADA server by SSH (one mistyped password) and on the
operator station by VNC: one session at a time, none idle for long, all within the window and its two hours. During
the first, the engineering station sets mill setpoints over Modbus and the thickener's torque limit over OPC UA, as
the change says. Beside it two hosts fetch updates over TLS, and one exchanges datagrams of its own kind with the
update server. Nothing of it is wrong.
""",
            twin_of="remote-bypass",
            paths=(("hmi1", "plc1"), ("jump1", "ews1"), ("vpn1", "jump1")),
        ),
    )


SCENARIO: Final = Scenario(NAME, 20_261_301, _make, packed=True)
