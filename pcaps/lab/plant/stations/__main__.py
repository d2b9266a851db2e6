"""`python -m pcaps.lab.plant.stations PROGRAM OPTIONS`: be a station's program; OPTIONS is a JSON object.

A server says `ready` and runs until it is stopped. A client ends by itself, and its last line is its report: what it
asked and what it was answered, as JSON; this is the truth that the sensor's figures are held against.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from pcaps.lab.plant.stations import report

#: Program -> module and function; imported when asked for, because each stack takes time to load.
PROGRAMS: Final[Mapping[str, tuple[str, str]]] = {
    "modbus-server": ("modbus", "serve"),
    "modbus-poll": ("modbus", "poll"),
    "modbus-ask": ("modbus", "ask"),
    "opcua-server": ("opcua", "serve"),
    "opcua-client": ("opcua", "visit"),
    "mqtt-publish": ("mqtt", "publish"),
    "mqtt-subscribe": ("mqtt", "subscribe"),
    "mqtt-last-words": ("mqtt", "last_words"),
    "mqtt-same-name": ("mqtt", "same_name"),
    "stream-server": ("streams", "serve"),
    "stream-client": ("streams", "stream"),
    "vnc-server": ("tools.vnc", "serve"),
    "x11vnc-server": ("tools.vnc", "serve_screen"),
    "vnc-viewer": ("tools.vnc", "view"),
    "rdp-server": ("tools.rdp", "serve"),
    "rdp-client": ("tools.rdp", "visit"),
    "openvpn-server": ("tools.openvpn", "serve"),
    "openvpn-client": ("tools.openvpn", "visit"),
    "wireguard-server": ("tools.wireguard", "serve"),
    "wireguard-client": ("tools.wireguard", "visit"),
    "dropbear-server": ("tools.dropbear", "serve"),
    "dropbear-client": ("tools.dropbear", "visit"),
}


def main(program: str, options: str) -> None:
    """Run one program to its end."""
    module, function = PROGRAMS[program]
    part = __import__(f"{__package__}.{module}", fromlist=[function])
    chosen: Callable[..., Any] = getattr(part, function)
    said = chosen(**json.loads(options))
    if isinstance(said, Coroutine):
        said = asyncio.run(said)
    report.say(json.dumps(said or []))


if __name__ == "__main__":
    main(*sys.argv[1:])
