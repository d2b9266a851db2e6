"""Messages of OT protocols, built as their standards say; Wireshark has to find nothing wrong with them."""

from __future__ import annotations

import struct
from typing import Final

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.sensors.conversations import CLIENT, SERVER, Turn

CLIENT_MAC: Final = "00:00:5e:00:53:01"
SERVER_MAC: Final = "00:00:5e:00:53:02"


def datagrams(turns: list[Turn], port: int, *, sport: int = 0) -> list[bytes]:
    """What client and server say over UDP, a frame each; from the server's own port where `sport` is 0."""
    frames: list[bytes] = []
    for side, said in turns:
        macs, ips, ports = (
            ((CLIENT_MAC, SERVER_MAC), (CLIENT, SERVER), (sport or port, port))
            if side == "client"
            else ((SERVER_MAC, CLIENT_MAC), (SERVER, CLIENT), (port, sport or port))
        )
        packet = (
            Ether(src=macs[0], dst=macs[1])
            / IP(src=ips[0], dst=ips[1], id=len(frames) + 1)
            / UDP(sport=ports[0], dport=ports[1])
            / Raw(said)
        )
        frames.append(bytes(packet))
    return frames


def frame(source: str, destination: str, ether_type: int, payload: bytes) -> bytes:
    """An Ethernet frame, padded as on the wire."""
    return bytes(Ether(src=source, dst=destination, type=ether_type) / Raw(payload)).ljust(60, b"\0")


def dnp3_checksum(data: bytes) -> int:
    """IEEE 1815, 9.2.4.1.4, bit by bit."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA6BC if value & 1 else value >> 1
    return ~value & 0xFFFF


def dnp3_frame(control: int, destination: int, source: int, data: bytes) -> bytes:
    """A link frame (IEEE 1815, 9.2)."""
    header = struct.pack("<BBBBHH", 5, 0x64, 5 + len(data), control, destination, source)
    out = header + struct.pack("<H", dnp3_checksum(header))
    for start in range(0, len(data), 16):
        block = data[start : start + 16]
        out += block + struct.pack("<H", dnp3_checksum(block))
    return out


def dnp3_request(sequence: int, function: int, objects: bytes = b"", *, outstation: int = 4) -> bytes:
    """A request of master 1 in one frame."""
    data = bytes([0xC0 | sequence, 0xC0 | sequence, function]) + objects
    return dnp3_frame(0xC4, outstation, 1, data)


def dnp3_response(
    sequence: int, indications: int = 0, objects: bytes = b"", *, function: int = 129, outstation: int = 4
) -> bytes:
    """A response to master 1 in as many frames as it takes."""
    control = 0xF0 if function == 130 else 0xC0
    data = bytes([control | sequence, function]) + struct.pack(">H", indications) + objects
    parts = [data[start : start + 249] for start in range(0, len(data), 249)]
    out = b""
    for number, part in enumerate(parts):
        first, last = 0x40 * (number == 0), 0x80 * (number == len(parts) - 1)
        out += dnp3_frame(0x44, 1, outstation, bytes([first | last | number]) + part)
    return out


def control_block(code: int, count: int, on_ms: int, off_ms: int, status: int = 0) -> bytes:
    """A control relay output block (IEEE 1815, A.8.1)."""
    return struct.pack("<BBIIB", code, count, on_ms, off_ms, status)


def bacnet(apdu: bytes, *, function: int = 0x0A, control: int = 0x04, route: bytes = b"") -> bytes:
    """A BACnet/IP message (ASHRAE 135, J.2 and 6.2)."""
    body = bytes([1, control]) + route + apdu
    return struct.pack(">BBH", 0x81, function, 4 + len(body)) + body


def enip(
    command: int, data: bytes = b"", *, session: int = 0, status: int = 0, context: bytes = bytes(8)
) -> bytes:
    """An encapsulated message (CIP Networks Library, volume 2, 2-3)."""
    return struct.pack("<HHII8sI", command, len(data), session, status, context, 0) + data


def unconnected(message: bytes, *, context: bytes) -> bytes:
    """SendRRData with an unconnected message."""
    items = struct.pack("<IHHHHHH", 0, 5, 2, 0, 0, 0xB2, len(message))
    return enip(0x6F, items + message, session=7, context=context)


def connected(connection: int, sequence: int, message: bytes) -> bytes:
    """SendUnitData with a connected message."""
    items = struct.pack("<IHHHHIHHH", 0, 0, 2, 0xA1, 4, connection, 0xB1, len(message) + 2, sequence)
    return enip(0x70, items + message, session=7)


def iec104(
    kind: int, cause: int, station: int, objects: bytes, *, count: int = 1, sent: int = 0, received: int = 0
) -> bytes:
    """An information unit of IEC 60870-5-104; `count` may have the sequence bit."""
    asdu = struct.pack("<BBBBH", kind, count, cause, 0, station) + objects
    return struct.pack("<BBHH", 0x68, 4 + len(asdu), sent << 1, received << 1) + asdu
