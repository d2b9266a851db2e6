"""What TLS and SSH say beside Wireshark's fields: equal where both read the same, named where not."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest

from sensors.crosscheck import crosscheck
from tests.sensors.conversations import Turn, capture
from tests.sensors.crosscheck.apart import compared, differences, read_apart
from tests.sensors.test_services_tls import Conversation, certificate, contexts

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

__all__ = ["certificate"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_names_versions_and_fingerprints_of_tls(
    tmp_path: Path, certificate: Path, version: ssl.TLSVersion
) -> None:
    client, server = contexts(certificate, version)
    client.set_alpn_protocols(["h2", "http/1.1"])
    server.set_alpn_protocols(["http/1.1"])
    file = capture(tmp_path / "tls.pcap", Conversation(client, server).turns, 443)
    fields = compared(crosscheck(file))
    for name in ("introduction", "server name", "application protocols", "version", "ja4"):
        assert fields["tls", name] == 1, name


def test_another_server_name_is_named(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Conversation(*contexts(certificate, ssl.TLSVersion.TLSv1_3)).turns
    other: list[Turn] = [
        (side, said.replace(b"historian.mine-a.example", b"historian.mine-b.example")) for side, said in turns
    ]
    ours = capture(tmp_path / "ours.pcap", turns, 443)
    theirs = capture(tmp_path / "theirs.pcap", other, 443)
    assert differences(read_apart(monkeypatch, ours, theirs)) == [
        ("tls", "server name", "historian.mine-a.example", "historian.mine-b.example")
    ]


def packet(payload: bytes) -> bytes:
    """A packet of SSH in clear (RFC 4253, 6)."""
    padding = 4 + (8 - (len(payload) + 9) % 8) % 8
    return (1 + len(payload) + padding).to_bytes(4, "big") + bytes([padding]) + payload + bytes(padding)


def key_exchange(kex: str) -> bytes:
    """The algorithms that a side has (RFC 4253, 7.1)."""
    lists = [
        kex,
        "ssh-ed25519",
        "aes128-ctr",
        "aes128-ctr",
        "hmac-sha2-256",
        "hmac-sha2-256",
        "none",
        "none",
        "",
        "",
    ]
    told = b"".join(len(names).to_bytes(4, "big") + names.encode() for names in lists)
    return packet(b"\x14" + bytes(16) + told + bytes(5))


def ssh_turns(software: str) -> list[Turn]:
    return [
        ("server", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        ("client", f"SSH-2.0-{software}\r\n".encode()),
        ("client", key_exchange("curve25519-sha256,ext-info-c")),
        ("server", key_exchange("curve25519-sha256,ext-info-s")),
        ("client", packet(b"\x1e" + bytes(40))),
    ]


def test_software_and_fingerprints_of_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = capture(tmp_path / "ssh.pcap", ssh_turns("PuTTY_0.81"), 22)
    fields = compared(crosscheck(file))
    for name in (
        "introduction",
        "hassh",
        "hassh of the server",
        "software of the client",
        "software of the server",
    ):
        assert fields["ssh", name] == 1, name
    other = capture(tmp_path / "other.pcap", ssh_turns("PuTTY_0.99"), 22)
    assert differences(read_apart(monkeypatch, file, other)) == [
        ("ssh", "software of the client", "PuTTY_0.81", "PuTTY_0.99")
    ]
