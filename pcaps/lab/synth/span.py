"""What a SPAN port does to what it copies: frames it drops, frames it copies twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pcaps.lab.synth.clock import MICROSECOND
from pcaps.lab.synth.frames import FIN, RST, SYN, egress_copy, is_ipv4
from pcaps.lab.synth.network import Captured
from pcaps.lab.synth.pcapng import Frame


@dataclass(frozen=True, slots=True)
class Removed:
    """How many frames a capture lost that were on the wire."""

    frames: int
    data_segments: int


def in_order(captured: Sequence[Captured]) -> list[Captured]:
    """By time; frames of the same instant as the router got them."""
    return sorted(captured, key=lambda one: one.ts_ns)


def frames_of(captured: Sequence[Captured]) -> list[Frame]:
    """The captured frames alone."""
    return [Frame(one.ts_ns, one.packet.frame) for one in captured]


def lose(
    captured: Sequence[Captured], share: float, seed: int, within: Callable[[int], bool]
) -> tuple[list[Captured], Removed]:
    """Drop a share of the frames, as an overfull SPAN port does: the wire had them, the capture has not.

    Only data segments and pure ACKs of TCP, and never two data segments of one direction in a row, so that
    every removed data segment is a hole of its own that can be counted.
    """
    chance = random.Random(f"{seed}/span-loss")
    kept: list[Captured] = []
    last_removed: set[tuple[str, str]] = set()
    frames = data = 0
    for one in captured:
        packet = one.packet
        direction = (packet.flow, one.sender.name)
        eligible = packet.tcp_flags and not packet.tcp_flags & (SYN | FIN | RST) and within(one.ts_ns)
        if eligible and chance.random() < share and not (packet.payload_bytes and direction in last_removed):
            frames += 1
            if packet.payload_bytes:
                data += 1
                last_removed.add(direction)
            continue
        if packet.payload_bytes:
            last_removed.discard(direction)
        kept.append(one)
    return kept, Removed(frames, data)


def telling(captured: Sequence[Captured], kept: Sequence[Captured], until_ns: int) -> list[Frame]:
    """The kept frames; up to `until_ns` each says how many of the captured ones are missing just before it."""
    missing, there, frames = 0, {id(one) for one in kept}, []
    for one in captured:
        if id(one) not in there:
            missing += 1
            continue
        frames.append(Frame(one.ts_ns, one.packet.frame, dropped=missing if one.ts_ns < until_ns else 0))
        missing = 0
    return frames


def repeat(captured: Sequence[Captured], seed: int) -> tuple[list[Frame], int]:
    """Every frame a second time within a millisecond, not a bit of it changed; and how many of them are IP.

    So does a switch that mirrors the sending of one port and the receiving of another to the same SPAN port.
    """
    chance = random.Random(f"{seed}/span-repeats")
    frames: list[Frame] = []
    packets = 0
    for one in captured:
        frame = one.packet.frame
        later_ns = MICROSECOND + chance.randrange(900 * MICROSECOND)
        frames += [Frame(one.ts_ns, frame), Frame(one.ts_ns + later_ns, frame)]
        packets += is_ipv4(frame)
    frames.sort(key=lambda frame: frame.ts_ns)
    return frames, packets


def copy_twice(
    captured: Sequence[Captured], seed: int, within: Callable[[int], bool]
) -> tuple[list[Frame], dict[str, int]]:
    """Both copies of a routed packet, as a SPAN port of ingress and egress gives them; and how many.

    The second comes 30-200 µs later, as it leaves the router: other MACs, TTL one less, and into the plant's
    trunk with a VLAN tag.
    """
    chance = random.Random(f"{seed}/span-copies")
    frames: list[Frame] = []
    copies = {"tcp": 0, "udp": 0}
    for one in captured:
        frames.append(Frame(one.ts_ns, one.packet.frame))
        if one.receiver is None or not within(one.ts_ns):
            continue
        vlan = one.receiver.vlan if one.receiver.zone in ("plant", "crushing") else 0
        copy = egress_copy(one.packet.frame, one.receiver.router_mac, one.receiver.mac, vlan)
        later_ns = 30 * MICROSECOND + chance.randrange(170 * MICROSECOND)
        frames.append(Frame(one.ts_ns + later_ns, copy))
        copies["tcp" if one.packet.tcp_flags else "udp"] += 1
    frames.sort(key=lambda frame: frame.ts_ns)
    return frames, copies
