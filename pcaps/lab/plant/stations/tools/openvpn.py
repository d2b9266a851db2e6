"""OpenVPN: a server and a client, over UDP or TCP, with each way of protecting its control packets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pcaps.lab.plant.stations.report import READY, Counts, Line, say
from pcaps.lab.plant.stations.tools.certificates import certificate, fingerprint
from pcaps.lab.plant.stations.tools.room import ROOM, do, own_room, reach, running

_INSIDE: Final = "10.99"
_KNOCKS: Final = 3
_DONE: Final = "Initialization Sequence Completed"


def serve(address: str, port: int, transport: str, guard: str, folder: str, number: int) -> None:
    """A server until it is stopped. `guard` is none, tls-auth, tls-crypt or tls-crypt-v2."""
    with own_room():
        command = [
            *("openvpn", "--mode", "server", "--tls-server", "--local", address, "--port", str(port)),
            *("--topology", "subnet", "--server", f"{_INSIDE}.{number}.0", "255.255.255.0", "--dh", "none"),
            *_both(transport, "server", "client", guard, Path(folder)),
        ]
        with running(*command) as server:
            server.wait_for(_DONE)
            say(READY)
            server.stay()


def visit(
    server: str, port: int, transport: str, guard: str, folder: str, number: int, seconds: float
) -> list[Line]:
    """Open a tunnel, ask whether the other end is there, stay a while."""
    counts = Counts("openvpn", server)
    with own_room():
        command = [
            *("openvpn", "--client", "--remote", server, str(port), "--nobind"),
            *_both(transport, "client", "server", guard, Path(folder)),
        ]
        with running(*command) as client:
            counts.asked("session")
            client.wait_for(_DONE)
            counts.answered("session")
            reach(f"{_INSIDE}.{number}.1", _KNOCKS)
            client.use(seconds)
    return counts.lines()


def _both(transport: str, own: str, other: str, guard: str, folder: Path) -> Sequence[str]:
    made, key = certificate(folder, f"openvpn-{own}")
    theirs, _ = certificate(folder, f"openvpn-{other}")
    protocol = f"{transport}4" if transport == "udp" else f"tcp4-{own}"
    return [
        *("--dev", "tun", "--proto", protocol, "--cert", str(made), "--key", str(key), "--verb", "3"),
        *("--peer-fingerprint", fingerprint(theirs), "--data-ciphers", "AES-256-GCM", "--disable-dco"),
        *("--writepid", str(ROOM / "openvpn.pid"), *_guard(guard, own, folder)),
    ]


def _guard(guard: str, own: str, folder: Path) -> Sequence[str]:
    """Nothing, or the key that both sides share."""
    if guard == "none":
        return []
    if guard == "tls-crypt-v2":
        return _keys_of_each(own, folder)
    key = folder / "openvpn-shared.key"
    if not key.exists():
        do("openvpn", "--genkey", "secret", str(key))
    if guard == "tls-crypt":
        return ["--tls-crypt", str(key)]
    return ["--tls-auth", str(key), "0" if own == "server" else "1", "--auth", "SHA256"]


def _keys_of_each(own: str, folder: Path) -> Sequence[str]:
    server, client = folder / "openvpn-v2-server.key", folder / "openvpn-v2-client.key"
    if not server.exists():
        do("openvpn", "--genkey", "tls-crypt-v2-server", str(server))
        do("openvpn", "--tls-crypt-v2", str(server), "--genkey", "tls-crypt-v2-client", str(client))
    return ["--tls-crypt-v2", str(server if own == "server" else client)]
