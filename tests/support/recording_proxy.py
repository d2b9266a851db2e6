"""A TCP proxy that writes down what went through it: real stacks talk, a capture comes out, nobody needs root.

    with RecordingProxy(("127.0.0.1", 1883), server_port=1883) as proxy:
        client.connect(*proxy.address)
        ...
    proxy.write(tmp_path / "talk.pcap")

The capture has one TCP flow a connection, with handshake, acknowledgements and FINs, each read of the proxy as one
segment (cut at 1,400 bytes) at the time of the read. Clients are 10.0.0.1, 10.0.0.2 and so on; the server is
10.0.1.1 with the port that is given.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

_SYN, _ACK, _FIN = 2, 16, 1
_SEGMENT_BYTES = 1_400
_POLL_S = 0.05


@dataclass
class _Connection:
    """What one client and the server said: (ns, side, bytes); side 0 is the client."""

    number: int
    opened_ns: int
    said: list[tuple[int, int, bytes]] = field(default_factory=list)
    closed_ns: int = 0


class RecordingProxy:
    """Passes bytes between clients and one server, and keeps them."""

    def __init__(self, target: tuple[str, int], *, server_port: int) -> None:
        self._target = target
        self._server_port = server_port
        self._connections: list[_Connection] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_POLL_S)
        self._start(self._accept, self._listener)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self._listener is not None:
            self._listener.close()

    @property
    def address(self) -> tuple[str, int]:
        """Where clients connect to."""
        assert self._listener is not None, "the proxy listens inside its with block"
        host, port = self._listener.getsockname()
        return str(host), int(port)

    def write(self, path: Path) -> Path:
        """Write the capture; the path again."""
        frames: list[tuple[int, bytes]] = []
        for connection in self._connections:
            frames += _frames(connection, self._server_port)
        frames.sort(key=lambda frame: frame[0])
        capture = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65_535, 1)
        for ns, frame in frames:
            capture += struct.pack("<IIII", ns // 10**9, ns % 10**9, len(frame), len(frame)) + frame
        path.write_bytes(capture)
        return path

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            connection = _Connection(len(self._connections), time.time_ns())
            self._connections.append(connection)
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            self._start(self._talk, connection, client, server)

    def _talk(self, connection: _Connection, client: socket.socket, server: socket.socket) -> None:
        """Both ways of one connection, until one side closes it."""
        with client, server:
            ends = [client, server]
            there = threading.Thread(target=self._pass, args=(connection, 0, ends))
            there.start()
            self._pass(connection, 1, ends)
            there.join()
        connection.closed_ns = time.time_ns()

    def _pass(self, connection: _Connection, side: int, ends: list[socket.socket]) -> None:
        """One way, until it ends; what was read is written down before it is passed on."""
        source, sink = ends[side], ends[1 - side]
        source.settimeout(_POLL_S)
        while not self._stopping.is_set():
            try:
                piece = source.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                break
            if not piece:
                break
            with self._lock:
                connection.said.append((time.time_ns(), side, piece))
            try:
                sink.sendall(piece)
            except OSError:
                break
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def _frames(connection: _Connection, server_port: int) -> list[tuple[int, bytes]]:
    """One connection as Ethernet frames with their times."""
    addresses = [bytes([10, 0, 0, 1 + connection.number % 250]), bytes([10, 0, 1, 1])]
    ports = [40_000 + connection.number, server_port]
    following = [1_000, 5_000]
    frames: list[tuple[int, bytes]] = []
    identification = 0

    def send(ns: int, side: int, flags: int, payload: bytes = b"") -> None:
        nonlocal identification
        identification = (identification + 1) % 65_536
        acknowledged = following[1 - side] if flags & _ACK else 0
        frames.append(
            (
                ns,
                _frame(addresses, ports, side, identification, following[side], acknowledged, flags, payload),
            )
        )
        following[side] += len(payload) + (1 if flags & (_SYN | _FIN) else 0)

    opened = connection.opened_ns
    send(opened, 0, _SYN)
    send(opened + 1_000, 1, _SYN | _ACK)
    send(opened + 2_000, 0, _ACK)
    last = opened + 2_000
    for ns, side, piece in connection.said:
        for at in range(0, len(piece), _SEGMENT_BYTES):
            last = max(ns, last + 1_000)
            send(last, side, _ACK, piece[at : at + _SEGMENT_BYTES])
    closed = max(connection.closed_ns, last + 1_000)
    send(closed, 0, _FIN | _ACK)
    send(closed + 1_000, 1, _FIN | _ACK)
    send(closed + 2_000, 0, _ACK)
    return frames


def _frame(
    addresses: list[bytes],
    ports: list[int],
    side: int,
    identification: int,
    sequence: int,
    acknowledgment: int,
    flags: int,
    payload: bytes,
) -> bytes:
    """An Ethernet frame with an IPv4 packet and a TCP segment; checksums are left 0."""
    tcp = struct.pack(
        ">HHIIBBHHH", ports[side], ports[1 - side], sequence, acknowledgment, 0x50, flags, 8_192, 0, 0
    )
    length = 20 + len(tcp) + len(payload)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, length, identification, 0x4000, 64, 6, 0)
    macs = [bytes([2, 0, 0, 0, 0, 1 + end]) for end in (0, 1)]
    return (
        macs[1 - side] + macs[side] + b"\x08\x00" + ip + addresses[side] + addresses[1 - side] + tcp + payload
    )
