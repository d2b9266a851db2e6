"""Remote-access tools as Debian has them, recorded: named on every port, and read as Wireshark reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import polars as pl
import pytest

from pcaps import sample
from pcaps.lab.plant.stations.names import DESKTOP_PASSWORD, SCREEN_PASSWORD
from tests.scenarios.decoded import rows, tables
from tests.sensors.conversations import tshark
from tests.support.dissectors import told

#: Service -> the recordings of its tools, past the policy and as agreed.
RECORDINGS: Final = {
    "vnc": ("lab-vnc-past", "lab-vnc-jump"),
    "rdp": ("lab-rdp-past", "lab-rdp-jump", "lab-rdp-night"),
    "ssh": ("lab-dropbear-past", "lab-dropbear-jump"),
    "openvpn": ("lab-openvpn-tunnel", "lab-openvpn-agreed"),
    "wireguard": ("lab-wireguard-tunnel", "lab-wireguard-agreed"),
}
EVERY: Final = [(service, name) for service, names in RECORDINGS.items() for name in names]
#: Sessions that the lab's clients held with the tools' servers, by port: the first is the service's own.
SESSIONS: Final = {
    "vnc": {5900: 1, 20590: 1, 8081: 1, 6543: 1},
    "rdp": {3389: 1, 13390: 2, 8443: 1},
    "ssh": {22: 1, 2222: 2},
    "openvpn": {1194: 1, 8443: 1, 5353: 1, 443: 1},
    "wireguard": {51820: 1, 4433: 1},
}
#: Where the vendor is logged in by OpenSSH while the agreed things happen.
JUMP: Final = "10.61.3.32"


def introductions(service: str, name: str) -> list[dict[str, Any]]:
    """What the servers of a recording's tools said of themselves, in the order of time."""
    introduced = rows(name, "services").filter(pl.col("service") == service)
    return to_the_tools(service, introduced).sort("ts").to_dicts()


def to_the_tools(service: str, seen: pl.DataFrame) -> pl.DataFrame:
    """Rows of a table without the vendor's own way to the jump host; tunnels end there themselves."""
    return seen if service in ("openvpn", "wireguard") else seen.filter(pl.col("server_ip") != JUMP)


@cache
def wireshark(name: str, *fields: str) -> list[dict[str, str]]:
    """The frames in which Wireshark finds any of the fields: their values, and the client's port or the server's."""
    options = told(sample(name).capture)
    ports = ("tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport")
    found = tshark(sample(name).capture, " or ".join(fields), *ports, *fields, decode_as=tuple(options[1::2]))
    return [dict(zip((*ports, *fields), values, strict=True)) for values in found]


def values(frames: Iterable[dict[str, str]], field: str, client_port: int) -> list[str]:
    """A field's values in the frames of one client's port, both ways."""
    port = str(client_port)
    return [frame[field] for frame in frames if frame[field] and port in list(frame.values())[:4]]


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_every_session_is_named_by_what_it_says_on_every_port(service: str, name: str) -> None:
    flows = to_the_tools(service, rows(name, "flows"))
    named = flows.select("server_port", "service", "confidence").rows()
    expected = Counter({(port, service, "handshake"): count for port, count in SESSIONS[service].items()})
    assert Counter(row for row in named if row[1] != "icmp") == expected


