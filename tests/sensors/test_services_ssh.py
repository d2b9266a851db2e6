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

from tests.sensors.conversations import free_port, only, read, tshark, wait_for
from tests.support.recording_proxy import RecordingProxy


@dataclass
class Server:
    """An OpenSSH server on loopback that lets in who has `key`."""

    port: int
    folder: Path

    def converse(self, file: Path, key: str, *options: str, port: int = 22) -> int:
        """One connection that is written down as if the server were on `port`; the client's exit code."""
        command = ["ssh", "-F", "none", "-i", str(self.folder / key)]
        for option in (
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "BatchMode=yes",
            *options,
        ):
            command += ["-o", option]
        with RecordingProxy(("127.0.0.1", self.port), server_port=port) as proxy:
            host, at = proxy.address
            command += ["-p", str(at), host, "true"]
            done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        proxy.write(file)
        return done.returncode


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
        process.wait(timeout=60)


@pytest.mark.parametrize("port", [22, 4711])
def test_software_algorithms_and_fingerprints(tmp_path: Path, server: Server, port: int) -> None:
    file = tmp_path / "ssh.pcap"
    assert server.converse(file, "known", port=port) == 0
    rows = read(file)
    row = only(rows, "services")
    assert (row["service"], row["confidence"], row["version"]) == ("ssh", "handshake", "SSH 2.0")
    assert rows["flows"][0]["service"] == "ssh"
    decode_as = f"tcp.port=={port},ssh"
    told = [banner for (banner,) in tshark(file, "ssh.protocol", "ssh.protocol", decode_as=decode_as)]
    said = {f"SSH-2.0-{row['client_software']}", f"SSH-2.0-{row['server_software']}"}
    assert said == {banner.split("\\")[0].strip() for banner in told}
    hassh = tshark(file, "ssh.kex.hassh", "ssh.kex.hassh", decode_as=decode_as)
    hassh_server = tshark(file, "ssh.kex.hasshserver", "ssh.kex.hasshserver", decode_as=decode_as)
    assert [[row["hassh"]], [row["hassh_server"]]] == [hassh[0], hassh_server[0]]
    assert row["encrypted"]
    observed = {(seen["source"], seen["kind"], seen["value"]) for seen in rows["observations"]}
    assert ("ssh", "software", row["server_software"]) in observed


@pytest.mark.parametrize(
    "cipher",
    ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"],
)
@pytest.mark.parametrize("mac", ["hmac-sha2-256-etm@openssh.com", "hmac-sha1", "umac-64@openssh.com"])
def test_who_was_let_in_is_guessed_from_sizes(tmp_path: Path, server: Server, cipher: str, mac: str) -> None:
    options = (f"Ciphers={cipher}", f"MACs={mac}")
    assert server.converse(tmp_path / "yes.pcap", "known", *options) == 0
    row = only(read(tmp_path / "yes.pcap"), "services")
    assert row["login"] == "guessed_yes"
    assert row["cipher"].split(" ")[0] == cipher
    assert server.converse(tmp_path / "no.pcap", "unknown", *options) == 255
    row = only(read(tmp_path / "no.pcap"), "services")
    assert (row["login"], row["refused_logins"]) == ("guessed_no", 1)


def test_the_agreed_key_exchange_is_the_client_s_first_that_the_server_has(
    tmp_path: Path, server: Server
) -> None:
    file = tmp_path / "ssh.pcap"
    offer = "KexAlgorithms=diffie-hellman-group14-sha256,curve25519-sha256"
    assert server.converse(file, "known", offer) == 0
    row = only(read(file), "services")
    assert row["key_exchange"] == "diffie-hellman-group14-sha256"
    assert "host key ssh-ed25519" in row["detail"]
