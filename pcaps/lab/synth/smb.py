"""SMB 3.0.2, as bytes of both sides: a login, files of a share, a program run the way PsExec does ([MS-SMB2], 2.2).

The program is copied to ADMIN$, the service manager is asked for a service (pipe svcctl), and the service's own pipe
tells what the program says.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Final

from pcaps.lab.synth.dialogue import Line, client, server

PORT: Final = 445
_NEGOTIATE, _SESSION_SETUP, _TREE_CONNECT, _CREATE, _CLOSE, _READ, _WRITE = 0, 1, 3, 5, 6, 8, 9
_ANSWER: Final = 1
_HEADER_BYTES: Final = 64
_DIALECT: Final = 0x0302
_MORE_TO_SAY: Final = 0xC0000016  # STATUS_MORE_PROCESSING_REQUIRED
_DISK, _PIPE = 1, 2
_UNICODE_NTLM: Final = 0x0000_0201
_BLOCK: Final = 4_096
#: A bind to svcctl 2.0 over NDR, and the answer that takes it (C706, 12.6.4.3 and 12.6.4.4).
_NDR: Final = bytes.fromhex("045d888aeb1cc9119fe808002b10486002000000")
_BIND: Final = (
    struct.pack("<BBBBIHHI", 5, 0, 11, 3, 0x10, 72, 0, 1)
    + struct.pack("<HHIB3xHBx", 4_280, 4_280, 0, 1, 0, 1)
    + bytes.fromhex("81bb7a364498f135ad3298f03800100302000000")
    + _NDR
)
_BIND_ACK: Final = (
    struct.pack("<BBBBIHHI", 5, 0, 12, 3, 0x10, 68, 0, 1)
    + struct.pack("<HHIH", 4_280, 4_280, 0x53F0, 13)
    + b"\\PIPE\\ntsvcs\0"[:13]
    + b"\0"
    + struct.pack("<B3xHH", 1, 0, 0)
    + _NDR
)


class Session:
    """One connection of `user` at computer `name` to a host; `lines` is what both sides said so far."""

    def __init__(self, chance: random.Random, start_ns: int, name: str, user: str, host: str) -> None:
        self.lines: list[Line] = []
        self._chance = chance
        self._host = host
        self._number = self._tree = 0
        self._session = 0
        self._log_in(start_ns, name, user)

    def share(self, name: str) -> None:
        """Connect to a share: what is opened next is opened there."""
        path = f"\\\\{self._host}\\{name}".encode("utf-16-le")
        self._tree = 0
        answer = struct.pack("<HBBIII", 16, _PIPE if name == "IPC$" else _DISK, 0, 0, 0, 0x1F01FF)
        asked = struct.pack("<HHHH", 9, 0, _HEADER_BYTES + 8, len(path)) + path
        self._ask(_TREE_CONNECT, asked, answer, answering_tree=self._chance.randrange(1, 1 << 16))

    def read_file(self, name: str, size: int) -> None:
        """Open a file of so many bytes, read it, close it."""
        handle = self._open(name, size)
        for start in range(0, size, _BLOCK):
            self._read(handle, self._chance.randbytes(min(_BLOCK, size - start)), start)
        self._close(handle)

    def write_file(self, name: str, size: int) -> None:
        """Make a file of so many bytes."""
        handle = self._open(name, 0)
        for start in range(0, size, _BLOCK):
            self._write(handle, self._chance.randbytes(min(_BLOCK, size - start)), start)
        self._close(handle)

    def ask_service_manager(self) -> None:
        """Open the service manager's pipe and bind to it."""
        handle = self._open("svcctl", 0)
        self._write(handle, _BIND)
        self._read(handle, _BIND_ACK)
        self._close(handle)

    def hear_pipe(self, name: str, answers: Sequence[int]) -> None:
        """Read answers of these lengths from a pipe."""
        handle = self._open(name, 0)
        for size in answers:
            self._read(handle, self._chance.randbytes(size))
        self._close(handle)

    # -- messages --------------------------------------------------------------------------------------------

    def _log_in(self, start_ns: int, name: str, user: str) -> None:
        chance = self._chance
        offered = struct.pack("<HHHHI16sQH", 36, 1, 1, 0, 0x7F, chance.randbytes(16), 0, _DIALECT)
        chosen = struct.pack("<HHHH16sIIIIQQHHI", 65, 1, _DIALECT, 0, chance.randbytes(16), 7, *[1 << 20] * 3, 0, 0,
                             _HEADER_BYTES + 64, 0, 0)  # fmt: skip
        self._ask(_NEGOTIATE, offered, chosen, at_ns=start_ns)
        greeting = b"NTLMSSP\0" + struct.pack("<II8x8x", 1, _UNICODE_NTLM)
        self._session = chance.randrange(1, 1 << 40)
        challenge = struct.pack("<8sIHHII8s8xHHI", b"NTLMSSP\0", 2, 0, 0, 48, _UNICODE_NTLM, chance.randbytes(8),
                                0, 0, 48)  # fmt: skip
        self._ask(_SESSION_SETUP, _token(greeting), _token_answer(challenge), status=_MORE_TO_SAY)
        self._ask(_SESSION_SETUP, _token(_proof(chance, name, user)), _token_answer(b""))

    def _open(self, name: str, size: int) -> bytes:
        handle = self._chance.randbytes(16)
        path = name.encode("utf-16-le")
        asked = struct.pack(
            "<HBBIQQIIIIIHHII",
            57,
            0,
            0,
            2,
            0,
            0,
            0x0012_019F,
            0x80,
            3,
            3,
            0x40,
            _HEADER_BYTES + 56,
            len(path),
            0,
            0,
        )
        answer = struct.pack("<HBBIQQQQQQII16sII", 89, 0, 0, 1, 0, 0, 0, 0, size, size, 0x80, 0, handle, 0, 0)
        self._ask(_CREATE, asked + path, answer)
        return handle

    def _read(self, handle: bytes, data: bytes, start: int = 0) -> None:
        asked = struct.pack("<HBBIQ16sIIIHHB", 49, 80, 0, len(data), start, handle, 1, 0, 0, 0, 0, 0)
        self._ask(_READ, asked, struct.pack("<HBBIII", 17, 80, 0, len(data), 0, 0) + data)

    def _write(self, handle: bytes, data: bytes, start: int = 0) -> None:
        asked = struct.pack("<HHIQ16sIIHHI", 49, 112, len(data), start, handle, 0, 0, 0, 0, 0)
        self._ask(_WRITE, asked + data, struct.pack("<HHIIHH", 17, 0, len(data), 0, 0, 0))

    def _close(self, handle: bytes) -> None:
        answer = struct.pack("<HHIQQQQQQI", 60, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        self._ask(_CLOSE, struct.pack("<HHI16s", 24, 0, 0, handle), answer)

    def _ask(
        self,
        command: int,
        asked: bytes,
        answer: bytes,
        *,
        status: int = 0,
        at_ns: int = 0,
        answering_tree: int = 0,
    ) -> None:
        question = self._message(command, 0, 0, asked, session=0 if command == _NEGOTIATE else self._session)
        if command == _SESSION_SETUP and status:
            # The server gives the session its number with its first answer.
            question = self._message(command, 0, 0, asked, session=0)
        self._tree = answering_tree or self._tree
        said = self._message(command, _ANSWER, status, answer, session=self._session)
        self.lines += [client(question, at_ns), server(said)]
        self._number += 1

    def _message(self, command: int, flags: int, status: int, body: bytes, *, session: int) -> bytes:
        """With its header and its framing (2.1, 2.2.1.2)."""
        header = struct.pack(
            "<4sHHIHHIIQIIQ16s", b"\xfeSMB", _HEADER_BYTES, 1, status, command, 1, flags, 0, self._number,
            0xFEFF, self._tree, session, bytes(16),
        )  # fmt: skip
        return struct.pack(">I", len(header) + len(body)) + header + body


def _token(token: bytes) -> bytes:
    return struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, _HEADER_BYTES + 24, len(token), 0) + token


def _token_answer(token: bytes) -> bytes:
    return struct.pack("<HHHH", 9, 0, _HEADER_BYTES + 8, len(token)) + token


def _proof(chance: random.Random, name: str, user: str) -> bytes:
    """AUTHENTICATE_MESSAGE: names, and answers to the challenge that nobody can check ([MS-NLMP], 2.2.1.3)."""
    answers = [chance.randbytes(24), chance.randbytes(24)]
    parts = [*answers, *(text.encode("utf-16-le") for text in ("PLANT", user, name.upper())), b""]
    at, fields = 64, b""
    for part in parts:
        fields += struct.pack("<HHI", len(part), len(part), at)
        at += len(part)
    return b"NTLMSSP\0" + struct.pack("<I", 3) + fields + struct.pack("<I", _UNICODE_NTLM) + b"".join(parts)
