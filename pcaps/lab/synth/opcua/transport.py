"""OPC UA's connection messages: Hello, Acknowledge, Error, ReverseHello (OPC 10000-6, 7.1.2)."""

from __future__ import annotations

import struct
from typing import Final

from pcaps.lab.synth.opcua.stack import Structure, binary, ua

PORT: Final = 4840
BUFFER: Final = 65_536


def hello(url: str, *, buffer: int = BUFFER) -> bytes:
    """The client's first message; no limits to messages but the buffers'."""
    return bytes(binary.uatcp_to_binary(ua.MessageType.Hello, _limits(ua.Hello(EndpointUrl=url), buffer)))


def acknowledge(*, buffer: int = BUFFER) -> bytes:
    """The server's answer to it."""
    return bytes(binary.uatcp_to_binary(ua.MessageType.Acknowledge, _limits(ua.Acknowledge(), buffer)))


def error(status: int, reason: str) -> bytes:
    """The server gives up the connection and says why."""
    return bytes(binary.uatcp_to_binary(ua.MessageType.Error, ua.ErrorMessage(ua.StatusCode(status), reason)))


def reverse_hello(server_uri: str, url: str) -> bytes:
    """A server that opened the connection asks its client to begin (7.1.2.6)."""
    body = b"".join(binary.pack_uatype(ua.VariantType.String, text) for text in (server_uri, url))
    return b"RHEF" + struct.pack("<I", 8 + len(body)) + body


def _limits(message: Structure, buffer: int) -> Structure:
    message.ReceiveBufferSize = message.SendBufferSize = buffer
    message.MaxMessageSize = message.MaxChunkCount = 0
    return message
