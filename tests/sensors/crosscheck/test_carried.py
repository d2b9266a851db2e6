"""Modbus in serial units and datagrams, MQTT within WebSocket, packets in tunnels: read by both decoders alike."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from sensors.crosscheck import Crosscheck, crosscheck
from tests.sensors.conversations import Turn, capture
from tests.sensors.operations.packets import datagrams
from tests.sensors.talks import adu, read_request, read_response, write_pcap
from tests.sensors.test_opcua_websocket import chunks, upgraded
from tests.sensors.test_tunnels import TUNNELS, save
from tests.support.tcp_talk import talk

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

Compared = dict[tuple[str, str], int]


def compared(found: Crosscheck) -> Compared:
    """How many values of each field were compared; all of them have to be equal, or explained."""
    unexplained = [one for field in found.fields for one in field.differences if not one.explanation]
    assert unexplained == []
    assert found.agrees
    return {(field.protocol, field.field): field.compared for field in found.fields}


def serial(unit: int, pdu: bytes) -> bytes:
    """A serial unit with its checksum (MODBUS over Serial Line V1.02, 6.2.2)."""
    body = bytes([unit]) + pdu
    value = 0xFFFF
    for octet in body:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return body + struct.pack("<H", value)


def serial_turns() -> list[Turn]:
    """Polls of two registers, from address 0 on, and a write."""
    turns: list[Turn] = []
    for address in range(6):
        turns.append(("client", serial(1, read_request(address))))
        turns.append(("server", serial(1, read_response(address, 9))))
    write = serial(1, struct.pack(">BHH", 6, 7, 42))
    return [*turns, ("client", write), ("server", write)]


@pytest.mark.parametrize("port", [502, 8_899])
def test_serial_units_over_tcp_are_the_same_to_both(tmp_path: Path, port: int) -> None:
    found = crosscheck(capture(tmp_path / "rtu.pcap", serial_turns(), port))
    fields = compared(found)
    assert fields["modbus-rtu", "message"] == 14
    assert fields["modbus-rtu", "response: values read"] == 6
    assert fields["modbus-rtu", "request: values written"] == 1
    assert fields["modbus-rtu", "response: its request"] == 7
    assert f"port {port} as modbus-rtu" in found.notes[0]
    assert not [protocol for protocol, _ in fields if protocol == "modbus"]


def test_serial_units_in_datagrams_are_the_same_to_both(tmp_path: Path) -> None:
    frames = datagrams(serial_turns()[:12], 5_021, sport=40_000)
    fields = compared(crosscheck(write_pcap(tmp_path / "rtu.pcap", frames)))
    assert fields["modbus-rtu", "message"] == 12
    assert fields["modbus-rtu", "response: values read"] == 6


def test_modbus_with_its_header_in_datagrams_is_the_same_to_both(tmp_path: Path) -> None:
    turns: list[Turn] = []
    for number in range(6):
        turns.append(("client", adu(number, read_request(number))))
        turns.append(("server", adu(number, read_response(number, 9))))
    known = compared(crosscheck(write_pcap(tmp_path / "known.pcap", datagrams(turns, 502, sport=40_000))))
    assert known["modbus-udp", "message"] == 12
    assert known["modbus-udp", "response: values read"] == 6
    found = crosscheck(write_pcap(tmp_path / "other.pcap", datagrams(turns, 5_020, sport=40_000)))
    assert compared(found)["modbus-udp", "kind of message"] == 6
    (kind,) = [field for field in found.fields if field.field == "kind of message"]
    assert {one.explanation for one in kind.differences} == {
        "ours: an answer; Wireshark takes what comes over UDP on another port than 502 for requests"
    }


def web_frame(payload: bytes, mask: bytes = b"") -> bytes:
    """A binary frame of WebSocket (RFC 6455, 5.2)."""
    head = bytes([0x82, len(payload) | (0x80 if mask else 0)]) + mask
    return head + bytes(octet ^ mask[at % 4] if mask else octet for at, octet in enumerate(payload))


def web_turns() -> list[Turn]:
    """The handshake of RFC 6455, 1.3, then a connection and a delivery of MQTT."""
    mask = b"\x11\x22\x33\x44"
    asks = (
        b"GET /mqtt HTTP/1.1\r\nHost: broker1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n"
    )
    agrees = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
    return [
        ("client", asks),
        ("server", agrees),
        ("client", web_frame(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a", mask)),
        ("server", web_frame(b"\x20\x02\x00\x00")),
        ("client", web_frame(b"\x32\x0a\x00\x03a/b\x00\x07xyz", mask)),
        ("server", web_frame(b"\x40\x02\x00\x07")),
    ]


@pytest.mark.parametrize("port", [80, 9_001])
def test_mqtt_within_websocket_is_no_difference(tmp_path: Path, port: int) -> None:
    """Wireshark 4.0 reads the frames of WebSocket and not what they carry; a later one has to agree with us."""
    found = crosscheck(capture(tmp_path / "ws.pcap", web_turns(), port))
    fields = compared(found)
    assert fields["http", "message"] == 2
    hidden = "this Wireshark does not look for mqtt within websocket: that is not compared" in found.notes
    assert hidden == (("mqtt", "message") not in fields)
    assert hidden or fields["mqtt", "message"] == 4


@pytest.mark.parametrize("port", [80, 48_401])
def test_opcua_within_websocket_is_no_difference(tmp_path: Path, port: int) -> None:
    """Wireshark 4.0 does not look for it there; beside it, what comes over TCP is compared."""
    over_tcp = talk(chunks(), 4_840)
    frames = [*talk(upgraded(chunks()), port), *over_tcp]
    found = crosscheck(write_pcap(tmp_path / "ws.pcap", frames))
    fields = compared(found)
    alone = compared(crosscheck(write_pcap(tmp_path / "tcp.pcap", over_tcp)))
    assert fields["http", "message"] == 2
    hidden = "this Wireshark does not look for opcua within websocket: that is not compared" in found.notes
    assert alone["opcua", "message"] > 0
    assert fields["opcua", "message"] == alone["opcua", "message"] * (1 if hidden else 2)


#: Tunnels that tshark looks through without being told of a port, as `crosscheck` runs it.
LOOKED_THROUGH = (
    "gre",
    "gre-ethernet",
    "gre-ipv6",
    "vxlan",
    "erspan-2",
    "erspan-3",
    "geneve",
    "ip-in-ip",
    "pppoe",
)


@pytest.mark.parametrize("name", LOOKED_THROUGH)
def test_a_transaction_within_a_tunnel_is_the_same_to_both(tmp_path: Path, name: str) -> None:
    frames, _, _ = TUNNELS[name]
    fields = compared(crosscheck(save(tmp_path / "tunnel.pcap", frames)))
    assert fields["modbus", "message"] == 2
    assert fields["modbus", "response: values read"] == 1
    assert fields["tcp", "flow"] == fields["tcp", "client"] == 1
    assert fields["tcp", "handshake round trip"] == 1