@pytest.mark.parametrize("name", RECORDINGS["vnc"])
class TestVnc:
    def test_version_security_and_name_are_those_that_wireshark_reads(self, name: str) -> None:
        fields = (
            "vnc.server_proto_ver",
            "vnc.client_proto_ver",
            "vnc.client_security_type",
            "vnc.desktop_name",
        )
        frames = wireshark(name, *fields)
        spoken = {"003.008": "RFB 3.8"}
        security = {"2": "VNC authentication", "19": "VeNCrypt"}
        desktops = [row for row in introductions("vnc", name) if row["version"].startswith("RFB")]
        assert len(desktops) == 4
        for row in desktops:
            server, client, kind, called = (values(frames, field, row["client_port"]) for field in fields)
            assert [row["server_software"]] == [spoken[one] for one in server]
            assert [row["version"]] == [spoken[one] for one in client]
            assert [row["cipher"]] == [security[one] for one in kind]
            # Within VeNCrypt, and TLS, Wireshark 4.0 reads no name.
            assert called in ([], [row["server_name"]])

    def test_what_the_lab_set_up_is_what_is_told(self, name: str) -> None:
        told_of = {
            row["server_port"]: row
            for row in introductions("vnc", name)
            if row["cipher"] in ("VeNCrypt", "VNC authentication")
        }
        plain, sealed, clear, screen = (told_of[port] for port in (5900, 20590, 8081, 6543))
        for row in (plain, clear, screen):
            assert (row["login"], row["server_name"], row["encrypted"]) == ("yes", "mill screens", False)
        assert "VNC authentication within TLS" in sealed["detail"] and sealed["encrypted"]
        assert "name and password in clear" in clear["detail"]
        assert [row["secret_seen"] for row in (plain, sealed, clear, screen)] == [False, False, True, False]
        assert clear["user"] == "operator"

    def test_within_vencrypt_tls_is_read(self, name: str) -> None:
        (tls,) = [row for row in introductions("vnc", name) if row["version"].startswith("TLS")]
        assert tls["server_port"] == 20590
        # TLSVnc has no certificate: an anonymous suite.
        assert tls["cipher"] == "TLS_ECDH_anon_WITH_AES_256_CBC_SHA"
        suites = wireshark(name, "tls.handshake.ciphersuite")
        assert "0xc019" in values(suites, "tls.handshake.ciphersuite", tls["client_port"])[-1]


@pytest.mark.parametrize("name", RECORDINGS["rdp"])
class TestRemoteDesktop:
    def test_cookie_and_protocols_are_those_that_wireshark_reads(self, name: str) -> None:
        fields = (
            "rdp.rt_cookie",
            "rdp.negReq.requestedProtocols",
            "rdp.negReq.selectedProtocol",
            "rdp.client.name",
        )
        frames = wireshark(name, *fields)
        requests = {"0x00000001": "requests TLS", "0x00000003": "requests TLS+CredSSP"}
        choices = {"0x00000000": "RDP with standard security", "0x00000001": "RDP with TLS"}
        desktops = [row for row in introductions("rdp", name) if row["version"].startswith("RDP")]
        assert len(desktops) == 4
        for row in desktops:
            cookie, asked, chosen, called = (values(frames, field, row["client_port"]) for field in fields)
            assert cookie == [f"Cookie: mstshash={row['user']}"] == ["Cookie: mstshash=operator"]
            assert row["detail"] == requests[asked[0]]
            assert row["version"] == choices[chosen[0]]
            # Within TLS nobody reads what the client calls itself.
            assert [row["client_name"]] == (called or [""])
        assert [row["client_name"] for row in desktops][3] in ("vendor1", "jump1")

    def test_tls_within_it_is_read(self, name: str) -> None:
        tls = [row for row in introductions("rdp", name) if row["version"].startswith("TLS")]
        assert [row["server_port"] for row in tls] == [3389, 13390, 13390]
        assert {row["version"] for row in tls} == {"TLS 1.3"}
        # FreeRDP and rdesktop are two programs with two TLS libraries.
        assert tls[0]["ja4"] == tls[1]["ja4"] != tls[2]["ja4"]


