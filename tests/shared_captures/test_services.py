"""No name without its protocol: what we call a flow of the shared captures, Wireshark finds in its frames too."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from typing import Final

import pytest

from sensors.addresses import address_text
from tests.shared_captures.captures import FOLDER, NAMES, needs_captures, rows

#: Wireshark's names of what the engine names without reading its messages in depth.
DISSECTORS: Final = {
    "tls": {"tls"},
    "https": {"tls"},
    "mqtt-tls": {"tls"},
    "ssh": {"ssh"},
    "http": {"http"},
    "rdp": {"rdp", "tpkt"},
    "vnc": {"vnc"},
    "smb": {"smb", "smb2", "nbss"},
    "ftp": {"ftp"},
    "telnet": {"telnet"},
    "smtp": {"smtp"},
    "msrpc": {"dcerpc"},
    "opcda": {"dcerpc"},
    "ldap": {"ldap", "cldap"},
    "kerberos": {"kerberos"},
    "mssql": {"tds"},
    "mysql": {"mysql"},
    "postgres": {"pgsql"},
    "syslog": {"syslog"},
}

#: Of no flow in these captures: remote-access tools and tunnels.
ABSENT: Final = {
    *("wireguard", "openvpn", "teamviewer", "anydesk", "tailscale", "radmin", "rustdesk", "stun", "ipsec"),
    *("pptp", "l2tp", "quic", "dtls", "vnc", "rdp", "telnet", "winrm"),
}

Ends = frozenset[tuple[str, str]]


def dissected(name: str) -> dict[Ends, set[str]]:
    """The protocols that Wireshark finds between each pair of ends."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    fields = [
        "ip.src",
        "ip.dst",
        "tcp.srcport",
        "tcp.dstport",
        "udp.srcport",
        "udp.dstport",
        "frame.protocols",
    ]
    command = [program, "-r", str(FOLDER / name), "-Y", "tcp or udp", "-T", "fields", "-E", "occurrence=l"]
    # Wireshark takes the client's port 1080 for SOCKS; told to look, it finds RPC in it as we do.
    command += ["-d", "tcp.port==1080,dcerpc"]
    for field in fields:
        command += ["-e", field]
    found: dict[Ends, set[str]] = defaultdict(set)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        source, target, *ports, protocols = line.split("\t")
        ends = frozenset({(source, ports[0] or ports[2]), (target, ports[1] or ports[3])})
        found[ends] |= set(protocols.split(":"))
    return found


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
    protocols = dissected(name)
    for row in named:
        sides = ("client", "server")
        ends = frozenset((address_text(row[f"{side}_ip"]), str(row[f"{side}_port"])) for side in sides)
        assert protocols[ends] & DISSECTORS[row["service"]], (row["service"], sorted(ends))
