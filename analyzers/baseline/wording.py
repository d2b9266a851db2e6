"""Facts as people read and write them: `modbus.write 10.0.0.5 10.0.0.9:502 unit 1, holding 300`."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from analyzers.baseline.facts import KEY, KINDS
from policy.prefixes import address_bytes
from policy.values import suggestion
from sensors.addresses import address_text

_TRANSPORTS: Final = {6: "", 17: "/udp", 1: "/icmp"}
_WRITTEN: Final = re.compile(
    r"(?P<kind>\S+)\s+(?P<client>\S+)\s+(?P<server>\[[^\]]+\]|[^\s:]+)(?::(?P<port>\d{1,5}))?"
    r"(?P<transport>/\w+)?(?:\s+(?P<what>.*))?"
)
_EXAMPLE: Final = '"modbus.write 10.0.0.5 10.0.0.9:502 unit 1, holding 300"'


def fact_text(fact: Mapping[str, Any]) -> str:
    """A fact (columns of KEY) as one line."""
    server = address_text(fact["server_ip"])
    place = f"[{server}]" if ":" in server else server
    transport = _TRANSPORTS.get(fact["ip_proto"], f"/{fact['ip_proto']}")
    parts = (
        fact["kind"],
        address_text(fact["client_ip"]),
        f"{place}:{fact['server_port']}{transport}",
        fact["what"],
    )
    return " ".join(filter(None, parts))


def fact_id(fact: Mapping[str, Any]) -> str:
    """A short name of a fact, the same in every baseline: 12 hex digits."""
    key = [fact[name].hex() if isinstance(fact[name], bytes) else fact[name] for name in KEY]
    return hashlib.sha256(json.dumps(key, separators=(",", ":")).encode()).hexdigest()[:12]


def parse_fact(text: str) -> dict[str, Any]:
    """A line of that form in, columns of KEY out. ValueError, with how to write it, where it is none."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is not a fact; write it like {_EXAMPLE}, or give the id that `show` lists"
        )
    kinds = [kind.name for kind in KINDS]
    if match["kind"] not in kinds:
        hint = suggestion(match["kind"], kinds) or f"; they are {', '.join(kinds)}"
        raise ValueError(f"{match['kind']!r} is no kind of fact{hint}")
    try:
        client, server = (
            address_bytes(ipaddress.ip_address(match[name].strip("[]"))) for name in ("client", "server")
        )
    except ValueError as error:
        raise ValueError(f"{error}; write a fact like {_EXAMPLE}") from None
    port = int(match["port"] or 0)
    if port > 65_535:
        raise ValueError(f"{port} is not a port: 0 to 65535")
    return {
        "kind": match["kind"],
        "client_ip": client,
        "server_ip": server,
        "ip_proto": _transport(match["transport"] or ""),
        "server_port": port,
        "what": match["what"] or "",
    }


def _transport(text: str) -> int:
    for number, name in _TRANSPORTS.items():
        if name == text:
            return number
    if not text[1:].isdecimal() or int(text[1:]) > 255:
        raise ValueError(f"{text!r} is no transport; write /udp, /icmp, a number, or nothing for TCP")
    return int(text[1:])
