"""TLS as OpenSSL speaks it: names, versions, certificates and fingerprints, beside what Wireshark reads."""

from __future__ import annotations

import datetime
import hashlib
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.sensors.conversations import Turn, capture, only, read, tshark

NOT_AFTER = datetime.datetime(2031, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate and its key in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CL"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Mine A, Concentrator"),
            x509.NameAttribute(NameOID.COMMON_NAME, "historian.mine-a.example"),
        ]
    )
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(NOT_AFTER)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("historian.mine-a.example")]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(
        signed.public_bytes(encoding) + key.private_bytes(encoding, form, serialization.NoEncryption())
    )
    return file


class Conversation:
    """Two OpenSSL ends, joined in memory, and all that they say."""

    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext, session: ssl.SSLSession | None = None):
        self.turns: list[Turn] = []
        pipes = [ssl.MemoryBIO() for _ in range(4)]
        self.client = client.wrap_bio(
            pipes[0], pipes[1], server_hostname="historian.mine-a.example", session=session
        )
        self.server = server.wrap_bio(pipes[2], pipes[3], server_side=True)
        self._ways = (("client", pipes[1], pipes[2]), ("server", pipes[3], pipes[0]))
        for _ in range(6):
            for end in (self.client, self.server):
                self._try(end)
        self.client.write(b"a reading")
        self._carry()
        self.server.read()
        self.server.write(b"a value")
        self._carry()
        self.client.read()

    def _try(self, end: ssl.SSLObject) -> None:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            pass
        finally:
            self._carry()

    def _carry(self) -> None:
        for side, out, into in self._ways:
            said = out.read()
            if said:
                self.turns.append((side, said))  # type: ignore[arg-type]
                into.write(said)


def contexts(certificate: Path, version: ssl.TLSVersion) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    client = ssl.create_default_context(cafile=str(certificate))
    for context in (client, server):
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["http/1.1"])
    return client, server


def ja4_of(file: Path) -> str:
    """JA4 from the fields as Wireshark reads them, by the method's description."""
    fields = ["version", "ciphersuite", "extension.type", "extensions.supported_version", "sig_hash_alg"]
    hello = tshark(file, "tls.handshake.type == 1", *(f"tls.handshake.{field}" for field in fields))[0]
    legacy, ciphers, extensions, versions, signatures = (
        [int(value, 0) for value in values.split(",") if value] for values in hello
    )
    kept = [
        [value for value in values if value & 0x0F0F != 0x0A0A]
        for values in (ciphers, extensions, signatures)
    ]
    version = {0x304: "13", 0x303: "12", 0x302: "11", 0x301: "10"}[max(versions or legacy)]
    (alpn,) = tshark(file, "tls.handshake.type == 1", "tls.handshake.extensions_alpn_str")[0]
    head = f"t{version}{'d' if 0 in extensions else 'i'}{len(kept[0]):02}{len(kept[1]):02}"
    head += alpn[0] + alpn.split(",")[0][-1] if alpn else "00"

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def joined(values: list[int]) -> str:
        return ",".join(f"{value:04x}" for value in values)

    tail = joined(sorted(set(kept[1]) - {0, 16})) + (f"_{joined(kept[2])}" if kept[2] else "")
    return f"{head}_{digest(joined(sorted(kept[0])))}_{digest(tail)}"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("port", [443, 8883, 4711])
def test_a_conversation_is_named_and_fingerprinted(
    tmp_path: Path, certificate: Path, version: str, port: int
) -> None:
    conversation = Conversation(*contexts(certificate, ssl.TLSVersion[version]))
    file = capture(tmp_path / "tls.pcap", conversation.turns, port)
    rows = read(file)
    row = only(rows, "services")
    assert row["service"] == {443: "https", 8883: "mqtt-tls", 4711: "https"}[port]
    assert rows["flows"][0]["service"] == row["service"]
    assert rows["flows"][0]["confidence"] == row["confidence"] == "handshake"
    assert row["version"] == conversation.client.version().replace("v", " ")  # type: ignore[union-attr]
    assert row["host_name"] == "historian.mine-a.example"
    assert row["alpn"] == ["http/1.1"]
    assert row["encrypted"]
    assert not row["resumed"]
    assert row["ja4"] == ja4_of(file)
    cipher = tshark(file, "tls.handshake.type == 2", "tls.handshake.ciphersuite")[0][0]
    assert row["cipher"] == cipher_name(int(cipher, 0))


