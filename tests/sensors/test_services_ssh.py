"""SSH as OpenSSH speaks it: software, algorithms, fingerprints and whether the client was let in."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sensors.conversations import Relay, capture, free_port, only, read, tshark, wait_for


@dataclass
class Server:
    """An OpenSSH server on loopback that lets in who has `key`."""

    port: int
    folder: Path

    def converse(self, key: str, *options: str) -> tuple[int, Relay]:
        """One connection through a relay: the client's exit code and what was said."""
        command = ["ssh", "-F", "none", "-i", str(self.folder / key), "-p", "0"]
        for option in (
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "BatchMode=yes",
            *options,
        ):
            command += ["-o", option]
        with Relay(self.port) as relay:
            command[command.index("-p") + 1] = str(relay.port)
            done = subprocess.run(
                [*command, "127.0.0.1", "true"], capture_output=True, check=False, timeout=60
            )
        return done.returncode, relay


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    if not Path(program).exists() or not shutil.which("ssh"):
        pytest.skip("OpenSSH is not installed")
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "known", "unknown"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True, timeout=60
        )
    shutil.copy(folder / "known.pub", folder / "authorized_keys")
    if os.geteuid() == 0:
        # Where a privileged sshd wants an empty folder.
        Path("/run/sshd").mkdir(exist_ok=True)
    configuration = folder / "sshd_config"
    port = free_port()
    configuration.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n"
        f"PasswordAuthentication no\nAllowUsers {getpass.getuser()}\nPermitRootLogin yes\n"
    )
    process = subprocess.Popen(
        [program, "-D", "-e", "-f", str(configuration)], stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield Server(port, folder)
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.mark.parametrize("port", [22, 4711])
def test_software_algorithms_and_fingerprints(tmp_path: Path, server: Server, port: int) -> None:
    code, relay = server.converse("known")
    assert code == 0
    file = capture(tmp_path / "ssh.pcap", relay.turns, port)
    rows = read(file)
    row = only(rows, "services")
    assert (row["service"], row["confidence"], row["version"]) == ("ssh", "handshake", "SSH 2.0")
    assert rows["flows"][0]["service"] == "ssh"
    banners = [said.split(b"\r\n")[0].decode() for _, said in relay.turns[:2]]
    assert sorted(banners) == sorted(
        f"SSH-2.0-{software}" for software in (row["client_software"], row["server_software"])
    )
    decode_as = f"tcp.port=={port},ssh"
    hassh = tshark(file, "ssh.kex.hassh", "ssh.kex.hassh", decode_as=decode_as)
    hassh_server = tshark(file, "ssh.kex.hasshserver", "ssh.kex.hasshserver", decode_as=decode_as)
    assert [[row["hassh"]], [row["hassh_server"]]] == [hassh[0], hassh_server[0]]
    assert row["encrypted"]
    told = {(seen["source"], seen["kind"], seen["value"]) for seen in rows["observations"]}
    assert ("ssh", "software", row["server_software"]) in told


@pytest.mark.parametrize(
    "cipher",
    ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"],
)
@pytest.mark.parametrize("mac", ["hmac-sha2-256-etm@openssh.com", "hmac-sha1", "umac-64@openssh.com"])
def test_who_was_let_in_is_guessed_from_sizes(tmp_path: Path, server: Server, cipher: str, mac: str) -> None:
    options = (f"Ciphers={cipher}", f"MACs={mac}")
    code, relay = server.converse("known", *options)
    assert code == 0
    row = only(read(capture(tmp_path / "yes.pcap", relay.turns, 22)), "services")
    assert row["login"] == "guessed_yes"
    assert row["cipher"].split(" ")[0] == cipher
    code, relay = server.converse("unknown", *options)
    assert code == 255
    row = only(read(capture(tmp_path / "no.pcap", relay.turns, 22)), "services")
    assert (row["login"], row["refused_logins"]) == ("guessed_no", 1)


def test_the_agreed_key_exchange_is_the_client_s_first_that_the_server_has(
    tmp_path: Path, server: Server
) -> None:
    code, relay = server.converse("known", "KexAlgorithms=diffie-hellman-group14-sha256,curve25519-sha256")
    assert code == 0
    row = only(read(capture(tmp_path / "ssh.pcap", relay.turns, 22)), "services")
    assert row["key_exchange"] == "diffie-hellman-group14-sha256"
    assert "host key ssh-ed25519" in row["detail"]


def test_without_banners_the_key_exchange_names_it(tmp_path: Path, server: Server) -> None:
    _, relay = server.converse("known")
    exchange = [turn for turn in relay.turns if not turn[1].startswith(b"SSH-")]
    rows = read(capture(tmp_path / "ssh.pcap", exchange, 4711, handshake=False))
    row = only(rows, "services")
    assert rows["flows"][0]["service"] == row["service"] == "ssh"
    assert row["hassh"] or row["hassh_server"]
