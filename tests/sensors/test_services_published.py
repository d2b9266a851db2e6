"""Handshakes as their standards print or lay them out: what we name and read is what Wireshark dissects."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

import pytest

from tests.sensors.conversations import CLIENT, SERVER, Turn, capture, only, read, tshark
from tests.sensors.talks import write_pcap


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def ntlm_login() -> bytes:
    """AUTHENTICATE_MESSAGE with names only ([MS-NLMP], 2.2.1.3)."""
    texts = [b"\0" * 24, b"\0" * 24, utf16("MINE"), utf16("operator1"), utf16("EWS1"), b""]
    head, at = b"NTLMSSP\0\x03\0\0\0", 72
    for text in texts:
        head += struct.pack("<HHI", len(text), len(text), at)
        at += len(text)
    return (head + struct.pack("<I", 0x00000201)).ljust(72, b"\0") + b"".join(texts)


def smb2(command: int, flags: int, body: bytes, status: int = 0) -> bytes:
    """A message with its framing ([MS-SMB2], 2.1 and 2.2.1.2)."""
    header = struct.pack(
        "<4sHHIHHIIQIIQ16s", b"\xfeSMB", 64, 0, status, command, 1, flags, 0, command, 0, 0, 0, b""
    )
    return struct.pack(">I", len(header) + len(body)) + header + body


def session_setup() -> bytes:
    token = ntlm_login()
    return struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(token), 0) + token


def tree_connect(path: str) -> bytes:
    name = utf16(path)
    return struct.pack("<HHHH", 9, 0, 72, len(name)) + name


#: [MS-RDPBCGR], 4.1.1 and 4.1.2.
RDP_REQUEST: Final = b"\x03\0\0\x2c\x27\xe0\0\0\0\0\0Cookie: mstshash=eltons\r\n\x01\0\x08\0\0\0\0\0"
RDP_CONFIRM: Final = b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\0\x08\0\0\0\0\0"

VNC: Final[list[Turn]] = [
    ("server", b"RFB 003.008\n"),
    ("client", b"RFB 003.008\n"),
    ("server", b"\x01\x02"),
    ("client", b"\x02"),
    ("server", bytes(range(16))),
    ("client", bytes(range(16, 32))),
    ("server", b"\0\0\0\0"),
    ("client", b"\x01"),
    ("server", struct.pack(">HH16xI", 1024, 768, 4) + b"HMI1"),
]

SMB: Final[list[Turn]] = [
    ("client", smb2(0, 0, struct.pack("<HHHHI16sQH", 36, 1, 1, 0, 0, b"", 0, 0x0311))),
    ("server", smb2(0, 1, struct.pack("<HHHH", 65, 1, 0x0302, 0).ljust(64, b"\0"))),
    ("client", smb2(1, 0, session_setup())),
    ("server", smb2(1, 1, struct.pack("<HHHH", 9, 0, 72, 0))),
    ("client", smb2(3, 0, tree_connect("\\\\files1\\ADMIN$"))),
    ("server", smb2(3, 1, struct.pack("<HBBIII", 16, 1, 0, 0, 0, 0))),
]

POSTGRES_START: Final = b"\0\x03\0\0user\0historian\0database\0plant\0\0"
POSTGRES: Final[list[Turn]] = [
    ("client", struct.pack(">I", 4 + len(POSTGRES_START)) + POSTGRES_START),
    ("server", b"R\0\0\0\x08\0\0\0\x03"),
    ("client", b"p\0\0\0\x13pl4nted-s3cret\0"),
    ("server", b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"),
]

#: svcctl, with NDR as the transfer syntax (C706, 12.6.4.3).
BIND: Final = (
    struct.pack("<BBBBIHHI", 5, 0, 11, 3, 0x10, 72, 0, 1)
    + struct.pack("<HHIB3xHBx", 4280, 4280, 0, 1, 0, 1)
    + bytes.fromhex("81bb7a364498f135ad3298f038001003 02000000")
    + bytes.fromhex("045d888aeb1cc9119fe808002b104860 02000000")
)
LDAP_BIND: Final = bytes.fromhex("3025020101602002010304") + b"\x09cn=reader" + b"\x80\x0epl4nted-s3cret"[:18]

Case = tuple[str, list[Turn], int, dict[str, Any], tuple[str, str], list[str]]

#: Service, turns, port; columns and their values; Wireshark's filter and field, and its values.
STREAMS: Final[list[Case]] = [
    (
        "rdp",
        [("client", RDP_REQUEST), ("server", RDP_CONFIRM)],
        3389,
        {"user": "eltons", "version": "RDP with standard security"},
        ("rdp.rt_cookie", "rdp.rt_cookie"),
        ["Cookie: mstshash=eltons"],
    ),
    (
        "vnc",
        VNC,
        5900,
        {"server_name": "HMI1", "cipher": "VNC authentication", "login": "yes", "version": "RFB 3.8"},
        ("vnc.desktop_name", "vnc.desktop_name"),
        ["HMI1"],
    ),
    (
        "smb",
        SMB,
        445,
        {
            "user": "MINE\\operator1",
            "client_name": "EWS1",
            "login": "yes",
            "host_name": "files1",
            "version": "SMB 3.0.2",
        },
        ("ntlmssp.auth.username", "ntlmssp.auth.username"),
        ["operator1"],
    ),
    (
        "postgres",
        POSTGRES,
        5432,
        {
            "user": "historian",
            "login": "yes",
            "secret_seen": True,
            "detail": "database plant; authentication password in clear",
        },
        ("pgsql.parameter_name", "pgsql.parameter_value"),
        ["historian,plant"],
    ),
    (
        "msrpc",
        [("client", BIND)],
        49_200,
        {"detail": "interface svcctl (services)"},
        ("dcerpc.cn_bind_to_uuid", "dcerpc.cn_bind_to_uuid"),
        ["367abb81-9844-35f1-ad32-98f038001003"],
    ),
]


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case[0])
def test_a_stream_is_read_as_wireshark_reads_it(tmp_path: Path, case: Case) -> None:
    service, turns, port, columns, (display_filter, field), values = case
    file = capture(tmp_path / "stream.pcap", turns, port)
    rows = read(file)
    row = only(rows, "services")
    assert rows["flows"][0]["service"] == row["service"] == service
    assert {name: row[name] for name in columns} == columns
    found = tshark(file, display_filter, field)
    assert [value.removesuffix("\\r\\n") for (value,) in found] == values
    assert "pl4nted" not in str(rows)


def udp_frame(payload: bytes, port: int, *, to_server: bool) -> bytes:
    """An Ethernet frame with a datagram."""
    ends = (CLIENT, SERVER) if to_server else (SERVER, CLIENT)
    addresses = b"".join(bytes(map(int, end.split("."))) for end in ends)
    ports = (40_000, port) if to_server else (port, 40_000)
    udp = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0x4000, 64, 17, 0) + addresses
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + ip + udp


#: Service, port, datagrams to and from the server, Wireshark's name of the protocol.
DATAGRAMS: Final = [
    (
        "wireguard",
        51820,
        [b"\1\0\0\0\x09\x09\x09\x09".ljust(148, b"x"), b"\2\0\0\0\1\1\1\1\x09\x09\x09\x09".ljust(92, b"x")],
        "wg",
    ),
    (
        "openvpn",
        1194,
        [b"\x38" + b"\3" * 8 + bytes(5), b"\x40" + b"\4" * 8 + b"\1\0\0\0\0" + b"\3" * 8 + bytes(4)],
        "openvpn",
    ),
    (
        "ipsec",
        500,
        [b"\7" * 8 + bytes(8) + struct.pack(">BBBBII", 33, 0x20, 34, 8, 0, 28)],
        "isakmp",
    ),
    (
        "stun",
        3478,
        [b"\0\1\0\0\x21\x12\xa4\x42" + b"t" * 12, b"\1\1\0\0\x21\x12\xa4\x42" + b"t" * 12],
        "stun",
    ),
    ("l2tp", 1701, [bytes.fromhex("c802000c0000000000000000")], "l2tp"),
    ("syslog", 514, [b"<34>1 2026-11-22T06:00:00Z plc1 app - - - started"], "syslog"),
    ("quic", 443, [b"\xc3\0\0\0\1\x08abcdefgh\0\0\x44\xb0".ljust(1_200, b"\x5a")], "quic"),
]


@pytest.mark.parametrize(("service", "port", "said", "name"), DATAGRAMS, ids=[case[0] for case in DATAGRAMS])
def test_datagrams_are_named_as_wireshark_names_them(
    tmp_path: Path, service: str, port: int, said: list[bytes], name: str
) -> None:
    frames = [udp_frame(payload, port, to_server=number == 0) for number, payload in enumerate(said)]
    file = write_pcap(tmp_path / "datagrams.pcap", frames)
    rows = read(file)
    assert rows["flows"][0]["service"] == only(rows, "services")["service"] == service
    assert rows["flows"][0]["confidence"] == ("handshake" if len(said) == 2 else "structure")
    names = [protocols.split(":") for (protocols,) in tshark(file, "udp", "frame.protocols")]
    assert all(name in dissected for dissected in names)