def cipher_name(number: int) -> str:
    """The standard's name of a cipher suite, as OpenSSL knows it."""
    listed = subprocess.run(
        ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for line in listed.splitlines():
        code, _, name, *_ = line.split()
        if int(code.replace(",0x", ""), 16) == number:
            return name
    raise AssertionError(number)


def test_the_certificate_of_tls_1_2_is_read(tmp_path: Path, certificate: Path) -> None:
    conversation = Conversation(*contexts(certificate, ssl.TLSVersion.TLSv1_2))
    rows = read(capture(tmp_path / "tls.pcap", conversation.turns, 443))
    row = only(rows, "services")
    signed = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert row["certificate_subject"] == signed.subject.rfc4514_string()
    assert row["certificate_issuer"] == signed.issuer.rfc4514_string()
    assert row["certificate_sha256"] == signed.fingerprint(hashes.SHA256()).hex()
    assert row["certificate_not_after"] == int(NOT_AFTER.timestamp()) * 1_000_000_000
    assert row["server_name"] == "historian.mine-a.example"
    told = [(seen["source"], seen["kind"], seen["value"]) for seen in rows["observations"]]
    assert ("tls", "host_name", "historian.mine-a.example") in told


def test_the_certificate_of_tls_1_3_is_ciphertext(tmp_path: Path, certificate: Path) -> None:
    conversation = Conversation(*contexts(certificate, ssl.TLSVersion.TLSv1_3))
    row = only(read(capture(tmp_path / "tls.pcap", conversation.turns, 443)), "services")
    assert row["certificate_subject"] == row["certificate_sha256"] == ""
    assert row["certificate_not_after"] is None


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_session_that_goes_on_is_resumed(tmp_path: Path, certificate: Path, version: str) -> None:
    client, server = contexts(certificate, ssl.TLSVersion[version])
    first = Conversation(client, server)
    second = Conversation(client, server, first.client.session)
    assert second.client.session_reused
    assert only(read(capture(tmp_path / "tls.pcap", second.turns, 443)), "services")["resumed"]


def test_a_refusal_is_told(tmp_path: Path, certificate: Path) -> None:
    client, server = contexts(certificate, ssl.TLSVersion.TLSv1_2)
    server.minimum_version = server.maximum_version = ssl.TLSVersion.TLSv1_3
    with pytest.raises(ssl.SSLError):
        Conversation(client, server)
    turns = refused_turns(client, server)
    row = only(read(capture(tmp_path / "tls.pcap", turns, 443)), "services")
    assert "alert by server: protocol_version" in row["detail"]
    assert row["version"] == ""


def refused_turns(client: ssl.SSLContext, server: ssl.SSLContext) -> list[Turn]:
    """What is said until the server refuses."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        client.wrap_bio(to_client, to_server, server_hostname="historian").do_handshake()
    asked = to_server.read()
    into = ssl.MemoryBIO()
    into.write(asked)
    with pytest.raises(ssl.SSLError):
        server.wrap_bio(into, to_client, server_side=True).do_handshake()
    return [("client", asked), ("server", to_client.read())]


def test_a_connection_joined_after_its_handshake_is_still_tls(tmp_path: Path, certificate: Path) -> None:
    turns = Conversation(*contexts(certificate, ssl.TLSVersion.TLSv1_3)).turns[-2:]
    rows = read(capture(tmp_path / "tls.pcap", turns, 4711, handshake=False))
    assert (rows["flows"][0]["service"], rows["flows"][0]["confidence"]) == ("tls", "handshake")


def test_what_is_sealed_leaves_no_trace(tmp_path: Path, certificate: Path) -> None:
    turns = Conversation(*contexts(certificate, ssl.TLSVersion.TLSv1_2)).turns
    assert "a reading" not in str(read(capture(tmp_path / "tls.pcap", turns, 443)))
