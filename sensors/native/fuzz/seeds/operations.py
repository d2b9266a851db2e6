"""Target `operations`: recorded conversations, and made ones of the protocols that nobody recorded.

The made ones are those of the tests, which hold them against Wireshark.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from scapy.layers.inet import TCP
from scapy.packet import Raw
from scapy.utils import rdpcap

from tests.sensors.conversations import Turn
from tests.sensors.operations import test_bacnet, test_by_name, test_cip, test_dnp3, test_profinet
from tests.sensors.operations.packets import bacnet, enip, unconnected

#: As in src/operations.rs: protocols over TCP, then over UDP, then without IP.
TCP_PORTS: Final = (102, 2_404, 5_007, 5_094, 9_600, 11_740, 18_245, 20_000, 44_818, 48_898, 40_001)
UDP_PORTS: Final = (2_222, 4_840, 5_007, 5_094, 9_600, 20_000, 34_964, 44_818, 47_808)
TYPES: Final = (0x8892, 0x88B8, 0x88BA, 0x88A4)

#: Conversations of real stacks, and their ports.
RECORDED: Final = Path(__file__).parents[4] / "tests" / "sensors" / "operations" / "recorded"
#: Recordings, with the server's port in them and in the target.
PORTS: Final = {"s7": (102, 102), "s7plus": (11_021, 102), "iec104": (2_404, 2_404), "enip": (44_818, 44_818)}

#: Messages of one seed, and bytes of one message.
_MESSAGES: Final = 12
_LONGEST: Final = 255


def made() -> list[bytes]:
    """The protocol; then for each message who sends it (1: the server), its length, its bytes."""
    return [seed for turns, place in _talks() for seed in _seeds(turns, place)]


def _seeds(turns: list[tuple[int, bytes]], place: int) -> Iterable[bytes]:
    for start in range(0, len(turns), _MESSAGES):
        seed = bytearray([place])
        for side, said in turns[start : start + _MESSAGES]:
            message = said[:_LONGEST]
            seed += bytes([side, len(message)]) + message
        yield bytes(seed)


def _talks() -> Iterable[tuple[list[tuple[int, bytes]], int]]:
    """What two sides say, and the place of their protocol."""
    for name, (port, known) in PORTS.items():
        packets = [packet for packet in rdpcap(str(RECORDED / f"{name}.pcap")) if TCP in packet]
        said = [packet[TCP] for packet in packets if Raw in packet]
        yield [(int(segment.sport == port), bytes(segment.payload)) for segment in said], _over_tcp(known)
    for port, turns in _made_over_tcp():
        yield _sides(turns), _over_tcp(port)
    for port, turns in _made_over_udp():
        yield _sides(turns), len(TCP_PORTS) + UDP_PORTS.index(port)
    for kind, frames in _made_frames():
        # What the target makes of a number that is neither: a frame of the type with the number's rest.
        first = len(TCP_PORTS) + len(UDP_PORTS)
        place = next(number for number in range(first, 32) if TYPES[number % len(TYPES)] == kind)
        yield [(number % 2, frame) for number, frame in enumerate(frames)], place


def _over_tcp(port: int) -> int:
    return TCP_PORTS.index(port)


def _sides(turns: list[Turn]) -> list[tuple[int, bytes]]:
    return [(int(side == "server"), said) for side, said in turns]


def _made_over_tcp() -> Iterable[tuple[int, list[Turn]]]:
    tlv, mms = test_by_name.tlv, test_by_name.mms
    variable = tlv(0x30, tlv(0xA0, tlv(0xA1, tlv(0x1A, b"IED1") + tlv(0x1A, b"GGIO1$ST$Ind1"))))
    asked = tlv(0xA0, tlv(2, b"\1") + tlv(0xA4, tlv(0xA1, tlv(0xA0, variable))))
    told = tlv(0xA1, tlv(2, b"\1") + tlv(0xA4, tlv(0xA1, tlv(0x83, b"\xff"))))
    yield (
        102,
        [
            ("client", test_by_name.CONNECT),
            ("server", test_by_name.CONFIRM),
            ("client", mms(asked)),
            ("server", mms(told)),
        ],
    )
    request, answer = test_by_name.slmp_request, test_by_name.slmp_answer
    yield (
        5_007,
        [
            ("client", request(0x0401, b"\x64\0\0\xa8\2\0")),
            ("server", answer(0, b"\5\0\6\0")),
            ("client", request(0x1002, b"\1\0")),
            ("server", answer(0xC051)),
        ],
    )
    yield 9_600, test_by_name.fins_over_tcp(test_by_name.FINS)
    yield 11_740, [("client", b"\xe8\x17\x01\0\x1c\0\0\0" + bytes([0xC5]).ljust(20, b"\0"))]
    yield 20_000, test_dnp3.conversation()
    cip: list[Turn] = []
    for number, (service, path, _, _) in enumerate(test_cip.SERVICES):
        context = struct.pack("<Q", number + 1)
        cip.append(("client", unconnected(test_cip.request(service, path), context=context)))
        cip.append(("server", unconnected(test_cip.reply(service), context=context)))
    yield 44_818, cip
    yield (
        48_898,
        [
            ("client", test_by_name.ads(3, struct.pack("<III", 0x4020, 8, 2) + b"\5\0", invoke=2)),
            ("server", test_by_name.ads(3, struct.pack("<I", 0x703), answers=True, invoke=2)),
            ("client", test_by_name.ads(5, struct.pack("<HHI", 6, 0, 0), invoke=3)),
            ("server", test_by_name.ads(5, bytes(4), answers=True, invoke=3)),
        ],
    )


def _made_over_udp() -> Iterable[tuple[int, list[Turn]]]:
    yield 44_818, [("client", enip(0x63)), ("server", enip(0x63, b"\1\0" + bytes(40)))]
    yield 9_600, test_by_name.FINS
    yield 20_000, test_dnp3.conversation()
    yield (
        5_094,
        [
            ("client", test_by_name.hart_ip(0, 0, 1, b"\1" + struct.pack(">I", 30_000))),
            ("server", test_by_name.hart_ip(1, 0, 1, b"\1" + struct.pack(">I", 30_000))),
            ("client", test_by_name.hart_ip(0, 3, 2, test_by_name.hart(0x82, 3))),
            ("server", test_by_name.hart_ip(1, 3, 2, test_by_name.hart(0x86, 3, b"\0\0" + bytes(24)))),
        ],
    )
    yield 4_840, [("client", b"\xf1\x01\xba\x08\x01\x64\0\x01\x01\0\xaa")] * 3
    place = test_bacnet.identifier(2, 7) + bytes([0x19, 85])
    value = b"\x3e\x44" + struct.pack(">f", 21.5) + b"\x3f"
    yield (
        47_808,
        [
            ("client", test_bacnet.confirmed(1, 12, place)),
            ("server", test_bacnet.complex_answer(1, 12, place + value)),
            ("client", test_bacnet.confirmed(2, 15, place + value + b"\x49\x08")),
            ("server", test_bacnet.simple(2, 15)),
            ("client", bacnet(b"\x10\x08", function=0x0B)),
        ],
    )


def _made_frames() -> Iterable[tuple[int, list[bytes]]]:
    dcp, block = test_profinet.dcp, test_profinet.block
    identity = test_profinet.identity(b"plc1", bytes([10, 9, 0, 9]))
    yield (
        0x8892,
        [
            dcp(0xFEFE, 5, 0, 9, block(0xFF, 0xFF, b"")),
            dcp(0xFEFF, 5, 1, 9, *identity),
            dcp(0xFEFD, 4, 0, 1, block(2, 2, b"\0\1press-7")),
            dcp(0xFEFD, 4, 1, 1, block(5, 4, bytes([2, 2, 0]))),
            struct.pack(">H", 0x8001) + bytes(42),
        ],
    )
    yield 0x88B8, [test_profinet.goose(b"IED1/LLN0$GO$g1", number) for number in range(2)]
    tlv = test_profinet.tlv
    unit = tlv(0x30, tlv(0x80, b"MU01") + tlv(0x82, b"\0\1") + tlv(0x83, bytes(4)) + tlv(0x87, bytes(16)))
    content = tlv(0x60, tlv(0x80, b"\1") + tlv(0xA2, unit))
    yield 0x88BA, [struct.pack(">HHHH", 0x4000, 8 + len(content), 0, 0) + content]
    datagram = struct.pack("<BBIHH", 2, 0, 0x0130_0000, 2, 0) + bytes(4)
    yield 0x88A4, [struct.pack("<H", len(datagram) | 0x1000) + datagram]
