"""What Wireshark calls the protocols between two ends, and what we call them."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

#: Wireshark's names of what the engine names.
DISSECTORS: Final = {
    "tls": {"tls"},
    "https": {"tls"},
    "mqtt-tls": {"tls"},
    "ssh": {"ssh"},
    "http": {"http"},
    "winrm": {"http"},
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
    "modbus": {"modbus"},
    "opcua": {"opcua"},
    "mqtt": {"mqtt"},
    "dns": {"dns"},
    "mdns": {"mdns"},
    "llmnr": {"llmnr"},
    "ntp": {"ntp"},
    "snmp": {"snmp"},
    "dhcp": {"dhcp"},
    "s7comm": {"s7comm"},
    "s7comm-plus": {"s7comm-plus", "s7comm"},
    "iso-tcp": {"cotp"},
    "mms": {"mms"},
    "enip": {"enip", "cip"},
    "iec104": {"iec60870_104", "iec60870_asdu"},
    "dnp3": {"dnp3"},
    "bacnet": {"bacnet", "bacapp"},
    "profinet": {"pn_dcp", "pn_io", "pn_rt", "dcerpc"},
    "fins": {"omron"},
    "ads": {"ams"},
    "hart-ip": {"hart_ip"},
    "wireguard": {"wg"},
    "openvpn": {"openvpn"},
}

#: Tools that Wireshark knows by their ports only: what it is told of the lab's recordings, by their names' beginning.
ON_ODD_PORTS: Final = {
    "lab-dropbear": ("tcp.port==2222,ssh",),
    "lab-openvpn": ("udp.port==5353,openvpn", "tcp.port==8443,openvpn", "tcp.port==443,openvpn"),
    "lab-rdp": ("tcp.port==13390,tpkt", "tcp.port==8443,tpkt"),
}

Ends = frozenset[tuple[str, str]]


def told(capture: Path) -> list[str]:
    """What Wireshark has to be told of a capture's ports, as options."""
    known = [each for name, each in ON_ODD_PORTS.items() if capture.name.startswith(name)]
    return [part for each in known for decode_as in each for part in ("-d", decode_as)]


def dissected(capture: Path) -> dict[Ends, set[str]]:
    """The protocols that Wireshark finds between each pair of ends."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    fields = [
        "ip.src",
        "ip.dst",
        "ipv6.src",
        "ipv6.dst",
        "tcp.srcport",
        "tcp.dstport",
        "udp.srcport",
        "udp.dstport",
        "frame.protocols",
    ]
    command = [program, "-r", str(capture), "-Y", "tcp or udp", "-T", "fields", "-E", "occurrence=l"]
    # Wireshark takes the client's port 1080 for SOCKS; told to look, it finds RPC in it as we do; OPC UA on other ports
    # is known to it by port only.
    command += ["-d", "tcp.port==1080,dcerpc", "-d", "tcp.port==48010,opcua", "-d", "tcp.port==4841,opcua"]
    command += told(capture)
    for field in fields:
        command += ["-e", field]
    found: dict[Ends, set[str]] = defaultdict(set)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        source, target, source6, target6, *ports, protocols = line.split("\t")
        ends = frozenset(
            {(source or source6, ports[0] or ports[2]), (target or target6, ports[1] or ports[3])}
        )
        found[ends] |= set(protocols.split(":"))
    return found
