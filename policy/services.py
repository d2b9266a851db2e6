"""The services a rule can name: what they are called, where they listen, what can be judged inside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TCP: Final = 6
UDP: Final = 17
ICMP: Final = 1
ESP: Final = 50
AH: Final = 51
ICMPV6: Final = 58


@dataclass(frozen=True, slots=True)
class Service:
    """One service: the usual ports are where undecoded traffic may be taken for it."""

    name: str
    doc: str
    ports: tuple[int, ...] = ()
    ip_protos: tuple[int, ...] = (TCP,)
    #: The decoder recognises it by structure, so that traffic it does not recognise is not this service.
    decoded: bool = False
    #: What else the decoder may rightly call it: the layer that it is wrapped in.
    seen_as: tuple[str, ...] = ()
    #: The operations that a change window may name as `service.operation`.
    operations: tuple[str, ...] = ()


#: What operations of a control protocol do, as far as a change window may name it.
_OT_OPERATIONS: Final = ("read", "write", "program", "start", "stop", "restart", "configure")

SERVICES: Final = (
    Service(
        "modbus", "Modbus/TCP", (502,), decoded=True, operations=("read", "write", "program", "diagnose")
    ),
    Service("opcua", "OPC UA binary", (4840,), operations=("read", "write", "call", "configure")),
    Service(
        "mqtt",
        "MQTT, in clear or in TLS",
        (1883, 8883),
        operations=("publish", "subscribe"),
        seen_as=("mqtt-tls", "tls"),
    ),
    Service(
        "s7comm",
        "Siemens S7",
        (102,),
        decoded=True,
        operations=_OT_OPERATIONS,
        # Before it is known what the ISO transport carries.
        seen_as=("iso-tcp",),
    ),
    Service("s7comm-plus", "Siemens S7comm-plus", (102,), operations=_OT_OPERATIONS, seen_as=("iso-tcp",)),
    Service("mms", "MMS, as of IEC 61850", (102,), operations=_OT_OPERATIONS, seen_as=("iso-tcp",)),
    Service(
        "enip", "EtherNet/IP and CIP", (44818, 2222), (TCP, UDP), decoded=True, operations=_OT_OPERATIONS
    ),
    Service("dnp3", "DNP3", (20000,), (TCP, UDP), decoded=True, operations=_OT_OPERATIONS),
    Service("iec104", "IEC 60870-5-104", (2404,), decoded=True, operations=_OT_OPERATIONS),
    Service("bacnet", "BACnet/IP", (47808,), (UDP,), decoded=True, operations=_OT_OPERATIONS),
    Service("profinet", "PROFINET", (34962, 34963, 34964), (TCP, UDP), operations=_OT_OPERATIONS),
    Service("fins", "Omron FINS", (9600,), (TCP, UDP), operations=_OT_OPERATIONS),
    Service("melsec", "Mitsubishi SLMP and MC protocol", (5007,), (TCP, UDP), operations=_OT_OPERATIONS),
    Service("ads", "Beckhoff ADS", (48898,), operations=_OT_OPERATIONS),
    Service("hart-ip", "HART-IP", (5094,), (TCP, UDP), operations=_OT_OPERATIONS),
    Service("ge-srtp", "GE service request transport", (18245,), operations=_OT_OPERATIONS),
    Service("codesys", "CODESYS V3", (11740,)),
    Service("opcua-pubsub", "OPC UA PubSub over UDP", (4840,), (UDP,)),
    Service("ssh", "Secure Shell", (22,)),
    Service("rdp", "Remote Desktop", (3389,), (TCP, UDP)),
    Service("vnc", "VNC (RFB)", (5900,)),
    Service("telnet", "Telnet", (23,)),
    Service("ftp", "FTP control", (21,)),
    Service("http", "HTTP in clear", (80, 8080), seen_as=("websocket",)),
    Service("https", "HTTP in TLS or QUIC", (443, 8443), (TCP, UDP), seen_as=("tls", "quic")),
    Service("tls", "TLS of any kind", (443,), seen_as=("https", "mqtt-tls")),
    Service("smb", "SMB", (445,)),
    Service("winrm", "Windows remote management", (5985, 5986), seen_as=("tls", "http")),
    Service("dns", "DNS", (53,), (TCP, UDP)),
    Service("ntp", "NTP", (123,), (UDP,)),
    Service("snmp", "SNMP", (161,), (UDP,)),
    Service("syslog", "Syslog", (514, 6514), (TCP, UDP), seen_as=("tls",)),
    Service("ldap", "LDAP", (389, 636), (TCP, UDP), seen_as=("tls",)),
    Service("kerberos", "Kerberos", (88,), (TCP, UDP)),
    Service("mssql", "Microsoft SQL Server", (1433,)),
    Service("postgres", "PostgreSQL", (5432,)),
    Service("mysql", "MySQL or MariaDB", (3306,)),
    Service("msrpc", "Microsoft RPC and DCOM", (135,)),
    Service("opcda", "OPC Data Access over DCOM", (135,), seen_as=("msrpc",)),
    Service("smtp", "mail transport", (25, 587)),
    Service("ipsec", "IPsec: IKE and ESP", (500, 4500), (UDP, ESP, AH)),
    Service("wireguard", "WireGuard", (51820,), (UDP,)),
    Service("openvpn", "OpenVPN", (1194,), (TCP, UDP)),
    Service("tailscale", "Tailscale", (41641,), (TCP, UDP), seen_as=("wireguard", "stun")),
    Service("teamviewer", "TeamViewer", (5938,), (TCP, UDP), seen_as=("tls",)),
    Service("anydesk", "AnyDesk", (7070,), (TCP, UDP), seen_as=("tls",)),
    Service("radmin", "Radmin", (4899,)),
    Service("rustdesk", "RustDesk", (21116,), (TCP, UDP)),
    Service("icmp", "ICMP and ICMPv6: ping, path errors", (), (ICMP, ICMPV6)),
)

BY_NAME: Final = {service.name: service for service in SERVICES}

#: Services whose operations a rule can name: the decoder tells them by class and name.
NAMED_OPERATIONS: Final = tuple(service.name for service in SERVICES if service.operations == _OT_OPERATIONS)