@pytest.mark.parametrize("name", RECORDINGS["ssh"])
class TestDropbear:
    def test_fingerprints_are_those_that_wireshark_takes(self, name: str) -> None:
        fields = ("ssh.kex.hassh", "ssh.kex.hasshserver", "ssh.protocol")
        frames = wireshark(name, *fields)
        shells = introductions("ssh", name)
        assert len(shells) == 3
        for row in shells:
            hassh, hassh_server, banners = (values(frames, field, row["client_port"]) for field in fields)
            assert hassh == [row["hassh"]]
            # A server's first segment that comes between two of the client's Wireshark 4.0 does not read.
            assert hassh_server in ([], [row["hassh_server"]])
            told_of = {banner.split("\\")[0].strip() for banner in banners}
            assert told_of <= {f"SSH-2.0-{row['client_software']}", f"SSH-2.0-{row['server_software']}"}
        servers = {frame["ssh.kex.hasshserver"] for frame in frames} - {""}
        assert {row["hassh_server"] for row in rows(name, "services").to_dicts()} == servers

    def test_the_second_client_and_server_have_fingerprints_of_their_own(self, name: str) -> None:
        shells = introductions("ssh", name)
        ends = [
            (row["client_software"][:8], row["server_software"][:8], row["server_port"]) for row in shells
        ]
        assert ends == [
            ("dropbear", "dropbear", 2222),
            ("dropbear", "OpenSSH_", 22),
            ("OpenSSH_", "dropbear", 2222),
        ]
        assert shells[0]["hassh"] == shells[1]["hassh"] != shells[2]["hassh"]
        assert shells[0]["hassh_server"] == shells[2]["hassh_server"] != shells[1]["hassh_server"]

    def test_who_was_let_in_is_guessed_so(self, name: str) -> None:
        # The clients ran a command: the lab's own report says that each was let in.
        assert all(line["answered"] == 1 for line in sample(name).truth["operation"])
        assert {row["login"] for row in rows(name, "services").to_dicts()} == {"guessed_yes"}


@pytest.mark.parametrize("name", RECORDINGS["openvpn"])
def test_openvpn_s_packets_and_their_protection_are_told(name: str) -> None:
    frames = wireshark(name, "openvpn.opcode")
    types = {
        "0x07": "P_CONTROL_HARD_RESET_CLIENT_V2",
        "0x08": "P_CONTROL_HARD_RESET_SERVER_V2",
        "0x0a": "P_CONTROL_HARD_RESET_CLIENT_V3",
    }
    # As the lab starts them: the signature of tls-auth is SHA-256.
    guards = {
        1194: "plain control packets",
        8443: "tls-auth with an HMAC of 32 bytes",
        5353: "tls-crypt",
        443: "tls-crypt-v2",
    }
    for row in introductions("openvpn", name):
        client, server = (types[code] for code in values(frames, "openvpn.opcode", row["client_port"])[:2])
        assert row["detail"].split("; ") == [client, guards[row["server_port"]], server]
        assert row["encrypted"]


@pytest.mark.parametrize("name", RECORDINGS["wireguard"])
def test_wireguard_s_messages_are_told(name: str) -> None:
    frames = wireshark(name, "wg.type")
    types = {"1": "handshake initiation", "2": "handshake response"}
    for row in introductions("wireguard", name):
        first = values(frames, "wg.type", row["client_port"])[:2]
        assert row["detail"].split("; ") == [types[one] for one in first]
        assert row["encrypted"]


def said(name: str) -> str:
    """Every cell of every table, as text."""
    return str([table.to_dict(as_series=False) for table in tables(name).values()])


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_no_password_is_in_a_row_and_only_the_clear_one_is_on_the_wire(service: str, name: str) -> None:
    wire = sample(name).capture.read_bytes()
    assert (DESKTOP_PASSWORD.encode() in wire) == (service == "vnc")
    # VNC's own is used as a key; Remote Desktop's is sealed, with TLS or without.
    assert SCREEN_PASSWORD.encode() not in wire
    assert DESKTOP_PASSWORD.encode("utf-16-le") not in wire
    assert not any(secret in said(name) for secret in (DESKTOP_PASSWORD, SCREEN_PASSWORD))
