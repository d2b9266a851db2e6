"""HTTP/1: our requests and answers beside Wireshark's `http` layer.

Wireshark shows a message where its body ends, we where its head does: the frame is not compared.
"""

from __future__ import annotations

from typing import Final

from sensors.crosscheck.dissection import Message
from sensors.crosscheck.facts import FrameFacts
from sensors.crosscheck.mapping import Case, DecodeAs, Field, Part, Protocol, column, number, ports, text

_PATH_CHARACTERS: Final = 512


def _part_of(message: Message, _: FrameFacts) -> str:
    if message.text("http.request.method") is not None:
        return "request"
    code = message.number("http.response.code")
    # Interim answers (RFC 9110, 15.2) are passed over, but for the switch to another protocol.
    return "response" if code is not None and (code >= 200 or code == 101) else ""


def _path(message: Message) -> str | None:
    found = message.text("http.request.uri")
    return None if found is None else found.partition("?")[0][:_PATH_CHARACTERS]


def _upgrade(case: Case) -> str:
    """The upgrade to WebSocket of a connection that is another protocol's from its first byte on."""
    message = case.message
    to_websocket = message is not None and (message.text("http.upgrade") or "").strip().lower() == "websocket"
    if case.row is not None or not to_websocket:
        return ""
    return "ours: the upgrade to WebSocket belongs to the MQTT that follows, and is no row of its own"


HTTP: Final = Protocol(
    name="http",
    table="http",
    services=("http", "winrm", "websocket"),
    begins="http",
    layers=(),
    counted="http.request",
    decode_as=(
        DecodeAs(
            "http",
            (80, 8080, 3128, 3132, 5985, 8088, 11371, 1900, 2869, 2710),
            ports("http"),
        ),
    ),
    parts=(
        Part(
            "request",
            "request_frame",
            (
                Field("method", column("method"), text("http.request.method")),
                Field("host", column("host"), text("http.host")),
                Field("path", column("path"), _path),
                Field("user agent", column("user_agent"), text("http.user_agent")),
                Field("body bytes", column("request_body_bytes"), number("http.content_length")),
            ),
        ),
        Part(
            "response",
            "response_frame",
            (
                Field("version", column("version"), text("http.response.version")),
                Field("status", column("status"), number("http.response.code")),
                Field("server", column("server"), text("http.server")),
                Field("content type", column("content_type"), text("http.content_type")),
                Field("body bytes", column("response_body_bytes"), number("http.content_length")),
            ),
        ),
    ),
    part_of=_part_of,
    our_identity=lambda row, part: row["method"] if part == "request" else row["status"],
    their_identity=lambda m: m.text("http.request.method") or m.number("http.response.code"),
    frames_compared=False,
    because=(_upgrade,),
)
