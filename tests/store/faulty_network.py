"""A loopback TCP proxy in front of a server that breaks chosen requests in chosen ways."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from urllib.parse import unquote_plus


class Fault(Enum):
    """What happens to a request."""

    RESET = "the connection is reset before the server sees the request"
    LOST_REPLY = "the server does it, the reply is lost"
    CUT_REPLY = "the reply ends in the middle of its body"
    CUT_HEADERS = "the reply ends in the middle of its headers"
    HANG = "no answer comes"
    ERROR_500 = "something in between answers 500"
    ERROR_503 = "something in between answers 503"


@dataclass
class _Plan:
    fault: Fault
    times: int
    only: str


class FaultyNetwork:
    """Passes HTTP through to `upstream` unless a fault is planned. A context manager; `port` is its own port."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._plans: list[_Plan] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.port = 0
        self.struck = 0  # requests that met a fault

    def plan(self, fault: Fault, times: int = 1, only: str = "") -> None:
        """The next requests (those with `only` in their text) meet the fault, so many times."""
        with self._lock:
            self._plans.append(_Plan(fault, times, only))

    def refuse(self) -> None:
        """Stop listening: connections are refused from now on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def listen(self) -> None:
        """Listen again, on the same port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def __enter__(self) -> FaultyNetwork:
        self.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self.refuse()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # closed by `refuse`
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # a client that goes away in the middle is what these tests are about
        with client, contextlib.suppress(OSError):
            request = _read_request(client)
            if request:
                self._answer(client, request)

    def _answer(self, client: socket.socket, request: bytes) -> None:
        fault = self._planned(request)
        if fault is Fault.RESET:
            return _reset(client)
        if fault is Fault.HANG:
            self._over.wait(60)
            return _reset(client)
        if fault in (Fault.ERROR_500, Fault.ERROR_503):
            status = b"500 Internal Server Error" if fault is Fault.ERROR_500 else b"503 Service Unavailable"
            client.sendall(b"HTTP/1.1 %s\r\nContent-Length: 4\r\nConnection: close\r\n\r\nsick" % status)
            return None
        reply = self._forward(request)
        if fault is Fault.LOST_REPLY:
            return _reset(client)
        headers = reply.index(b"\r\n\r\n")
        if fault is Fault.CUT_HEADERS:
            client.sendall(reply[: headers // 2])
            return None
        if fault is Fault.CUT_REPLY:
            client.sendall(reply[: headers + 4 + (len(reply) - headers - 4) // 2])
            return _reset(client)
        client.sendall(reply)
        return None

    def _planned(self, request: bytes) -> Fault | None:
        text = unquote_plus(request[:65536].decode("latin-1"))
        with self._lock:
            for plan in self._plans:
                if plan.times and plan.only in text:
                    plan.times -= 1
                    self.struck += 1
                    return plan.fault
        return None

    def _forward(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection(("127.0.0.1", self._upstream)) as server:
            # one request a connection: the reply is whole when the server closes
            server.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
            reply = b""
            while part := server.recv(1 << 20):
                reply += part
        return reply


def _read_request(client: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        part = client.recv(1 << 20)
        if not part:
            return b""
        request += part
    head, _, body = request.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    parts = [body]
    if fields.get(b"transfer-encoding") == b"chunked":
        while not b"".join(parts[-2:]).endswith(b"0\r\n\r\n"):
            parts.append(client.recv(1 << 20))
    else:
        missing = int(fields.get(b"content-length", b"0")) - len(body)
        while missing > 0:
            parts.append(client.recv(1 << 20))
            missing -= len(parts[-1])
    return head + b"\r\n\r\n" + b"".join(parts)


def _reset(client: socket.socket) -> None:
    """Close with RST instead of FIN."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
