"""Plain TCP: data one way, data the other way, and connections that are opened and closed.

Estimators of loss and delay live on streams; request and answer give them little.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Final

from pcaps.lab.plant.layout import BURST_PORT, DOWNLOAD_PORT, KNOCK_PORT, UPLOAD_PORT
from pcaps.lab.plant.stations.report import READY, Counts, Line, say, ticks

#: What fits in one Ethernet frame, with TCP timestamps.
_SEGMENT: Final = 1448
#: Segments sent at once: the receiver acknowledges every second one without delay.
_BURST: Final = 4
#: Bursts that are longer apart than any round trip that the link is set to.
_APART_MS: Final = 200.0
_TIMEOUT_S: Final = 20.0


def serve(address: str) -> None:
    """Takes what is uploaded, sends what is downloaded, closes what knocks."""
    threads = [
        threading.Thread(target=_listen, args=(socket.create_server((address, port), backlog=64), port))
        for port in (UPLOAD_PORT, DOWNLOAD_PORT, KNOCK_PORT, BURST_PORT)
    ]
    for thread in threads:
        thread.daemon = True
        thread.start()
    say(READY)
    for thread in threads:
        thread.join()


def stream(server: str, seconds: float, period_ms: float, knock_ms: float) -> list[Line]:
    """All of it at once, for so long; the report counts the connections that were opened."""
    counts = Counts("tcp", server)
    threads = [
        threading.Thread(target=_upload, args=(server, UPLOAD_PORT, seconds, period_ms)),
        threading.Thread(target=_upload, args=(server, BURST_PORT, seconds, _APART_MS)),
        threading.Thread(target=_download, args=(server, seconds, period_ms)),
        threading.Thread(target=_knock, args=(server, seconds, knock_ms, counts)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts.lines()


def _upload(server: str, port: int, seconds: float, period_ms: float) -> None:
    with _connection(server, port) as connection:
        _send_bursts(connection, seconds, period_ms)


def _download(server: str, seconds: float, period_ms: float) -> None:
    with _connection(server, DOWNLOAD_PORT) as connection:
        connection.sendall(f"{seconds} {period_ms}\n".encode())
        while connection.recv(1 << 16):
            continue


def _knock(server: str, seconds: float, period_ms: float, counts: Counts) -> None:
    for _ in ticks(seconds, period_ms / 1000):
        counts.asked("open")
        with _connection(server, KNOCK_PORT) as connection:
            counts.answered("open")
            # The server hangs up first: the next connection's port is never one that still waits here.
            connection.recv(1)


def _connection(server: str, port: int) -> socket.socket:
    connection = socket.create_connection((server, port), _TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _send_bursts(connection: socket.socket, seconds: float, period_ms: float) -> None:
    burst = bytes(_SEGMENT * _BURST)
    for _ in ticks(seconds, period_ms / 1000):
        connection.sendall(burst)


def _listen(listening: socket.socket, port: int) -> None:
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=_answer, args=(connection, port), daemon=True).start()


def _answer(connection: socket.socket, port: int) -> None:
    with connection:
        if port in (UPLOAD_PORT, BURST_PORT):
            while connection.recv(1 << 16):
                continue
        elif port == DOWNLOAD_PORT:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            seconds, period_ms = map(float, connection.recv(100).split())
            _send_bursts(connection, seconds, period_ms)
        else:
            time.sleep(0.002)
