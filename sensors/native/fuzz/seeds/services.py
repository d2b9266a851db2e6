"""Target `services`: how each service begins, by its standard."""

from __future__ import annotations

from typing import Final

#: As in src/services.rs.
PORTS: Final = (
    *(
        49_000,
        21,
        22,
        23,
        25,
        80,
        88,
        135,
        389,
        443,
        445,
        500,
        514,
        1194,
        1433,
        1701,
        1723,
        3306,
        3389,
        3478,
        4433,
    ),
    *(4899, 5432, 5900, 5938, 5985, 21116, 41641, 51820, 4500),
)

#: What the length byte of a piece can say.
_LONGEST: Final = 255

_CLIENT_HELLO: Final = bytes.fromhex(
    "1603010061 0100005d 0303" + "07" * 32 + "00 0004 1301 1302 0100 0030"
    "0000000e000c000009706c63312e6d696e65 0010000500030268 32 002b0003020304 000d000400020403 0033000400020000"
)
_SERVER_HELLO: Final = bytes.fromhex(
    "1603030038 02000034 0303"
    + "08" * 32
    + "00 1301 00 000c 002b00020304 0033000200 1d 140303000101 1703030010"
)
_KEXINIT: Final = (
    b"\x14"
    + b"c" * 16
    + b"".join(
        len(name).to_bytes(4, "big") + name
        for name in (
            b"curve25519-sha256,ext-info-c",
            b"ssh-ed25519",
            b"aes128-ctr",
            b"aes128-ctr",
            *(b"hmac-sha1", b"hmac-sha1", b"none", b"none", b"", b""),
        )
    ).ljust(160, b"\0")
)
_KEX_PACKET: Final = (len(_KEXINIT) + 1 + 6).to_bytes(4, "big") + b"\x06" + _KEXINIT + bytes(6)
_NTLM: Final = (
    b"NTLMSSP\0\x03\0\0\0" + bytes.fromhex("0000000048000000" * 2 + "0400040048000000" * 3) + b"\0" * 20
)
_SMB2: Final = b"\0\0\0\x98\xfeSMB\x40\0" + bytes(6) + b"\x01\0" + bytes(52) + b"\x19\0\0\1" + _NTLM

#: Port, whether over UDP, and who says what: 0 is the client.
_TALKS: Final[tuple[tuple[int, bool, tuple[tuple[int, bytes], ...]], ...]] = (
    (443, False, ((0, _CLIENT_HELLO), (1, _SERVER_HELLO))),
    (22, False, ((1, b"SSH-2.0-OpenSSH_9.2\r\n"), (0, b"SSH-2.0-x\r\n"), (0, _KEX_PACKET), (1, _KEX_PACKET))),
    (
        80,
        False,
        (
            (
                0,
                b"GET http://a:b@plc1/x?token=1 HTTP/1.1\r\nHost: plc1\r\nAuthorization: NTLM TlRMTVNTUAADAAAA\r\n\r\n",
            ),
            (1, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
        ),
    ),
    (
        3389,
        False,
        (
            (0, b"\x03\0\0\x2c\x27\xe0\0\0\0\0\0Cookie: mstshash=eltons\r\n\x01\0\x08\0\0\0\0\0"),
            (1, b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\0\x08\0\0\0\0\0"),
            (0, b"\x03\0\0\x40\x02\xf0\x80Duca\x81\x04\x01\xc0\xd8\0".ljust(64, b"\0")),
        ),
    ),
    (
        5900,
        False,
        (
            (1, b"RFB 003.008\n"),
            (0, b"RFB 003.008\n"),
            (1, b"\1\2"),
            (0, b"\2"),
            (1, bytes(16)),
            (0, bytes(16)),
            (1, bytes(4)),
        ),
    ),
    (
        21,
        False,
        ((1, b"220 FTP\r\n"), (0, b"USER a\r\n"), (1, b"331 x\r\n"), (0, b"PASS b\r\n"), (1, b"230 y\r\n")),
    ),
    (25, False, ((1, b"220 ESMTP\r\n"), (0, b"EHLO a\r\n"), (1, b"250 STARTTLS\r\n"), (0, b"STARTTLS\r\n"))),
    (
        23,
        False,
        (
            (1, b"\xff\xfd\x18\xff\xfb\x01"),
            (1, b"login: "),
            (0, b"a\r\n"),
            (1, b"\r\nPassword: "),
            (0, b"b\r\n"),
        ),
    ),
    (445, False, ((0, _SMB2), (1, _SMB2))),
    (
        389,
        False,
        (
            (0, bytes.fromhex("300c020101600702010304008000")),
            (1, bytes.fromhex("300c02010161070a010004000400")),
        ),
    ),
    (88, True, ((0, bytes.fromhex("6a093007a1030201050000")),)),
    (
        135,
        False,
        ((0, bytes.fromhex("05000b031000000048000000010000000000000000000000010000000000010081bb7a36")),),
    ),
    (
        5432,
        False,
        ((0, b"\0\0\0\x13\0\3\0\0user\0pg\0\0\0\0"), (1, b"R\0\0\0\x08\0\0\0\3"), (0, b"p\0\0\0\6x\0")),
    ),
    (
        3306,
        False,
        ((1, b"\x4a\0\0\0\x0a8.0.36\0" + bytes(66)), (0, b"\x24\0\0\1\0\2\0\0" + bytes(28) + b"root\0")),
    ),
    (
        1433,
        False,
        ((0, bytes.fromhex("12010020000001000000 0b00060100110001ff0f00107d000002 00000000000000")),),
    ),
    (443, True, ((0, bytes.fromhex("c300000001080102030405060708 0000449e")),)),
    (
        4433,
        True,
        ((0, bytes.fromhex("16fefd0000000000000000 0036 01 00002a 0000 000000 00002a fefd") + bytes(40)),),
    ),
    (51820, True, ((0, b"\1\0\0\0".ljust(148, b"k")), (1, b"\2\0\0\0".ljust(92, b"k")))),
    (
        1194,
        True,
        (
            (0, b"\x38" + b"\3" * 8 + bytes(5)),
            (1, b"\x40" + b"\4" * 8 + b"\1\0\0\0\0" + b"\3" * 8 + bytes(4)),
        ),
    ),
    (41641, True, ((0, b"TS\xf0\x9f\x92\xac".ljust(90, b"k")),)),
    (21116, True, ((0, b"\x32\x0d\x0a\x09123456789\x10\x02"),)),
    (3478, True, ((0, b"\0\1\0\0\x21\x12\xa4\x42" + b"t" * 12),)),
    (500, True, ((0, b"\7" * 8 + bytes(8) + b"\x21\x20\x22\x08\0\0\0\0\0\0\0\x1c"),)),
    (5938, False, ((0, b"\x17\x24\x0a\x20\0x"), (1, b"\x17\x24\x11\x04\0y"))),
    (4899, False, ((0, b"\1\0\0\0\1\0\0\0\x08\x08"),)),
    (1723, False, ((0, b"\0\x9c\0\1\x1a\x2b\x3c\x4d\0\1".ljust(156, b"\0")),)),
    (514, True, ((0, b"<34>1 2026-11-22T06:00:00Z plc1 app - - - x"),)),
)


def made() -> list[bytes]:
    """Port and transport; then for each piece who sends it, its length and its bytes."""
    seeds = []
    for port, datagrams, said in _TALKS:
        seed = bytes([PORTS.index(port), int(datagrams)])
        for side, text in said:
            piece = text[:_LONGEST]
            seed += bytes([side, len(piece)]) + piece
        seeds.append(seed)
    return seeds
