"""Protocols as the field writes them: findings, rows and policies call them by their short names, 'modbus', 'opcua'."""

from __future__ import annotations

import re
from typing import Final

#: What is not here is shown by its short name.
_NAMES: Final = {
    "modbus": "Modbus",
    "opcua": "OPC UA",
    "opcua-pubsub": "OPC UA PubSub",
    "opcda": "OPC DA",
    "mqtt": "MQTT",
    "mqtt-tls": "MQTT in TLS",
    "s7comm": "S7comm",
    "s7comm-plus": "S7comm-plus",
    "iso-tcp": "ISO on TCP",
    "mms": "MMS",
    "enip": "EtherNet/IP",
    "dnp3": "DNP3",
    "iec104": "IEC 104",
    "bacnet": "BACnet",
    "profinet": "PROFINET",
    "fins": "FINS",
    "melsec": "MELSEC",
    "ads": "ADS",
    "hart-ip": "HART-IP",
    "ge-srtp": "GE-SRTP",
    "codesys": "CODESYS",
    "ssh": "SSH",
    "rdp": "RDP",
    "vnc": "VNC",
    "telnet": "Telnet",
    "ftp": "FTP",
    "http": "HTTP",
    "https": "HTTPS",
    "websocket": "WebSocket",
    "quic": "QUIC",
    "tls": "TLS",
    "smb": "SMB",
    "winrm": "WinRM",
    "dns": "DNS",
    "ntp": "NTP",
    "snmp": "SNMP",
    "syslog": "Syslog",
    "ldap": "LDAP",
    "kerberos": "Kerberos",
    "mssql": "Microsoft SQL",
    "postgres": "PostgreSQL",
    "mysql": "MySQL",
    "msrpc": "Microsoft RPC",
    "smtp": "SMTP",
    "ipsec": "IPsec",
    "wireguard": "WireGuard",
    "openvpn": "OpenVPN",
    "tailscale": "Tailscale",
    "stun": "STUN",
    "teamviewer": "TeamViewer",
    "anydesk": "AnyDesk",
    "radmin": "Radmin",
    "rustdesk": "RustDesk",
    "icmp": "ICMP",
}
#: A whole word, no part of an id, an address or a path: 'modbus', but not 'r-modbus-read' nor 'plant/modbus'.
_WORD: Final = re.compile(
    r"(?<![\w./:-])(?:" + "|".join(sorted(_NAMES, key=len, reverse=True)) + r")(?![\w./:-])"
)


def protocol(name: str) -> str:
    """A service's name for people: 'OPC UA' for 'opcua'; a name that is not known as it is."""
    return _NAMES.get(name, name)


def protocols(text: str) -> str:
    """A title with every protocol in it as the field writes it: 'a Modbus write that the rule does not allow'."""
    return _WORD.sub(lambda found: _NAMES[found[0]], text)
