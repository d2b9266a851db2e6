"""Remote access of the lab: the sensor names every protocol and reads its fields, and Wireshark agrees."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pcaps.lab.synth import rdp, ssh, tls, tunnels, vnc
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.dialogue import Line, Side, client, server
from pcaps.lab.synth.keys import identity
from pcaps.lab.synth.work import Work
from tests.pcaps.two_stations import START_NS, Said, capture, rows, spoken_by

TSHARK = shutil.which("tshark")
HOLDER = identity("ews1", made_ns=START_NS - 86_400 * SECOND, days=90, host="ews1.plant.example")
WORK = [Work(START_NS + 40 * SECOND, START_NS + 200 * SECOND)]


def chance() -> random.Random:
    return random.Random(5)


def introduced(folder: Path, port: int, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """What the connection's services said of themselves."""
    seen = rows(capture(folder, Said(port, lines)))
    assert "anomalies" not in seen
    return seen["services"].to_dicts()


def test_tls_with_its_certificate_in_clear(tmp_path: Path) -> None:
    lines = tls.handshake_12(chance(), HOLDER, name="ews1.plant.example", alpn=("http/1.1",))
    lines += [client(tls.sealed(chance(), 90, explicit_nonce=True))]
    (one,) = introduced(tmp_path, tls.PORT, lines)
    assert (one["service"], one["version"], one["host_name"]) == ("https", "TLS 1.2", "ews1.plant.example")
    assert (one["certificate_sha256"], one["server_name"]) == (HOLDER.sha256, "ews1")
    assert one["alpn"] == ["http/1.1"]


def test_tls_with_its_certificate_sealed(tmp_path: Path) -> None:
    lines = tls.handshake_13(chance(), name="x.plant.example", alpn=("h2",))
    (one,) = introduced(tmp_path, tls.PORT, [*lines, server(tls.sealed(chance(), 20_000))])
    assert (one["version"], one["host_name"], one["certificate_sha256"]) == ("TLS 1.3", "x.plant.example", "")
    assert (one["key_exchange"], one["cipher"]) == ("x25519", "TLS_AES_128_GCM_SHA256")


@pytest.mark.parametrize(
    ("refused", "let_in", "login"),
    [(0, True, "guessed_yes"), (2, True, "guessed_yes"), (3, False, "guessed_no")],
)
def test_ssh_with_right_and_wrong_passwords(tmp_path: Path, refused: int, let_in: bool, login: str) -> None:
    lines = ssh.session(chance(), START_NS, WORK, refused=refused, let_in=let_in)
    (one,) = introduced(tmp_path, ssh.PORT, lines)
    assert (one["service"], one["login"], one["refused_logins"]) == ("ssh", login, refused)
    assert one["client_software"] == "OpenSSH_9.6"
    assert (one["key_exchange"], one["cipher"]) == ("curve25519-sha256", "chacha20-poly1305@openssh.com")


def test_rdp_with_its_user_and_its_certificate(tmp_path: Path) -> None:
    upgraded, sealed = introduced(
        tmp_path, rdp.PORT, rdp.session(chance(), START_NS, HOLDER, "engineer", WORK)
    )
    assert (upgraded["user"], upgraded["version"]) == ("engineer", "RDP with CredSSP")
    assert (sealed["version"], sealed["certificate_sha256"]) == ("TLS 1.2", HOLDER.sha256)


def test_rdp_that_the_server_refuses(tmp_path: Path) -> None:
    (one,) = introduced(tmp_path, rdp.PORT, rdp.refused(START_NS, "engineer"))
    assert one["detail"] == "requests standard security; refused: CredSSP required"


@pytest.mark.parametrize(
    ("password", "let_in", "login"), [(True, True, "yes"), (False, True, "not_asked"), (True, False, "no")]
)
def test_vnc_with_and_without_a_password(tmp_path: Path, password: bool, let_in: bool, login: str) -> None:
    lines = vnc.session(chance(), START_NS, "hmi1", WORK, password=password, let_in=let_in)
    (one,) = introduced(tmp_path, vnc.PORT, lines)
    assert (one["version"], one["login"]) == ("RFB 3.8", login)
    assert one["server_name"] == ("hmi1" if let_in else "")


def test_commands_like_teamviewer_s(tmp_path: Path) -> None:
    (one,) = introduced(tmp_path, tunnels.TEAMVIEWER_PORT, tunnels.teamviewer(chance(), START_NS, WORK))
    assert one["service"] == "teamviewer"


def test_wireguard_s_messages_have_the_paper_s_lengths_and_name_each_other() -> None:
    datagrams = tunnels.wireguard(chance(), START_NS, 3)
    initiation, response, keepalive, *data = [one.data for one in datagrams]
    assert (len(initiation), len(response), len(keepalive)) == (148, 92, 32)
    assert response[8:12] == initiation[4:8]
    assert keepalive[4:8] == response[4:8]
    assert all(one[:4] == b"\x04\x00\x00\x00" and len(one) % 16 == 0 for one in data)
    assert [one.side for one in datagrams[:3]] == [Side.CLIENT, Side.SERVER, Side.CLIENT]


@pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
def test_wireshark_dissects_all_of_it_and_finds_nothing_malformed(tmp_path: Path) -> None:
    assert TSHARK is not None
    path = capture(
        tmp_path,
        Said(tls.PORT, tls.handshake_12(chance(), HOLDER, name="ews1.plant.example")),
        Said(tls.PORT, tls.handshake_13(chance(), name="x.plant.example")),
        Said(ssh.PORT, ssh.session(chance(), START_NS, WORK)),
        Said(rdp.PORT, rdp.session(chance(), START_NS, HOLDER, "engineer", WORK)),
        Said(vnc.PORT, vnc.session(chance(), START_NS, "hmi1", WORK)),
    )
    command = [TSHARK, "-n", "-r", str(path), "-T", "fields", "-e", "_ws.malformed"]
    command += ["-e", "tls.handshake.extensions_server_name", "-e", "ssh.kex_algorithms"]
    command += ["-e", "rdp.rt_cookie", "-e", "vnc.desktop_name"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    malformed, names, exchanges, cookies, desktops = (
        {value for value in column if value}
        for column in zip(*(line.split("\t") for line in shown.split("\n")[:-1]), strict=True)
    )
    assert malformed == set()
    assert names == {"ews1.plant.example", "x.plant.example"}
    assert len(exchanges) == 2
    assert cookies == {"Cookie: mstshash=engineer"}
    assert desktops == {"hmi1"}


def test_one_seed_says_the_same_bytes() -> None:
    first, again = (spoken_by(Side.SERVER, ssh.session(chance(), START_NS, WORK)) for _ in range(2))
    assert first == again
