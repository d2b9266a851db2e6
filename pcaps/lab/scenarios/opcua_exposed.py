"""OPC UA without protection: no security, anonymous, a password in clear; and a stranger who uses all of it."""

from __future__ import annotations

from typing import Final

from pcaps import Planted
from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, Tap, expect, ran, told
from pcaps.lab.scenarios.opcua_protected import NAME as TWIN
from pcaps.lab.scenarios.opcua_protected import maintain, watch
from pcaps.lab.synth.opcua import PORT, Node, UserName, services
from pcaps.lab.thickener import (
    DISABLE,
    ENGINEERING,
    HIGH_TORQUE,
    RAKE_SPEED,
    SCADA,
    STOP_RAKE,
    STRANGER,
    THICKENER,
    TORQUE_LIMIT,
    UA1,
    UA2,
    conversation,
    spoken,
    values,
)

_NAME: Final = "opcua-exposed"
_DAY: Final = 1
_START_S: Final = 6 * 3_600 + 900
_MINUTES: Final = 12
_PASSWORD: Final = "planted-Torque-4417"  # noqa: S105 - planted: no output may have it
_GUESSES: Final = tuple(f"planted-guess-{number}-Zq" for number in range(6))
_REFUSED: Final = 0x801F0000  # BadUserAccessDenied
_SMALL_BUFFER: Final = 8_192
_READS: Final = 8


def _unprotected(site: MineARemote) -> None:
    """The SCADA server falls back to a channel without security, as nobody in particular."""
    said = conversation(site, "unprotected", SCADA, UA1, buffer=_SMALL_BUFFER)
    said.connect(site.at(210))
    said.log_in(site.at(211))
    for number in range(_READS):
        said.ask(services.read(values("Torque", "BedLevel", step=number)), site.at(215 + 20 * number))
    # Both longer than a chunk.
    many = {f"{THICKENER}.Trend.Sample{number:04}": number for number in range(240)}
    said.ask(services.read(many), site.at(380))
    said.log_out(site.at(385))
    spoken(site, "scada1", "ua1", said)


def _in_clear(site: MineARemote) -> None:
    """The engineering station's other program sends name and password as they are."""
    said = conversation(site, "in-clear", ENGINEERING, UA1)
    said.connect(site.at(260))
    said.log_in(site.at(261), UserName("maintenance", _PASSWORD))
    said.ask(services.read(values("RakeHeight", "RakeSpeed")), site.at(265))
    said.log_out(site.at(290))
    spoken(site, "ews1", "ua1", said)


