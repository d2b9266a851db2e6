"""No name without its protocol: what we call a flow of the shared captures, Wireshark finds in its frames too."""

from __future__ import annotations

from typing import Final

import pytest

from sensors.addresses import address_text
from tests.shared_captures.captures import FOLDER, NAMES, needs_captures, rows
from tests.support.dissectors import DISSECTORS, dissected

#: Of no flow in these captures: remote-access tools and tunnels.
ABSENT: Final = {
    *("wireguard", "openvpn", "teamviewer", "anydesk", "tailscale", "radmin", "rustdesk", "stun", "ipsec"),
    *("pptp", "l2tp", "quic", "dtls", "vnc", "rdp", "telnet", "winrm"),
}


@needs_captures
@pytest.mark.parametrize("name", NAMES)
def test_every_name_by_structure_is_a_protocol_that_wireshark_finds(name: str) -> None:
    flows = rows(name, "flows").cast({"service": str, "confidence": str})
    named = [
        row
        for row in flows.iter_rows(named=True)
        if row["confidence"] in ("structure", "handshake") and row["service"] in DISSECTORS.keys() | ABSENT
    ]
    assert {row["service"] for row in named} & ABSENT == set()
    if not named:
        return
    protocols = dissected(FOLDER / name)
    for row in named:
        sides = ("client", "server")
        ends = frozenset((address_text(row[f"{side}_ip"]), str(row[f"{side}_port"])) for side in sides)
        assert protocols[ends] & DISSECTORS[row["service"]], (row["service"], sorted(ends))
