"""Hosts around one router, and the sensor on its SPAN port: packets in, delivered or lost, and captured.

A packet goes over two legs: from its host to the router, where the SPAN port copies it on its way in, and
from the router to the other host. A packet lost before the tap is never captured; one lost after it is.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pcaps.lab.synth.clock import MICROSECOND, Clock
from pcaps.lab.synth.frames import Addresses

#: A stack takes this long from a frame to its own answer to it (a SYN-ACK, a pure ACK).
TURNAROUND_NS: Final = 20 * MICROSECOND


@dataclass(slots=True)
class Host:
    """A station: its addresses, its leg to the router, how its TCP behaves."""

    name: str
    zone: str
    ip: str
    mac: str
    router_mac: str
    leg_ns: int
    jitter_ns: int
    ack_delay_ns: int
    timestamps: bool
    ip_id: int
    vlan: int = 0

    def next_ip_id(self) -> int:
        """One counter a host, as small stacks keep it."""
        self.ip_id = (self.ip_id + 1) & 0xFFFF
        return self.ip_id


@dataclass(frozen=True, slots=True)
class Impairment:
    """A bad stretch of the way between two zones: both directions, on the leg of `far_zone`."""

    near_zone: str
    far_zone: str
    start_ns: int
    end_ns: int
    one_way_ns: int
    jitter_ns: int
    loss: float


@dataclass(frozen=True, slots=True)
class Captured:
    """A packet as the SPAN port gave it to the sensor: the router's ingress copy."""

    ts_ns: int
    sender: Host
    receiver: Host | None
    packet: Packet


@dataclass(slots=True)
class Losses:
    """What an impaired leg was given and dropped, by side of the tap and kind of segment."""

    offered: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, side: str, payload_bytes: int, *, lost: bool) -> None:
        """One packet given to an impaired leg on that side of the tap."""
        kind = f"{side}_{'data' if payload_bytes else 'control'}"
        self.offered[kind] += 1
        self.dropped[kind] += lost


@dataclass(frozen=True, slots=True)
class Packet:
    """What a host gives to the network."""

    frame: bytes
    flow: str = ""
    payload_bytes: int = 0
    tcp_flags: int = 0
    seq: int = 0
    ack: int = 0


class Network:
    """The router in the middle, with the SPAN port's copy of everything that reached it."""

    def __init__(self, clock: Clock, seed: int, impairments: tuple[Impairment, ...] = ()) -> None:
        self.clock = clock
        self.seed = seed
        self.captured: list[Captured] = []
        self.losses = Losses()
        #: The same for each bad stretch alone.
        self.losses_of: dict[Impairment, Losses] = {bad: Losses() for bad in impairments}
        self._impairments = impairments
        self._draws: dict[str, random.Random] = {}
        self._last_arrival: dict[tuple[str, str], int] = {}

    def addresses(self, sender: Host, receiver: Host) -> Addresses:
        """The frame's addresses on the way into the router: always the sender's own hop."""
        return Addresses(sender.mac, sender.router_mac, sender.ip, receiver.ip)

    def broadcast(self, sender: Host, frame: bytes) -> None:
        """A frame that stays in its zone and still reaches the router's port."""
        self.captured.append(Captured(self.clock.now_ns + sender.leg_ns, sender, None, Packet(frame)))

    def send(self, sender: Host, receiver: Host, packet: Packet, deliver: Callable[[], None]) -> None:
        """Carry a packet; `deliver` is called when it arrives, and never where it is lost."""
        # One source of chance a flow and direction: traffic beside it does not move its losses.
        chance = self._draws.setdefault(
            f"{packet.flow}/{sender.name}", random.Random(f"{self.seed}/{packet.flow}/{sender.name}")
        )
        at_tap = self._over_leg(sender, receiver, sender, self.clock.now_ns, packet, chance, "before_tap")
        if at_tap is None:
            return
        self.captured.append(Captured(at_tap, sender, receiver, packet))
        arrival = self._over_leg(sender, receiver, receiver, at_tap, packet, chance, "after_tap")
        if arrival is not None:
            self.clock.at(arrival, deliver)

    def round_trip_ns(self, client: Host, server: Host, at_ns: int) -> int:
        """The true round trip at that time: both legs both ways, without jitter and turnarounds."""
        total = 2 * (client.leg_ns + server.leg_ns)
        bad = self._impairment(client, server, at_ns)
        return total + 2 * bad.one_way_ns if bad else total

    def _over_leg(
        self,
        sender: Host,
        receiver: Host,
        leg: Host,
        start_ns: int,
        packet: Packet,
        chance: random.Random,
        side: str,
    ) -> int | None:
        bad = self._impairment(sender, receiver, start_ns)
        if bad is not None and leg.zone != bad.far_zone:
            bad = None
        # Always two draws: a changed loss moves no other packet's jitter.
        loss, jitter = chance.random(), 2 * chance.random() - 1
        if bad is not None:
            lost = loss < bad.loss
            for losses in (self.losses, self.losses_of[bad]):
                losses.add(side, packet.payload_bytes, lost=lost)
            if lost:
                return None
        delay = leg.leg_ns + round(jitter * leg.jitter_ns)
        if bad is not None:
            delay += bad.one_way_ns + round(jitter * bad.jitter_ns)
        # A leg is a queue: nothing overtakes.
        key = (f"{packet.flow}/{sender.name}", side)
        arrival = max(start_ns + delay, self._last_arrival.get(key, 0) + MICROSECOND)
        self._last_arrival[key] = arrival
        return arrival

    def _impairment(self, a: Host, b: Host, at_ns: int) -> Impairment | None:
        for bad in self._impairments:
            if {a.zone, b.zone} == {bad.near_zone, bad.far_zone} and bad.start_ns <= at_ns < bad.end_ns:
                return bad
        return None
