"""QUIC's first packets, sealed here by RFC 9001 with another implementation: the names inside, beside Wireshark's."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from tests.sensors.conversations import Turn, only, read, tshark
from tests.sensors.operations.packets import datagrams
from tests.sensors.talks import write_pcap

NAME: Final = "historian.mine-a.example"
IDENTIFIER: Final = bytes.fromhex("8394c8f03e515708")

#: Version -> salt, the labels' beginning, the type bits of an Initial packet (RFC 9001, 5.2; RFC 9369, 3).
VERSIONS: Final = {
    1: (bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), "quic", 0),
    0x6B3343CF: (bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), "quicv2", 1),
}


def expand(secret: bytes, label: str, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446, 7.1)."""
    told = f"tls13 {label}".encode()
    info = length.to_bytes(2, "big") + bytes([len(told)]) + told + b"\0"
    return HKDFExpand(hashes.SHA256(), length, info).derive(secret)


def extract(salt: bytes, material: bytes) -> bytes:
    """HKDF-Extract (RFC 5869, 2.2)."""
    digest = hmac.HMAC(salt, hashes.SHA256())
    digest.update(material)
    return digest.finalize()


def initial(frames: bytes, number: int = 0, version: int = 1, token: bytes = b"") -> bytes:
    """A client's Initial packet, padded to 1,200 bytes, sealed (RFC 9001, 5)."""
    salt, label, kind = VERSIONS[version]
    secret = expand(extract(salt, IDENTIFIER), "client in", 32)
    key, nonce = expand(secret, f"{label} key", 16), expand(secret, f"{label} iv", 12)
    first = 0xC0 | kind << 4 | 3
    head = bytes([first]) + version.to_bytes(4, "big") + bytes([8]) + IDENTIFIER + b"\0"
    head += bytes([len(token)]) + token
    clear = frames.ljust(1_200 - len(head) - 2 - 4 - 16, b"\0")
    head += (0x4000 | (4 + len(clear) + 16)).to_bytes(2, "big") + number.to_bytes(4, "big")
    nonce = (int.from_bytes(nonce, "big") ^ number).to_bytes(12, "big")
    sealed = AESGCM(key).encrypt(nonce, clear, head)
    cipher = Cipher(algorithms.AES(expand(secret, f"{label} hp", 16)), modes.ECB()).encryptor()  # noqa: S305
    mask = cipher.update(sealed[:16])
    protected = bytes(octet ^ veil for octet, veil in zip(head[-4:], mask[1:], strict=False))
    return bytes([first ^ mask[0] & 0x0F]) + head[1:-4] + protected + sealed


def crypto(offset: int, part: bytes) -> bytes:
    """A CRYPTO frame (RFC 9000, 19.6)."""
    return b"\x06" + (0x4000 | offset).to_bytes(2, "big") + (0x4000 | len(part)).to_bytes(2, "big") + part


def client_hello() -> bytes:
    """What OpenSSL says first, without the header of a record."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h3"])
    said = ssl.MemoryBIO()
    end = context.wrap_bio(ssl.MemoryBIO(), said, server_hostname=NAME)
    with pytest.raises(ssl.SSLWantReadError):
        end.do_handshake()
    return said.read()[5:]


def capture(path: Path, packets: Sequence[bytes]) -> Path:
    turns: list[Turn] = [("client", packet) for packet in packets]
    return write_pcap(path, datagrams(turns, 443, sport=50_000))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_name_that_the_client_asks_for_is_read(tmp_path: Path, version: int) -> None:
    hello = client_hello()
    row = only(
        read(capture(tmp_path / "quic.pcap", [initial(crypto(0, hello), version=version)])), "services"
    )
    assert (row["service"], row["host_name"], row["alpn"]) == ("quic", NAME, ["h3"])
    assert row["version"] == {1: "QUIC 1", 0x6B3343CF: "QUIC 2"}[version]
    assert row["ja4"].startswith("q13d")
    assert row["encrypted"]


def test_wireshark_reads_the_same_name(tmp_path: Path) -> None:
    file = capture(tmp_path / "quic.pcap", [initial(crypto(0, client_hello()))])
    fields = ("tls.handshake.extensions_server_name", "tls.handshake.extensions_alpn_str")
    ((name, protocol),) = tshark(file, "quic", *fields)
    row = only(read(file), "services")
    assert (row["host_name"], row["alpn"]) == (name, [protocol])


def test_a_hello_in_parts_that_come_in_any_order_is_read(tmp_path: Path) -> None:
    hello = client_hello()
    parts = [crypto(at, hello[at : at + 60]) for at in range(0, len(hello), 60)]
    first, second = b"\x01".join(parts[1::2]), b"".join(reversed(parts[::2]))
    acknowledgement = b"\x02\x00\x00\x00\x00"
    packets = [initial(first), initial(acknowledgement + second, 1, token=b"a token")]
    row = only(read(capture(tmp_path / "quic.pcap", packets)), "services")
    assert row["host_name"] == NAME


def test_without_the_whole_hello_only_the_protocol_is_named(tmp_path: Path) -> None:
    hello = client_hello()
    row = only(read(capture(tmp_path / "quic.pcap", [initial(crypto(0, hello[:150]))])), "services")
    assert (row["service"], row["host_name"], row["ja4"]) == ("quic", "", "")


def test_a_packet_that_does_not_open_is_named_and_nothing_is_made_up(tmp_path: Path) -> None:
    packet = bytearray(initial(crypto(0, client_hello())))
    packet[8] ^= 1
    row = only(read(capture(tmp_path / "quic.pcap", [bytes(packet)])), "services")
    assert (row["service"], row["host_name"], row["alpn"], row["ja4"]) == ("quic", "", [], "")
