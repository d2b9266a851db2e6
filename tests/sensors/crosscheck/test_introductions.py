"""What TLS, SSH and OT operations say beside Wireshark's fields: equal where both read the same, named where not."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest

from sensors.capture import Capture, open_capture
from sensors.crosscheck import Crosscheck, crosscheck
from sensors.crosscheck import compare as module
from sensors.crosscheck.own import OwnRows
from sensors.engine import EngineLimits
from tests.sensors.conversations import Turn, capture
from tests.sensors.test_services_tls import Conversation, certificate, contexts

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

__all__ = ["certificate"]

RECORDED = Path(__file__).parents[1] / "operations" / "recorded"


def read_apart(monkeypatch: pytest.MonkeyPatch, ours: Path, theirs: Path) -> Crosscheck:
    """Our engine reads one capture, Wireshark the other."""
    own = open_capture(ours)

    def reading(_: Capture, tables: tuple[str, ...], limits: EngineLimits | None) -> OwnRows:
        return OwnRows(own, tables, limits)

    monkeypatch.setattr(module, "OwnRows", reading)
    return crosscheck(theirs)


def compared(found: Crosscheck) -> dict[tuple[str, str], int]:
    assert [one for field in found.fields for one in field.differences if not one.explanation] == []
    return {(field.protocol, field.field): field.compared for field in found.fields}


def differences(found: Crosscheck) -> list[tuple[str, str, str, str]]:
    return [
        (one.protocol, one.field, one.ours, one.wireshark)
        for field in found.fields
        for one in field.differences
        if not one.explanation
    ]


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


@pytest.mark.parametrize(
    ("protocol", "messages", "operations"), [("s7comm", 70, 18), ("dnp3", 42, 21), ("bacnet", 38, 19)]
)
def test_operations_of_real_stacks(protocol: str, messages: int, operations: int) -> None:
    name = {"s7comm": "s7"}.get(protocol, protocol)
    found = crosscheck(RECORDED / f"{name}.pcap")
    fields = compared(found)
    assert fields[protocol, "message"] == fields[protocol, "frame"] == messages
    assert fields[protocol, "request: operation"] == operations
    assert fields[protocol, "response: refused"] > 10
    assert found.agrees


def test_another_operation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.sensors.operations.packets import dnp3_request, dnp3_response

    def talk(function: int) -> list[Turn]:
        return [("client", dnp3_request(1, function)), ("server", dnp3_response(1))] * 3

    ours = capture(tmp_path / "ours.pcap", talk(13), 20_000)
    theirs = capture(tmp_path / "theirs.pcap", talk(14), 20_000)
    assert set(differences(read_apart(monkeypatch, ours, theirs))) == {
        ("dnp3", "request: operation", "cold restart", "warm restart")
    }
