"""A real MQTT broker (mosquitto) for one test: plain TCP and WebSocket, everybody may do everything."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

needs_mosquitto = pytest.mark.skipif(
    shutil.which("mosquitto") is None, reason="no mosquitto here: install the Debian package of that name"
)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class Mosquitto:
    """The broker, running inside its with block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = _free_port()
        self.websocket_port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        configuration = self._folder / "mosquitto.conf"
        configuration.write_text(
            f"user root\nallow_anonymous true\nlistener {self.port} 127.0.0.1\n"
            f"listener {self.websocket_port} 127.0.0.1\nprotocol websockets\n"
        )
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        for port in (self.port, self.websocket_port):
            while not _listens(port):
                assert time.monotonic() < deadline, "mosquitto does not listen"
                time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
