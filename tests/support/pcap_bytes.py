"""Small capture files, byte by byte: what a test needs to damage."""

from __future__ import annotations

import struct
from collections.abc import Sequence

#: 2026-11-22T06:00:00Z
START_S = 1_795_327_200


def pcap(
    frames: Sequence[bytes], *, link_type: int = 1, step_us: int = 1000, start_s: int = START_S
) -> bytes:
    """A little-endian microsecond pcap file with these frames, `step_us` apart."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)]
    for number, frame in enumerate(frames):
        seconds, micros = divmod(number * step_us, 1_000_000)
        out.append(struct.pack("<IIII", start_s + seconds, micros, len(frame), len(frame)) + frame)
    return b"".join(out)


def tcp_frame(
    src: str,
    dst: str,
    sport: int,
    dport: int,
    *,
    seq: int,
    ack: int,
    flags: int,
    payload: bytes = b"",
    ip_id: int = 1,
) -> bytes:
    """An Ethernet + IPv4 + TCP frame, checksums left zero as on a capture host that offloads them."""
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 64240, 0, 0) + payload
    addresses = bytes(map(int, src.split("."))) + bytes(map(int, dst.split(".")))
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), ip_id, 0x4000, 64, 6, 0) + addresses
    macs = b"\x02\x00" + bytes(map(int, dst.split("."))) + b"\x02\x00" + bytes(map(int, src.split(".")))
    return (macs + b"\x08\x00" + ip + tcp).ljust(60, b"\0")


SYN, ACK, PSH, FIN = 2, 16, 8, 1


def modbus_exchange(
    client: str, server: str, request_pdu: bytes, response_pdu: bytes, *, sport: int = 40000
) -> list[bytes]:
    """Handshake, one Modbus request and its response, orderly end: nine frames."""

    def adu(pdu: bytes) -> bytes:
        return struct.pack(">HHHB", 1, 0, len(pdu) + 1, 1) + pdu

    return tcp_exchange(client, server, adu(request_pdu), adu(response_pdu), sport=sport, dport=502)


def tcp_exchange(
    client: str, server: str, request: bytes, response: bytes, *, sport: int, dport: int
) -> list[bytes]:
    """Handshake, some bytes each way, orderly end: nine frames."""
    c, s = 1000, 5000
    up = {"src": client, "dst": server, "sport": sport, "dport": dport}
    down = {"src": server, "dst": client, "sport": dport, "dport": sport}
    after_request, after_response = c + 1 + len(request), s + 1 + len(response)
    steps = [
        (up, c, 0, SYN, b""),
        (down, s, c + 1, SYN | ACK, b""),
        (up, c + 1, s + 1, ACK, b""),
        (up, c + 1, s + 1, ACK | PSH, request),
        (down, s + 1, after_request, ACK | PSH, response),
        (up, after_request, after_response, ACK, b""),
        (up, after_request, after_response, ACK | FIN, b""),
        (down, after_response, after_request + 1, ACK | FIN, b""),
        (up, after_request + 1, after_response + 1, ACK, b""),
    ]
    return [
        tcp_frame(**side, seq=seq, ack=ack, flags=flags, payload=payload, ip_id=number + 1)  # type: ignore[arg-type]
        for number, (side, seq, ack, flags, payload) in enumerate(steps)
    ]


READ_REQUEST = bytes([3, 0, 0, 0, 2])
READ_RESPONSE = bytes([3, 4, 0, 1, 0, 2])
WRITE_REQUEST = bytes([16, 0, 100, 0, 1, 2, 0, 7])
WRITE_RESPONSE = bytes([16, 0, 100, 0, 1])
