"""OPC UA as the policy has it: signed and encrypted, known users, small questions; and its less usual messages."""

from __future__ import annotations

from typing import Final

from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, ran, told
from pcaps.lab.synth.dialogue import End
from pcaps.lab.synth.opcua import Certificate, Server, UserName, services
from pcaps.lab.thickener import (
    ENGINEERING,
    HIGH_TORQUE,
    LOG,
    RAISE_RAKE,
    SCADA,
    THICKENER,
    TORQUE,
    TORQUE_LIMIT,
    UA1,
    UA2,
    conversation,
    secured,
    spoken,
    values,
)

NAME: Final = "opcua-protected-benign"
_DAY: Final = 1
_START_S: Final = 6 * 3_600
_MINUTES: Final = 12
#: The smallest buffers a peer may have (OPC 10000-6, 7.1.2.3).
_SMALL_BUFFER: Final = 8_192
_BAD_URL: Final = 0x80830000  # BadTcpEndpointUrlInvalid
_TOO_LARGE: Final = 0x80B90000  # BadResponseTooLarge
_USER: Final = UserName("scada", "never-in-clear-Kx27")


def watch(
    site: MineARemote, name: str, server: Server, from_s: int, to_s: int, *, opens: bool = False
) -> None:
    """The SCADA server's session: encrypted, with its name and password, a subscription and some reads."""
    said = conversation(site, name, SCADA, server, security=secured(SCADA, server), server_opens=opens)
    said.connect(site.at(from_s))
    said.log_in(site.at(from_s + 1), _USER)
    said.ask(services.browse([server.root.children[1]], at_most=8, next_point=b"\x01"), site.at(from_s + 2))
    said.ask(services.browse_next(b"\x01", server.root.children[1].children[8:16]), site.at(from_s + 2))
    said.ask(services.create_subscription(1, 1_000.0), site.at(from_s + 3))
    said.ask(services.create_monitored_items(1, [TORQUE], 1_000.0), site.at(from_s + 3))
    renewal_s = (from_s + to_s) // 2
    for number, second in enumerate(range(from_s + 4, to_s - 12, 15), 1):
        changed = services.publish(1, number, {1: 30.0 + number % 7}, site.at(second + 10), number - 1)
        waiting = said.begin(changed, site.at(second))
        said.ask(services.read(values("BedLevel", "FeedFlow", step=number)), site.at(second + 5))
        said.answer(changed, waiting, site.at(second + 10))
        if second <= renewal_s < second + 15:
            said.renew(site.at(second + 12))
    said.log_out(site.at(to_s))
    client, asked = "scada1", server.application.uri.rsplit(":", 1)[1]
    spoken(site, client, asked, said, server_opens=opens)


def maintain(site: MineARemote, name: str, at_s: int) -> None:
    """The engineering station's session: signed, with a certificate, over the smallest buffers."""
    security = secured(ENGINEERING, UA1, encrypt=False)
    said = conversation(site, name, ENGINEERING, UA1, security=security, buffer=_SMALL_BUFFER)
    said.connect(site.at(at_s))
    said.ask(services.get_endpoints(UA1), site.at(at_s))
    said.log_in(site.at(at_s + 1), Certificate(security.client))
    said.ask(services.browse([UA1.root]), site.at(at_s + 3))
    said.ask(services.read(values("Torque", "RakeHeight", "RakeSpeed")), site.at(at_s + 5))
    # Longer than a chunk.
    said.ask(services.read({LOG: "torque within limits; " * 900}), site.at(at_s + 12))
    said.abandon(
        services.read({LOG: "torque within limits; " * 900}), site.at(at_s + 15), _TOO_LARGE, "log too long"
    )
    said.ask(services.write({TORQUE_LIMIT: 60.0}), site.at(at_s + 20))
    said.ask(services.call(THICKENER, RAISE_RAKE, [0.15]), site.at(at_s + 25))
    said.ask(services.read({HIGH_TORQUE + ".ActiveState": False}), site.at(at_s + 27))
    said.log_out(site.at(at_s + 30))
    spoken(site, "ews1", "ua1", said)


def _mistaken(site: MineARemote, at_s: int) -> None:
    """A client with a wrong address: the server says so and ends the connection."""
    said = conversation(site, "mistaken", SCADA, UA1)
    said.greet(site.at(at_s))
    said.error(site.at(at_s), _BAD_URL, "no such endpoint")
    spoken(site, "scada1", "ua1", said, end=End.SERVER_CLOSES)


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY, start_s=_START_S)
    site.operators()
    site.housekeeping()
    watch(site, "thickener", UA1, 20, 600)
    watch(site, "reagents", UA2, 40, 500, opens=True)
    maintain(site, "limits", 120)
    _mistaken(site, 300)
    captured = ran(site)
    return told(
        site,
        captured,
        Story(
            NAME,
            seed,
            "OPC UA, protected",
            """
Twelve minutes of OPC UA as the policy demands it. The SCADA server watches the thickener under SignAndEncrypt, with
name and password that are encrypted twice, and renews its keys on the way. The reagents' server, behind a firewall,
opens its own connection and asks the SCADA server to begin (ReverseHello). The engineering station signs, proves
itself with a certificate, asks for the endpoints, browses one level, sets the torque limit and raises the rake, all
within its rule; its buffers are the smallest allowed, so that a long answer comes in several chunks, and another
is given up half way (abort). One client has a wrong address and is sent away with an error. Nothing of
it is wrong; of the encrypted messages only their number is known.
""",
            twin_of="opcua-exposed",
            paths=(("scada1", "ua1"), ("ews1", "ua1"), ("hmi1", "plc1")),
        ),
    )


SCENARIO: Final = Scenario(NAME, 20_261_311, _make, packed=True)
