"""Mine A with remote access: a vendor outside, a gateway, a jump host; OPC UA and MQTT that demand protection."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from pcaps.lab.site import MORNING_NS, Plan, Site, Station, Zone
from pcaps.lab.synth import rdp, ssh, tls, tunnels, vnc
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.dialogue import End, Line, Side
from pcaps.lab.synth.frames import udp_frame
from pcaps.lab.synth.keys import Identity, identity
from pcaps.lab.synth.modbus import READ_HOLDING, Request
from pcaps.lab.synth.network import Packet
from pcaps.lab.synth.tunnels import Datagram
from pcaps.lab.synth.work import Work, lines_of

NAME: Final = "Mine A"
POLICY: Final = "policies/mine-a-remote.yaml"
DAY_NS: Final = 86_400 * SECOND

#: Everything outside is behind one router, and shows its MAC address.
_OUTSIDE: Final = 0x70
_STATIONS: Final = (
    Station("acme1", "vendor", 5, _OUTSIDE),
    Station("acme2", "vendor", 6, _OUTSIDE),
    Station("upd1", "updates", 10, _OUTSIDE),
    # In no zone of the policy: somewhere in the world.
    Station("relay1", "world", 20, _OUTSIDE),
    Station("peer1", "world", 21, _OUTSIDE),
    Station("reports1", "enterprise", 20, 0x10),
    Station("ent-ws7", "enterprise", 77, 0x17),
    Station("vpn1", "access", 10, 0x22),
    Station("hist1", "dmz", 10, 0x20),
    Station("jump1", "dmz", 20, 0x21),
    Station("mq1", "operations", 30, 0x30),
    Station("dns1", "operations", 53, 0x31),
    Station("scada1", "supervisory", 20, 0x40),
    Station("hmi1", "supervisory", 21, 0x41),
    Station("ews1", "supervisory", 40, 0x42),
    Station("plc1", "plant", 11, 0x01, ack_delay_ms=0, timestamps=False),
    Station("ua1", "plant", 31, 0x03),
    Station("ua2", "plant", 32, 0x07),
    Station("edge1", "plant", 41, 0x04),
    Station("edge2", "plant", 42, 0x08),
)

PLAN: Final = Plan(
    zones=(
        Zone("enterprise", "10.40.0", 40, 400),
        Zone("access", "10.36.0", 90, 80),
        Zone("dmz", "10.35.0", 30, 90),
        Zone("operations", "10.30.0", 50, 110),
        Zone("supervisory", "10.25.0", 20, 120),
        Zone("plant", "10.20.0", 60, 310),
        Zone("vendor", "203.0.113", 100, 18_000),
        Zone("updates", "192.0.2", 110, 9_000),
        Zone("world", "198.51.100", 120, 26_000),
    ),
    stations=_STATIONS,
    controllers={"plc1": 11},
    clock_and_names="dns1",
)

_READ_STATUS: Final = Request(READ_HOLDING, 0, 20)
#: How often somebody at a remote screen does something, and how often a tunnel shows that it is there.
_ACTION_NS: Final = 90 * SECOND
_KEEPALIVE_NS: Final = 180 * SECOND
#: A calm desktop: captures of many hours stay small.
_UPDATE_BYTES: Final = (60, 500)


@dataclass(frozen=True, slots=True)
class Seen:
    """One remote session as the stations had it: the truth for whoever counts sessions."""

    client: str
    server: str
    service: str
    first_ns: int
    last_ns: int


class MineARemote(Site):
    """The stations on one network; `day` counts from Monday, `start_s` from eight in the morning there."""

    def __init__(self, seed: int, minutes: int, *, day: int, start_s: int = 0) -> None:
        super().__init__(PLAN, seed, minutes, start_ns=MORNING_NS + day * DAY_NS + start_s * SECOND)
        self.sessions: list[Seen] = []
        #: OPC UA services that were asked for, by client, server and name; MQTT packets by kind.
        self.services: Counter[tuple[str, str, str]] = Counter()
        self.packets: Counter[str] = Counter()

    def at(self, seconds: float) -> int:
        """That moment of the capture, ns since the epoch."""
        return self.start_ns + round(seconds * SECOND)

    def chance(self, name: str) -> random.Random:
        """A source of chance of its own for each conversation."""
        return random.Random(f"{self.seed}/{name}")

    def datagrams(self, client: str, server: str, port: int, datagrams: Sequence[Datagram]) -> None:
        """UDP between two stations, each at its time."""
        ours, theirs = self.hosts[client], self.hosts[server]
        local = self._ports.take(client, 1)
        flow = f"udp/{client}:{local}>{server}:{port}"
        for one in datagrams:
            sender, receiver, ports = ours, theirs, (local, port)
            if one.side is Side.SERVER:
                sender, receiver, ports = theirs, ours, (port, local)

            payload = Packet(
                udp_frame(self.network.addresses(sender, receiver), *ports, sender.next_ip_id(), one.data),
                flow,
                len(one.data),
            )
            self.clock.at(one.at_ns, partial(self.network.send, sender, receiver, payload, _nothing))

    def operators(self) -> None:
        """The operator station looks at the mill's controller, all the time."""
        self.poll("hmi1", "plc1", (_READ_STATUS,), 10_000, offset_ms=350, connection_s=300)

    def housekeeping(self) -> None:
        """The control room asks for the time."""
        for order, name in enumerate(("scada1", "hmi1", "ews1")):
            self.every(300, 5 + 3 * order, partial(self.ask_time, name))

    # -- remote access ---------------------------------------------------------------------------------------

    def tunnel(self, vendor: str, from_s: float, to_s: float) -> None:
        """The vendor's way to the gateway: TLS, in which nothing can be seen but that it is used."""
        chance = self.chance(f"tunnel/{vendor}/{from_s}")
        lines = tls.handshake_13(chance, at_ns=self.at(from_s), name="access.mine-a.example")
        lines += _sealed(chance, Work(self.at(from_s + 2), self.at(to_s), _KEEPALIVE_NS))
        self._remote(vendor, "vpn1", "https", tls.PORT, lines)

    def desktop(self, client: str, server: str, user: str, *stretches: tuple[float, float]) -> None:
        """Remote Desktop: somebody works in these stretches of seconds, and looks on in between."""
        chance = self.chance(f"rdp/{client}/{server}/{stretches}")
        start_ns = self.at(stretches[0][0])
        lines = rdp.session(
            chance, start_ns, computer(server), user, self._works(stretches), update_bytes=_UPDATE_BYTES
        )
        self._remote(client, server, "rdp", rdp.PORT, lines)

    def shell(self, client: str, server: str, *stretches: tuple[float, float], mistakes: int = 0) -> None:
        """SSH, after `mistakes` wrong passwords."""
        chance = self.chance(f"ssh/{client}/{server}/{stretches}")
        lines = ssh.session(chance, self.at(stretches[0][0]), self._works(stretches), refused=mistakes)
        self._remote(client, server, "ssh", ssh.PORT, lines)

    def knock(self, client: str, server: str, at_s: float, tries: int) -> None:
        """SSH with wrong passwords only."""
        chance = self.chance(f"ssh/{client}/{server}/{at_s}")
        lines = ssh.session(chance, self.at(at_s), refused=tries, let_in=False)
        self._remote(client, server, "ssh", ssh.PORT, lines, end=End.SERVER_CLOSES)

    def screen(self, client: str, server: str, *stretches: tuple[float, float]) -> None:
        """VNC with a password."""
        chance = self.chance(f"vnc/{client}/{server}/{stretches}")
        lines = vnc.session(chance, self.at(stretches[0][0]), server, self._works(stretches))
        self._remote(client, server, "vnc", vnc.PORT, lines)

    def teamviewer(self, client: str, server: str, *stretches: tuple[float, float]) -> None:
        """What TeamViewer's commands look like, to a relay outside."""
        chance = self.chance(f"teamviewer/{client}/{stretches}")
        lines = tunnels.teamviewer(chance, self.at(stretches[0][0]), self._works(stretches))
        self._remote(client, server, "teamviewer", tunnels.TEAMVIEWER_PORT, lines)

    def wireguard(self, client: str, server: str, at_s: float, packets: int) -> None:
        """A WireGuard tunnel to a peer outside."""
        datagrams = tunnels.wireguard(self.chance(f"wireguard/{client}"), self.at(at_s), packets, 20 * SECOND)
        self.datagrams(client, server, tunnels.WIREGUARD_PORT, datagrams)
        self._saw(client, server, "wireguard", datagrams[0].at_ns, datagrams[-1].at_ns)

    def fetch(self, client: str, server: str, at_s: float, name: str) -> None:
        """A page over TLS, as anybody fetches updates."""
        chance = self.chance(f"https/{client}/{at_s}")
        lines = tls.handshake_13(chance, at_ns=self.at(at_s), name=name, alpn=("h2", "http/1.1"))
        lines += _sealed(chance, Work(self.at(at_s + 1), self.at(at_s + 8), 2 * SECOND))
        self.talk(client, server, tls.PORT, lines)

    def chatter(self, client: str, server: str, port: int, at_s: float, packets: int) -> None:
        """Datagrams of no known protocol, of WireGuard's sizes give or take a byte."""
        chance = self.chance(f"udp/{client}/{at_s}")
        made, second = [], at_s
        for _ in range(packets):
            asked, answered = (b"\x40" + chance.randbytes(size) for size in (147, 92))
            made.append(Datagram(Side.CLIENT, asked, self.at(second)))
            made.append(Datagram(Side.SERVER, answered, self.at(second + 0.03)))
            # People and their programs are irregular, beacons are not.
            second += chance.uniform(2, 60)
        self.datagrams(client, server, port, made)

    def _works(self, stretches: Sequence[tuple[float, float]]) -> list[Work]:
        # The log-on takes its first seconds.
        return [Work(self.at(start + 8), self.at(end), _ACTION_NS) for start, end in stretches]

    def _remote(
        self,
        client: str,
        server: str,
        service: str,
        port: int,
        lines: Sequence[Line],
        *,
        end: End = End.CLIENT_CLOSES,
    ) -> None:
        self.talk(client, server, port, lines, end=end)
        self._saw(client, server, service, lines[0].at_ns, max(line.at_ns for line in lines))

    def _saw(self, client: str, server: str, service: str, first_ns: int, last_ns: int) -> None:
        self.sessions.append(Seen(self.hosts[client].ip, self.hosts[server].ip, service, first_ns, last_ns))


def computer(name: str) -> Identity:
    """The certificate that a computer made for its desktop."""
    return identity(name, made_ns=MORNING_NS - 40 * DAY_NS, days=180, host=f"{name}.mine-a.example")


def _sealed(chance: random.Random, work: Work) -> list[Line]:
    """Records of TLS 1.3, both ways."""
    return lines_of(
        work,
        chance,
        lambda draw: tls.sealed(draw, draw.randrange(60, 120)),
        lambda draw: tls.sealed(draw, draw.randrange(100, 400)),
    )


def _nothing() -> None:
    """Nobody waits for a datagram."""