def _stranger(site: MineARemote) -> int:
    """An office workstation finds the servers, tries passwords, walks the tree, writes and calls; its Browse calls."""
    for at_s, server, name in ((400, UA1, "ua1"), (404, UA2, "ua2")):
        said = conversation(site, f"finding/{name}", STRANGER, server)
        said.connect(site.at(at_s))
        said.ask(services.find_servers(server), site.at(at_s))
        said.ask(services.get_endpoints(server), site.at(at_s))
        said.disconnect(site.at(at_s + 1))
        spoken(site, "ent-ws7", name, said)
    for number, guess in enumerate(_GUESSES):
        said = conversation(site, f"guess/{number}", STRANGER, UA1)
        said.connect(site.at(415 + 7 * number))
        said.log_in(site.at(416 + 7 * number), UserName("operator", guess), refused=_REFUSED)
        said.disconnect(site.at(418 + 7 * number))
        spoken(site, "ent-ws7", "ua1", said)
    said = conversation(site, "stranger", STRANGER, UA1)
    said.connect(site.at(470))
    said.log_in(site.at(471))
    nodes = [node for node in UA1.root.walk() if node.children or node is UA1.root]
    for number, node in enumerate(nodes):
        said.ask(services.browse([node]), site.at(475 + number))
    said.ask(services.write({TORQUE_LIMIT: 140.0}), site.at(520))
    said.ask(services.write({RAKE_SPEED: 0.0}), site.at(524))
    said.ask(services.call(HIGH_TORQUE, DISABLE), site.at(530))
    said.ask(services.call(THICKENER, STOP_RAKE), site.at(535))
    said.ask(services.add_node("i=85", Node("ns=2;s=Backdoor", "Backdoor")), site.at(540))
    said.log_out(site.at(550))
    spoken(site, "ent-ws7", "ua1", said)
    return len(nodes)


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY, start_s=_START_S)
    site.operators()
    site.housekeeping()
    watch(site, "thickener", UA1, 20, 190)
    maintain(site, "limits", 120)
    _unprotected(site)
    _in_clear(site)
    browsed = _stranger(site)
    captured = ran(site)
    tap = Tap(site, captured)
    unprotected, walk = (205, 395), (468, 560)

    def stranger(
        check: str, count: int, because: str, seconds: tuple[int, int], server: str = "ua1"
    ) -> Planted:
        return tap.saw(check, "ent-ws7", server, count, because, service="opcua", seconds=seconds)

    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "OPC UA, exposed",
            f"""
At first all is well: the SCADA server watches the thickener under SignAndEncrypt, the engineering station signs and
has a certificate. Then the SCADA server comes back without security and as nobody in particular, and the
engineering station's other program sends a name and a password in clear. In the seventh minute an office workstation
asks two servers who they are and how they may be spoken to, tries {len(_GUESSES)} passwords in three quarters of a
minute (in clear, too), comes in anonymously, walks the whole address space ({browsed} Browse calls), writes the
torque limit and the rake's speed, disables the high torque alarm, stops the rake, and adds a node.
""",
            planted=(
                tap.saw(
                    "O1",
                    "scada1",
                    "ua1",
                    1,
                    "a channel without security after better ones",
                    service="opcua",
                    seconds=unprotected,
                ),
                tap.saw(
                    "O11", "scada1", "ua1", 1, "security downgraded", service="opcua", seconds=unprotected
                ),
                tap.saw("O11", "ews1", "ua1", 1, "security downgraded", service="opcua", seconds=(255, 300)),
                tap.saw(
                    "O3", "scada1", "ua1", 1, "an anonymous session", service="opcua", seconds=unprotected
                ),
                tap.saw(
                    "O2",
                    "ews1",
                    "ua1",
                    1,
                    "a name and a password in clear",
                    service="opcua",
                    seconds=(255, 300),
                ),
                tap.saw(
                    "O1",
                    "ews1",
                    "ua1",
                    1,
                    "a channel without security after better ones",
                    service="opcua",
                    seconds=(255, 300),
                ),
                tap.saw(
                    "SEG-13",
                    "scada1",
                    "ua1",
                    1,
                    "mode None where SignAndEncrypt is demanded",
                    service="opcua",
                    seconds=unprotected,
                ),
                tap.saw(
                    "SEG-13",
                    "ews1",
                    "ua1",
                    1,
                    "mode None where Sign is demanded",
                    service="opcua",
                    seconds=(255, 300),
                ),
                tap.saw(
                    "SEG-05",
                    "scada1",
                    "ua1",
                    _READS + 1,
                    "reads by nobody in particular, mode None: the rule wants neither",
                    service="opcua",
                    seconds=unprotected,
                ),
                tap.saw(
                    "SEG-05",
                    "ews1",
                    "ua1",
                    1,
                    "a read by a user's name, mode None: the rule wants neither",
                    service="opcua",
                    seconds=(255, 300),
                ),
                stranger("O5", 2, "FindServers and GetEndpoints by a new host", (398, 410)),
                stranger("O5", 2, "FindServers and GetEndpoints by a new host", (398, 410), "ua2"),
                stranger("O4", len(_GUESSES), "refused logins within 45 s", (412, 465)),
                stranger("O2", len(_GUESSES), "passwords in clear, all refused", (412, 465)),
                stranger(
                    "O1", len(_GUESSES) + 1, "channels without security that are for sessions", (412, 560)
                ),
                stranger("O3", 1, "an anonymous session", walk),
                stranger("O6", browsed, "Browse calls, every folder of the address space", (474, 519)),
                stranger("O7", 2, "Write calls by a new client", (519, 529)),
                stranger("O8", 2, "Call of methods never called before", (529, 539)),
                stranger("O9", 1, "Disable (9028) of an alarm", (529, 534)),
                stranger("O10", 1, "AddNodes", (539, 545)),
                stranger("CHG-01", 3, "two Write calls and AddNodes, after the server's window", (519, 545)),
                stranger("SEG-02", 1, "from level 4 to level 1", (398, 560)),
                stranger("SEG-02", 1, "from level 4 to level 1", (398, 560), "ua2"),
            ),
            expected=(
                *(
                    expect(
                        site,
                        "SEG-13",
                        client,
                        "ua1",
                        PORT,
                        "opcua",
                        conduit="c-room-plant",
                        severity=4,
                        exactly=1,
                        because="medium, one more for an established session",
                    )
                    for client in ("scada1", "ews1")
                ),
                expect(
                    site,
                    "SEG-05",
                    "scada1",
                    "ua1",
                    PORT,
                    "opcua",
                    conduit="c-room-plant",
                    severity=3,
                    exactly=_READS + 1,
                    because="medium; a read changes nothing",
                ),
                expect(
                    site,
                    "SEG-05",
                    "ews1",
                    "ua1",
                    PORT,
                    "opcua",
                    conduit="c-room-plant",
                    severity=3,
                    exactly=1,
                    because="medium; a read changes nothing",
                ),
                expect(
                    site,
                    "SEG-02",
                    "ent-ws7",
                    "ua1",
                    PORT,
                    "opcua",
                    severity=5,
                    because="high, one more for an established session",
                ),
                expect(
                    site,
                    "SEG-02",
                    "ent-ws7",
                    "ua2",
                    PORT,
                    "opcua",
                    severity=5,
                    because="high, one more for an established session",
                ),
                *(
                    expect(
                        site,
                        kind,
                        client,
                        "ua1",
                        PORT,
                        "opcua",
                        conduit="c-room-plant",
                        severity=severity,
                        exactly=1,
                        because=because,
                    )
                    for kind, client, severity, because in (
                        ("O1", "scada1", 3, "medium: an exposure"),
                        ("O3", "scada1", 2, "low: it says who, not what"),
                        ("O1", "ews1", 3, "medium: an exposure"),
                        ("O2", "ews1", 4, "high: the password is lost"),
                        ("O11", "scada1", 4, "high: somebody may have had it so"),
                        ("O11", "ews1", 4, "high: somebody may have had it so"),
                    )
                ),
                *(
                    expect(
                        site,
                        kind,
                        "ent-ws7",
                        server,
                        PORT,
                        "opcua",
                        severity=severity,
                        exactly=count,
                        because=because,
                    )
                    for kind, server, severity, count, because in (
                        ("O5", "ua1", 2, 2, "low: it only asks"),
                        ("O5", "ua2", 2, 2, "low: it only asks"),
                        ("O4", "ua1", 4, len(_GUESSES), "high: passwords are tried"),
                        ("O2", "ua1", 4, len(_GUESSES), "high: what is tried in clear is lost too"),
                        ("O1", "ua1", 3, len(_GUESSES) + 1, "medium: an exposure"),
                        ("O3", "ua1", 2, 1, "low: it says who, not what"),
                        ("O6", "ua1", 3, browsed, "medium: it reads"),
                        ("O9", "ua1", 5, 1, "high, one more because the server confirmed it"),
                        ("O10", "ua1", 5, 1, "high, one more because the server confirmed it"),
                        # Writes and new nodes are two findings.
                        ("CHG-01", "ua1", 5, 0, "high, one more because the server confirmed it"),
                        ("CHG-01", "ua1", 5, 0, "high, one more because the server confirmed it"),
                    )
                ),
            ),
            twin=TWIN,
            secrets=(_PASSWORD, *_GUESSES),
            paths=(("scada1", "ua1"), ("ews1", "ua1"), ("ent-ws7", "ua1")),
        ),
    )


SCENARIO: Final = Scenario(_NAME, 20_261_312, _make, packed=True)
